// Uploads that outlast a reload, in this browser's database: a copy of each file, as long as there is room. Beyond that, a file that was dropped is kept
// as a handle, where the browser has such, which opens it again once its owner agrees; a file that was chosen has to be chosen again. Nothing can be kept
// where storage is switched off.

/** @typedef {{ key: string, account: string, name: string, size: number, type: string, sha256?: string, photoId?: string }} Kept */
/** @typedef {Kept & { file?: File, handle?: any }} WithFile */

/** What is known of each upload, and apart from that its file, which is large and never changes. */
const [UPLOADS, FILES] = ["uploads", "files"];
/** Of the room that the browser says there is, this much may be filled with copies. */
const SHARE = 0.5;
const AT_ONCE = 20;

/** @type {Promise<IDBDatabase> | undefined} */
let opening;

function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("gallery", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(UPLOADS, { keyPath: "key" });
      request.result.createObjectStore(FILES);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(uploads: IDBObjectStore, files: IDBObjectStore) => IDBRequest<T> | void} act
 * @returns {Promise<T | undefined>} undefined where nothing can be kept
 */
async function within(mode, act) {
  try {
    const transaction = (await database()).transaction([UPLOADS, FILES], mode);
    return await new Promise((resolve, reject) => {
      const request = act(transaction.objectStore(UPLOADS), transaction.objectStore(FILES));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } catch {
    return undefined;
  }
}

/**
 * Keeps uploads; calls `kept` for each whose file will be there after a reload.
 * @param {WithFile[]} uploads
 * @param {(key: string) => void} kept
 */
export async function keep(uploads, kept) {
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  let room = quota ? (quota - usage) * SHARE : Number.POSITIVE_INFINITY;
  for (let at = 0; at < uploads.length; at += AT_ONCE) {
    const part = uploads.slice(at, at + AT_ONCE);
    /** @type {string[]} */
    const keys = [];
    const done = await within("readwrite", (about, files) => {
      for (const { file, handle, ...upload } of part) {
        about.put(upload);
        const isCopied = upload.size <= room;
        if (!isCopied && !handle) continue;
        if (isCopied) room -= upload.size;
        files.put(isCopied ? file : handle, upload.key);
        keys.push(upload.key);
      }
      return about.count();
    });
    if (done !== undefined) for (const key of keys) kept(key);
  }
}

/** Notes what is known of an upload by now, if it is kept. @param {string} key @param {Partial<Kept>} change */
export function note(key, change) {
  return within("readwrite", (uploads) => {
    const request = uploads.get(key);
    request.onsuccess = () => request.result && uploads.put({ ...request.result, ...change });
  });
}

/** @param {string[]} keys */
export function forget(keys) {
  return within("readwrite", (uploads, files) => {
    for (const key of keys) {
      uploads.delete(key);
      files.delete(key);
    }
  });
}

/** What an account's uploads were broken off at; of each its file, or a handle that opens it. @param {string} account @returns {Promise<WithFile[]>} */
export async function keptFor(account) {
  const all = (await within("readonly", (uploads) => uploads.getAll())) ?? [];
  const own = all.filter((upload) => upload.account === account);
  for (const upload of own) {
    const kept = await within("readonly", (_, files) => files.get(upload.key));
    if (kept instanceof Blob) upload.file = kept;
    else upload.handle = kept;
  }
  return own;
}
