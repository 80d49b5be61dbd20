// The files of a drop, as the different browsers tell them.

import assert from "node:assert/strict";
import test from "node:test";

import { filesOf, isPhoto } from "../../www/js/core/dropped.js";

const handle = (name) => ({ kind: "file", getFile: async () => ({ name }) });
async function* folderOf(...children) {
  yield* children;
}
const folder = (...children) => ({ kind: "directory", values: () => folderOf(...children) });
const entry = (name) => ({ isFile: true, file: (resolve) => resolve({ name }) });
/** Tells its children in parts, as browsers do. */
const entries = (...parts) => ({ isFile: false, createReader: () => ({ readEntries: (resolve) => resolve(parts.shift() ?? []) }) });

async function found(...sources) {
  const files = [];
  for await (const { file, isInFolder } of filesOf(sources)) files.push(`${file.name}${isInFolder ? " in a folder" : ""}`);
  return files;
}

test("files and folders within folders are found, whatever the browser has to tell them by", async () => {
  const tree = folder(handle("a"), folder(handle("b"), folder()));
  assert.deepEqual(await found({ handle: Promise.resolve(tree) }, { handle: Promise.resolve(handle("c")) }), ["a in a folder", "b in a folder", "c"]);
  assert.deepEqual(await found({ entry: entries([entry("a")], [entries([entry("b")])]) }, { entry: entry("c") }), ["a in a folder", "b in a folder", "c"]);
  assert.deepEqual(await found({ file: { name: "a" } }, { file: null }), ["a"]);
});

test("what can be opened again is preferred to what cannot", async () => {
  const files = [];
  for await (const each of filesOf([{ handle: Promise.resolve(handle("a")), entry: entry("b"), file: { name: "c" } }])) files.push(each);
  assert.equal(files.length, 1);
  assert.equal(files[0].file.name, "a");
  assert.equal(files[0].handle.kind, "file");
});

test("photos are told by their type", () => {
  for (const type of ["image/jpeg", "image/png", "image/webp", "image/gif"]) assert.ok(isPhoto({ type }));
  for (const type of ["image/heic", "image/svg+xml", "text/plain", ""]) assert.ok(!isPhoto({ type }));
});
