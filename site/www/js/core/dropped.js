// The files of what was dropped, pasted or chosen, those in folders included.

/**
 * @typedef {object} Source
 * @property {File | null} [file]
 * @property {any} [entry] FileSystemEntry: of a file or folder, where the browser has such
 * @property {Promise<any>} [handle] FileSystemHandle: opens the file again after a reload, where the browser has such
 */
/** @typedef {{ file: File, handle?: any, isInFolder: boolean }} Found */

const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/** Whether the gallery takes files of its type. @param {{ type: string }} file */
export const isPhoto = ({ type }) => TYPES.includes(type);

/** @param {Source[]} sources @returns {AsyncGenerator<Found>} */
export async function* filesOf(sources) {
  for (const { file, entry, handle } of sources) {
    const known = await handle;
    if (known) yield* inHandle(known, false);
    else if (entry) yield* inEntry(entry, false);
    else if (file) yield { file, isInFolder: false };
  }
}

/** @param {any} handle @param {boolean} isInFolder @returns {AsyncGenerator<Found>} */
async function* inHandle(handle, isInFolder) {
  if (handle.kind === "file") yield { file: await handle.getFile(), handle, isInFolder };
  else for await (const child of handle.values()) yield* inHandle(child, true);
}

/** @param {any} entry @param {boolean} isInFolder @returns {AsyncGenerator<Found>} */
async function* inEntry(entry, isInFolder) {
  if (entry.isFile) {
    yield { file: await new Promise((resolve, reject) => entry.file(resolve, reject)), isInFolder };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A folder is told in parts; an empty one is the last.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const child of part) yield* inEntry(child, true);
  }
}
