// The queue of uploads, with everything outside of it made up.

import assert from "node:assert/strict";
import test from "node:test";

import { isOver, UploadQueue } from "../../www/js/core/upload.js";

const problem = (status) => Object.assign(new Error(`status ${status}`), { status });
let keys = 0;
function upload(content, more = {}) {
  keys += 1;
  return { key: `key ${keys}`, name: `${content}.jpg`, size: 10, type: "image/jpeg", file: content, state: "waiting", sent: 0, ...more };
}

/** A gallery that knows contents by their hashes, and what it was asked. */
function world(change = {}) {
  const asked = { known: [], announced: [], sent: [], forgotten: [], most: 0 };
  let sending = 0;
  const work = {
    hash: async (file) => `hash of ${file}`,
    known: async (hashes) => {
      asked.known.push(hashes.length);
      return new Set(hashes.filter((hash) => hash.includes("old")));
    },
    announce: async ({ key, name }) => {
      asked.announced.push(key);
      return { photo: { id: `photo ${name}` }, upload: { url: "…" } };
    },
    send: async (_, file, progress) => {
      sending += 1;
      asked.most = Math.max(asked.most, sending);
      progress(5);
      await new Promise((resolve) => setTimeout(resolve, 1));
      asked.sent.push(file);
      sending -= 1;
    },
    settled: async () => {},
    forgetFailed: async ({ key }) => void asked.forgotten.push(key),
    pause: async () => {},
    ...change,
  };
  let changed = () => {};
  const queue = new UploadQueue(work, () => changed());
  const until = (isSo) =>
    new Promise((resolve) => {
      changed = () => isSo() && resolve();
      changed();
    });
  return { queue, asked, over: () => until(() => !queue.isActive), until };
}
const states = (queue) => queue.uploads.map(({ state }) => state);

test("each file is hashed, asked about, announced and sent once, four at a time", async () => {
  const { queue, asked, over } = world();
  queue.add(Array.from({ length: 250 }, (_, at) => upload(`new ${at}`)));
  await over();
  assert.deepEqual(queue.totals, { files: 250, uploaded: 250, duplicate: 0, failed: 0, missing: 0, bytes: 2500, sent: 2500 });
  assert.equal(new Set(asked.sent).size, 250);
  assert.equal(asked.sent.length, 250);
  assert.equal(asked.most, 4);
  assert.deepEqual(asked.known, [4, 16, 64, 100, 66], "a few first, then many at once");
});

test("what the gallery has, and what is twice in the same drop, is not sent", async () => {
  const { queue, asked, over } = world();
  queue.add([upload("old"), upload("new"), upload("new")]);
  await over();
  assert.deepEqual(states(queue), ["duplicate", "done", "duplicate"]);
  assert.equal(queue.uploads[2].sameAs, "new.jpg");
  assert.deepEqual(asked.sent, ["new"]);
});

test("a lost answer is asked for again: what this upload has made is no duplicate of it", async () => {
  let attempts = 0;
  const { queue, over } = world({
    announce: async () => {
      attempts += 1;
      return attempts === 1 ? { photo: { id: "p" }, upload: {} } : { photo: { id: "p" }, duplicateOf: "p" };
    },
    send: async () => Promise.reject(problem(0)),
  });
  queue.add([upload("new")]);
  await over();
  assert.deepEqual([states(queue), attempts], [["done"], 2]);
});

test("what was announced before a reload is announced again under its key, and not asked about", async () => {
  const { queue, asked, over } = world();
  queue.add([upload("old", { photoId: "photo old.jpg", sha256: "hash of old" })]);
  await over();
  assert.deepEqual(states(queue), ["done"]);
  assert.deepEqual(asked.known, []);
});

test("a failure stands alone, says why, and a retry begins anew", async () => {
  let isBroken = true;
  const { queue, asked, over } = world({ settled: async (id) => (isBroken && id.includes("bad") ? Promise.reject(problem(422)) : undefined) });
  queue.add([upload("bad"), upload("good")]);
  await over();
  assert.deepEqual(states(queue), ["failed", "done"]);
  assert.equal(queue.uploads[0].error.status, 422);
  isBroken = false;
  queue.retry(queue.uploads[0]);
  await over();
  assert.deepEqual(states(queue), ["done", "done"]);
  assert.deepEqual(asked.forgotten, [queue.uploads[0].key]);
});

test("a pause breaks off what is under way, and going on sends it from its beginning", async () => {
  const { queue, asked, over, until } = world({
    send: (_, file, progress, signal) =>
      new Promise((resolve, reject) => {
        progress(5);
        signal.addEventListener("abort", () => reject(signal.reason));
        if (!isHeld) {
          asked.sent.push(file);
          resolve();
        }
      }),
  });
  let isHeld = true;
  queue.add([upload("one"), upload("two")]);
  await until(() => queue.totals.sent === 10);
  queue.pause();
  await until(() => states(queue).every((state) => state === "ready"));
  assert.equal(queue.totals.sent, 0);
  isHeld = false;
  queue.resume();
  await over();
  assert.deepEqual(states(queue), ["done", "done"]);
});

test("cancelling takes out what is not done and leaves what is", async () => {
  const { queue, over } = world();
  queue.add([upload("one")]);
  await over();
  queue.pause();
  queue.add([upload("two"), upload("three")]);
  assert.deepEqual(
    queue.cancel().map(({ name }) => name),
    ["two.jpg", "three.jpg"],
  );
  assert.deepEqual(states(queue), ["done"]);
  assert.ok(queue.uploads.every(isOver));
  queue.clear();
  assert.deepEqual(queue.uploads, []);
});
