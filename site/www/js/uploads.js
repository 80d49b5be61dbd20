// Uploads of this page: how the queue's steps are done with the browser and the API, and what of it outlasts a reload.

import { get, Problem, post, remove } from "./api.js";
import { filesOf, isPhoto } from "./core/dropped.js";
import { untilThen } from "./core/retry.js";
import { isOver, UploadQueue } from "./core/upload.js";
import { t } from "./i18n.js";
import { forget, keep, keptFor, note } from "./kept-uploads.js";
import { UploadPanel } from "./parts/upload-panel.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

/** @typedef {import("./core/upload.js").Upload} Upload */

/** How often views learn of new photos while more are coming. */
const TELL_EVERY_MS = 3_000;

/** The keys of those whose files will be there after a reload. @type {Set<string>} */
const kept = new Set();
/** Those that only wait for their owner to agree that their files are opened again. @type {Map<Upload, any>} */
const closed = new Map();
let toldAt = 0;
let timer = 0;
/** Whose uploads have been taken up. */
let takenUpFor = "";
/** Whether the session has ended, and nobody has logged in again yet. */
let waitsForLogIn = false;

const queue = new UploadQueue({ hash, known, announce, send, settled, forgetFailed, note: noted, pause: untilThen }, changed);
const panel = new UploadPanel(queue, {
  choose: () => document.getElementById("upload-files")?.click(),
  open: openAgain,
  cancel,
  drop,
  canOpen: () => closed.size > 0,
});

addEventListener("beforeunload", (event) => {
  // Only what would be lost is worth a question.
  if (queue.uploads.some((upload) => !isOver(upload) && !kept.has(upload.key))) event.preventDefault();
});

/** @param {import("./core/dropped.js").Source[]} sources */
export async function addSources(sources) {
  /** @type {import("./core/dropped.js").Found[]} */
  const found = [];
  let ignored = 0;
  for await (const each of filesOf(sources)) {
    // In a folder there may be anything; but whoever chose a file by itself wants to know why it is not taken.
    if (each.isInFolder && !isPhoto(each.file)) ignored += 1;
    else found.push(each);
  }
  if (ignored) toast(t("upload.ignored", { count: ignored }));
  else if (!found.length) toast(t("upload.emptyFolder"));
  const uploads = found.map(({ file }) => uploadOf(file));
  const handles = new Map(uploads.map((upload, at) => [upload.key, found[at].handle]));
  const isNew = (/** @type {Upload} */ upload) => !replaceMissing(upload) && isPhoto(upload);
  const added = uploads.filter(isNew);
  const refused = uploads.filter((upload) => !isPhoto(upload)).map((upload) => refuse(upload));
  queue.add([...added, ...refused]);
  const { id: account } = store.account;
  const records = added.map(({ key, name, size, type, file }) => ({ key, account, name, size, type, file, handle: handles.get(key) }));
  await keep(records, (key) => kept.add(key));
  // What was done before it was kept need not be.
  forget(added.filter((upload) => upload.state === "done" || upload.state === "duplicate").map(({ key }) => key));
}

/** @param {File} file @returns {Upload} */
function uploadOf(file) {
  const { name, size, type } = file;
  return { key: newKey(), name, size, type, file, state: "waiting", sent: 0 };
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Upload} upload @returns {Upload} */
function refuse(upload) {
  return { ...upload, file: undefined, state: "failed", error: new Problem(415, { type: "unsupported-media-type" }) };
}

/** A file that is chosen again takes the place of the one that is missing. @param {Upload} upload */
function replaceMissing({ name, size, file }) {
  const missing = queue.uploads.find((other) => other.state === "missing" && other.name === name && other.size === size);
  if (!missing) return false;
  Object.assign(missing, { file, state: "waiting" });
  closed.delete(missing);
  return true;
}

/** Takes up what was broken off, once for whoever is logged in; another page of this browser that does so already is not disturbed. */
export function goOn() {
  const { id: account } = store.account ?? {};
  if (!account) return;
  if (takenUpFor === account) {
    if (waitsForLogIn) queue.resume();
    waitsForLogIn = false;
    return;
  }
  if (takenUpFor) {
    // What somebody else began in this page is theirs: it waits for them.
    queue.cancel();
    queue.clear();
    queue.resume();
  }
  waitsForLogIn = false;
  takenUpFor = account;
  if (!navigator.locks) takeUp(account);
  else navigator.locks.request(`uploads of ${account}`, () => takeUp(account).then(() => new Promise(() => {})));
}

/** @param {string} account */
async function takeUp(account) {
  const known = new Set(queue.uploads.map(({ key }) => key));
  for (const { file, handle, account: _, ...record } of await keptFor(account)) {
    if (known.has(record.key)) continue;
    const upload = /** @type {Upload} */ ({ ...record, file, state: "waiting", sent: 0 });
    kept.add(upload.key);
    if (handle && (await handle.queryPermission?.({ mode: "read" })) === "granted") upload.file = await handle.getFile().catch(() => undefined);
    else if (handle) closed.set(upload, handle);
    if (!upload.file) upload.state = "missing";
    queue.add([upload]);
  }
}

/** Whether something is on its way that would be lost. */
export const isUploading = () => queue.isActive;

/** Forgets all of it: whoever logs out leaves no photos behind in this browser. */
export async function leave() {
  queue.cancel();
  queue.clear();
  closed.clear();
  const records = await keptFor(takenUpFor);
  await forget(records.map(({ key }) => key));
  takenUpFor = "";
}

/** Opens the files that were dropped before a reload: the browser asks for leave, so somebody has to press for it. */
async function openAgain() {
  for (const [upload, handle] of closed) {
    if ((await handle.requestPermission({ mode: "read" })) !== "granted") return;
    const file = await handle.getFile().catch(() => undefined);
    closed.delete(upload);
    if (!file || file.size !== upload.size) continue;
    Object.assign(upload, { file, state: "waiting" });
  }
  queue.resume();
}

function cancel() {
  const cancelled = queue.cancel();
  forget(cancelled.map(({ key }) => key));
  for (const { photoId, state } of cancelled) if (photoId && state !== "processing") remove(`/photos/${photoId}`).catch(() => {});
}

/** @param {Upload} upload */
function drop(upload) {
  closed.delete(upload);
  queue.drop(upload);
  forget([upload.key]);
}

/** @param {Upload} upload */
function noted({ key, state, sha256: hash, photoId }) {
  if (state === "done" || state === "duplicate") forget([key]);
  else note(key, { sha256: hash, photoId });
}

function changed() {
  panel.draw();
  const count = queue.totals.uploaded;
  if (count === toldAt || timer) return;
  const tell = () => {
    timer = 0;
    toldAt = queue.totals.uploaded;
    dispatchEvent(new CustomEvent("photos-added"));
  };
  if (queue.isActive) timer = window.setTimeout(tell, TELL_EVERY_MS);
  else tell();
}

/** @type {Worker | undefined} */
let worker;
let asked = 0;
/** @type {Map<number, { resolve: (hash: string) => void, reject: (reason: any) => void }>} */
const answers = new Map();

/** @param {File} file @param {AbortSignal} signal @returns {Promise<string>} */
async function hash(file, signal) {
  worker ??= startWorker();
  asked += 1;
  const id = asked;
  try {
    return await new Promise((resolve, reject) => {
      answers.set(id, { resolve, reject });
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker?.postMessage({ id, file });
    });
  } finally {
    answers.delete(id);
  }
}

function startWorker() {
  const url = new URL("./hash-worker.js", import.meta.url).href;
  // The page's policy lets no text become a script's address, unless it is this one.
  const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("gallery-worker", { createScriptURL: () => url });
  const started = new Worker(policy?.createScriptURL("") ?? url, { type: "module" });
  started.addEventListener("message", ({ data }) => {
    const { resolve, reject } = answers.get(data.id) ?? {};
    if (data.hash) resolve?.(data.hash);
    else reject?.(new Problem(400, { type: "unreadable", detail: data.error }));
  });
  started.addEventListener("error", () => {
    for (const { reject } of answers.values()) reject(new Problem(0, {}));
    worker = undefined;
  });
  return started;
}

/**
 * Does what needs a session. Without one everything waits, and goes on once somebody has logged in.
 * @template T
 * @param {() => Promise<T>} act
 */
async function inSession(act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Problem) || error.kind !== "unauthenticated") throw error;
    waitsForLogIn = true;
    queue.pause();
    throw new DOMException("logged out", "AbortError");
  }
}

/** @param {string[]} hashes @param {AbortSignal} signal */
async function known(hashes, signal) {
  const { items } = await inSession(() => post("/photos/check", { sha256: hashes }, { signal }));
  return new Set(items.map((/** @type {any} */ item) => item.sha256));
}

/** @param {Upload} upload @param {AbortSignal} signal */
function announce({ key, name, type, size, sha256: digest }, signal) {
  const body = { fileName: name, contentType: type, size, sha256: digest };
  return inSession(() => post("/photos", body, { headers: { "idempotency-key": key }, signal }));
}

/**
 * Sends the bytes. Only XMLHttpRequest tells how many have been sent.
 * @param {any} ticket @param {File} file @param {(sent: number) => void} progress @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function send(ticket, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const end = (/** @type {() => void} */ then) => {
      signal.removeEventListener("abort", abort);
      then();
    };
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.open(ticket.method, ticket.url);
    for (const [name, value] of Object.entries(ticket.headers)) {
      // The browser sets the length itself, to the same value.
      if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, /** @type {string} */ (value));
    }
    request.upload.onprogress = (event) => progress(event.loaded);
    // 412: these bytes came before, and only the answer was lost.
    request.onload = () => end(request.status < 300 || request.status === 412 ? resolve : () => reject(refusalOf(request)));
    request.onerror = () => end(() => reject(new Problem(0, {})));
    request.onabort = () => end(() => reject(signal.reason));
    request.send(file);
  });
}

/** @param {XMLHttpRequest} request */
function refusalOf(request) {
  let body = {};
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // A bucket answers with XML.
  }
  const retryAfter = Number(request.getResponseHeader("retry-after")) || 0;
  // A ticket that has expired is exchanged for a new one, by trying again.
  const status = request.status === 403 ? 503 : request.status;
  return new Problem(status, body, retryAfter);
}

const FIRST_LOOK_MS = 150;
const LONGEST_PAUSE_MS = 3_000;
/** The status that stands for a photo that was looked into and is none. */
const IS_NO_PHOTO = 422;

/** Waits for a photo to be ready. @param {string} id @param {AbortSignal} signal */
async function settled(id, signal) {
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const photo = await inSession(() => get(`/photos/${id}`, { signal }));
    if (photo.state === "ready") return;
    if (photo.state === "failed") throw new Problem(IS_NO_PHOTO, { type: photo.failure?.kind, detail: photo.failure?.detail });
    await untilThen(pause, signal);
  }
}

/** @param {Upload} upload */
async function forgetFailed(upload) {
  // Only a photo that is none for good has to go: one that could not be asked about may be fine.
  if (upload.error?.status !== IS_NO_PHOTO) return;
  try {
    await remove(`/photos/${upload.photoId}`);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 404) throw error;
  }
  const before = upload.key;
  Object.assign(upload, { key: newKey(), photoId: undefined });
  forget([before]);
}
