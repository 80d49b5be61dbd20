// The queue of uploads. Files are hashed first and asked about, up to a hundred at once, so that what is there already is not sent; then four at a
// time are announced, sent, and waited for until they are photos. How each step is done is given from outside.

import { withRetries } from "./retry.js";

const AT_ONCE = 4;
const FIRST_CHECK = 4;
/** As many as one question to the API may name. */
const LARGEST_CHECK = 100;

/** @typedef {"waiting" | "hashing" | "ready" | "sending" | "processing" | "done" | "duplicate" | "failed" | "missing"} State `missing`: its file has to be chosen again */

/**
 * @typedef {object} Upload
 * @property {string} key names it to the API: whatever is repeated with it is done once
 * @property {string} name
 * @property {number} size bytes
 * @property {string} type
 * @property {File} [file] not there if the browser could not keep it over a reload
 * @property {State} state
 * @property {number} sent bytes
 * @property {string} [sha256]
 * @property {string} [photoId] once it is announced
 * @property {any} [error] why it failed
 * @property {any} [waitingFor] why it is tried again
 * @property {string} [sameAs] the name of the file of the same bytes that came before it
 */

/**
 * @typedef {object} Work what the queue has done by others
 * @property {(file: File, signal: AbortSignal) => Promise<string>} hash
 * @property {(hashes: string[], signal: AbortSignal) => Promise<Set<string>>} known which of them are photos already
 * @property {(upload: Upload, signal: AbortSignal) => Promise<any>} announce
 * @property {(ticket: any, file: File, progress: (sent: number) => void, signal: AbortSignal) => Promise<void>} send
 * @property {(id: string, signal: AbortSignal) => Promise<void>} settled ends when it is a photo; fails with the reason why it is none
 * @property {(upload: Upload) => Promise<void>} forgetFailed removes what a failed attempt left, before the next
 * @property {(upload: Upload) => void} [note] keeps what has become of one
 * @property {(ms: number, signal: AbortSignal) => Promise<void>} [pause]
 */

export class UploadQueue {
  #running = 0;
  #isHashing = false;
  #checkSize = FIRST_CHECK;
  #stop = new AbortController();
  /** @type {Map<string, Upload>} the first of each content */
  #byHash = new Map();

  /**
   * @param {Work} work
   * @param {(upload?: Upload) => void} changed called after every change, with the upload if it is about one
   */
  constructor(work, changed) {
    this.work = work;
    this.changed = changed;
    /** @type {Upload[]} */
    this.uploads = [];
    this.isPaused = false;
  }

  /** @param {Upload[]} uploads */
  add(uploads) {
    this.uploads.push(...uploads);
    this.#go();
  }

  /** @param {Upload} upload */
  async retry(upload) {
    this.#turn(upload, "hashing");
    try {
      await this.work.forgetFailed(upload);
    } catch (error) {
      this.#fail(upload, error);
      return;
    }
    this.#turn(upload, upload.sha256 ? "ready" : "waiting", { sent: 0, error: undefined });
    this.#go();
  }

  retryAll() {
    for (const upload of this.uploads) if (upload.state === "failed") this.retry(upload);
  }

  /** What is under way is broken off, and begins anew on {@link resume}. */
  pause() {
    this.isPaused = true;
    this.#breakOff();
    this.changed();
  }

  resume() {
    this.isPaused = false;
    this.#go();
  }

  /** Takes out what is not done, and answers what that was. */
  cancel() {
    this.#breakOff();
    const cancelled = this.uploads.filter((upload) => !isOver(upload) || upload.state === "failed");
    this.#keepOnly((upload) => !cancelled.includes(upload));
    return cancelled;
  }

  /** Takes one out that failed or whose file is missing. @param {Upload} upload */
  drop(upload) {
    this.#keepOnly((other) => other !== upload);
  }

  clear() {
    this.#keepOnly((upload) => !isOver(upload));
  }

  /** @param {(upload: Upload) => boolean} wanted */
  #keepOnly(wanted) {
    this.uploads = this.uploads.filter(wanted);
    for (const [hash, upload] of this.#byHash) if (!wanted(upload)) this.#byHash.delete(hash);
    this.changed();
  }

  get isActive() {
    return this.uploads.some((upload) => !isOver(upload));
  }

  /** How far it all has come: numbers of files, and bytes. */
  get totals() {
    const totals = { files: this.uploads.length, uploaded: 0, duplicate: 0, failed: 0, missing: 0, bytes: 0, sent: 0 };
    for (const { state, size, sent } of this.uploads) {
      if (state === "failed" || state === "missing") totals[state] += 1;
      else totals.bytes += size;
      if (state === "done") totals.uploaded += 1;
      if (state === "duplicate") totals.duplicate += 1;
      if (state === "done" || state === "duplicate" || state === "processing") totals.sent += size;
      else if (state === "sending") totals.sent += Math.min(sent, size);
    }
    return totals;
  }

  #breakOff() {
    this.#stop.abort(new DOMException("broken off", "AbortError"));
    this.#stop = new AbortController();
  }

  #go() {
    this.changed();
    this.#hash();
    while (!this.isPaused && this.#running < AT_ONCE) {
      const upload = this.uploads.find((candidate) => candidate.state === "ready");
      if (!upload) return;
      this.#running += 1;
      this.#upload(upload).finally(() => {
        this.#running -= 1;
        this.#go();
      });
    }
  }

  /** Hashes what waits: a few files first, so that the first is on its way soon. */
  async #hash() {
    if (this.#isHashing) return;
    this.#isHashing = true;
    try {
      for (;;) {
        const batch = this.isPaused ? [] : this.uploads.filter((upload) => upload.state === "waiting").slice(0, this.#checkSize);
        if (!batch.length) return;
        this.#checkSize = Math.min(this.#checkSize * 4, LARGEST_CHECK);
        await this.#hashAndCheck(batch);
        this.#go();
      }
    } finally {
      this.#isHashing = false;
    }
  }

  /** @param {Upload[]} batch */
  async #hashAndCheck(batch) {
    const { signal } = this.#stop;
    /** @type {Upload[]} */
    const unknown = [];
    for (const upload of batch) {
      this.#turn(upload, "hashing");
      try {
        upload.sha256 ??= await this.work.hash(/** @type {File} */ (upload.file), signal);
      } catch (error) {
        this.#fail(upload, error, "waiting");
        continue;
      }
      const first = this.#byHash.get(upload.sha256);
      if (first && first !== upload && first.state !== "failed") this.#turn(upload, "duplicate", { sameAs: first.name });
      else {
        this.#byHash.set(upload.sha256, upload);
        unknown.push(upload);
      }
    }
    // What this page has announced before is known because of that: its announcement is repeated instead.
    const asked = unknown.filter((upload) => !upload.photoId);
    let known = new Set();
    try {
      const hashes = asked.map((upload) => /** @type {string} */ (upload.sha256));
      if (hashes.length) known = await this.#patiently(() => this.work.known(hashes, signal), signal, asked);
    } catch (error) {
      for (const upload of unknown) this.#fail(upload, error, "waiting");
      return;
    }
    for (const upload of unknown) this.#turn(upload, asked.includes(upload) && known.has(upload.sha256) ? "duplicate" : "ready");
  }

  /** @param {Upload} upload */
  async #upload(upload) {
    const { signal } = this.#stop;
    try {
      this.#turn(upload, "sending", { sent: 0 });
      const isSent = await this.#patiently(() => this.#announceAndSend(upload, signal), signal, [upload]);
      if (!isSent) return;
      this.#turn(upload, "processing");
      await this.#patiently(() => this.work.settled(/** @type {string} */ (upload.photoId), signal), signal, [upload]);
      this.#turn(upload, "done");
    } catch (error) {
      this.#fail(upload, error, "ready");
    }
  }

  /** Whether its bytes are there because of it. @param {Upload} upload @param {AbortSignal} signal */
  async #announceAndSend(upload, signal) {
    const { photo, upload: ticket, duplicateOf } = await this.work.announce(upload, signal);
    // A photo of these bytes that this very upload has made is no duplicate: only the answer about it was lost.
    if (duplicateOf && duplicateOf !== upload.photoId) {
      this.#turn(upload, "duplicate");
      return false;
    }
    upload.photoId = photo.id;
    this.work.note?.(upload);
    if (!ticket) return true;
    const progress = (/** @type {number} */ sent) => this.#turn(upload, "sending", { sent, waitingFor: undefined });
    await this.work.send(ticket, /** @type {File} */ (upload.file), progress, signal);
    return true;
  }

  /**
   * @template T
   * @param {() => Promise<T>} act
   * @param {AbortSignal} signal
   * @param {Upload[]} uploads those that wait meanwhile
   */
  #patiently(act, signal, uploads) {
    const waiting = (/** @type {any} */ error) => {
      for (const upload of uploads) this.#turn(upload, upload.state, { waitingFor: error, sent: 0 });
    };
    return withRetries(act, { signal, waiting, pause: this.work.pause });
  }

  /** @param {Upload} upload @param {any} error @param {State} [before] what it turns back to when it was only broken off */
  #fail(upload, error, before) {
    if (error?.name === "AbortError" && before) this.#turn(upload, before, { sent: 0, waitingFor: undefined });
    else this.#turn(upload, "failed", { error, waitingFor: undefined });
  }

  /** @param {Upload} upload @param {State} state @param {Partial<Upload>} [change] */
  #turn(upload, state, change = {}) {
    const isNew = upload.state !== state;
    if (isNew) upload.waitingFor = undefined;
    Object.assign(upload, { state, ...change });
    if (isNew && (isOver(upload) || state === "ready")) this.work.note?.(upload);
    this.changed(upload);
  }
}

/** Whether nothing more will happen to it by itself. @param {Upload} upload */
export function isOver({ state }) {
  return state === "done" || state === "duplicate" || state === "failed" || state === "missing";
}
