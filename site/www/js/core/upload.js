// Uploads files, four at a time: hash, announce, send straight to the blob store, wait until the photo is ready.

import { get, post, Problem } from "../api.js";
import { sha256 } from "./sha256.js";

const AT_ONCE = 4;
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/** @typedef {{ file: File, state: "waiting"|"hashing"|"sending"|"processing"|"done"|"duplicate"|"failed", sent: number, reason: string }} Upload */

export class UploadQueue {
  /** @param {(queue: UploadQueue) => void} changed called after every change */
  constructor(changed) {
    this.changed = changed;
    /** @type {Upload[]} */
    this.uploads = [];
    this.running = 0;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) this.uploads.push({ file, state: "waiting", sent: 0, reason: "" });
    this.#fill();
  }

  retry(upload) {
    Object.assign(upload, { state: "waiting", sent: 0, reason: "" });
    this.#fill();
  }

  clear() {
    this.uploads = this.uploads.filter((upload) => !UploadQueue.isOver(upload));
    this.changed(this);
  }

  get active() {
    return this.uploads.some((upload) => !UploadQueue.isOver(upload));
  }

  static isOver(upload) {
    return ["done", "duplicate", "failed"].includes(upload.state);
  }

  #fill() {
    this.changed(this);
    while (this.running < AT_ONCE) {
      const upload = this.uploads.find((candidate) => candidate.state === "waiting");
      if (!upload) return;
      this.running += 1;
      this.#run(upload).finally(() => {
        this.running -= 1;
        this.#fill();
      });
    }
  }

  async #run(upload) {
    const turn = (state, change = {}) => {
      Object.assign(upload, { state, ...change });
      this.changed(this);
    };
    try {
      const { file } = upload;
      if (!TYPES.includes(file.type)) throw new Error("This is no JPEG, PNG, WebP or GIF file.");
      turn("hashing");
      const digest = await sha256(file);
      const announced = await post("/photos", { fileName: file.name, contentType: file.type, size: file.size, sha256: digest });
      if (announced.duplicateOf) return turn("duplicate");
      turn("sending");
      await send(announced.upload, file, (sent) => turn("sending", { sent }));
      turn("processing");
      const photo = await settled(announced.photo.id);
      if (photo.state === "failed") throw new Error(photo.failure?.detail ?? "It could not be made a photo.");
      turn("done");
    } catch (error) {
      const fields = error instanceof Problem ? Object.values(error.fields).map((reason) => `The file ${reason}.`) : [];
      turn("failed", { reason: fields.join(" ") || error.message });
    }
  }
}

/** Only XMLHttpRequest tells how much of a body has been sent. */
function send(ticket, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(ticket.method, ticket.url);
    for (const [name, value] of Object.entries(ticket.headers)) {
      // The browser sets the length itself, to the same value.
      if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => progress(event.loaded);
    // 412: another upload of the same photo came first, which is as good.
    request.onload = () =>
      request.status < 300 || request.status === 412 ? resolve() : reject(new Error("The upload was refused. Try again."));
    request.onerror = () => reject(new Error("The connection was lost. Try again."));
    request.send(file);
  });
}

/** Waits for a photo to be ready or failed. */
async function settled(id) {
  for (let wait = 150; ; wait = Math.min(wait * 1.5, 3_000)) {
    const photo = await get(`/photos/${id}`);
    if (photo.state === "ready" || photo.state === "failed") return photo;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
