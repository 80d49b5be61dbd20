// The hash that names a file before it is uploaded.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { Sha256, sha256 } from "../../www/js/core/sha256.js";

const expected = (bytes) => createHash("sha256").update(bytes).digest("hex");
const bytes = (length) => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255);

test("hashes of every length around a block equal those of a known implementation", () => {
  for (let length = 0; length <= 200; length += 1) {
    assert.equal(new Sha256().update(bytes(length)).hex(), expected(bytes(length)), `${length} bytes`);
  }
});

test("pieces of any size give the hash of the whole", () => {
  const whole = bytes(10_000);
  for (const size of [1, 3, 63, 64, 65, 1_000]) {
    const hash = new Sha256();
    for (let at = 0; at < whole.length; at += size) hash.update(whole.subarray(at, at + size));
    assert.equal(hash.hex(), expected(whole), `pieces of ${size}`);
  }
});

test("a file is read piece by piece", async () => {
  const whole = bytes((2 << 20) + 17);
  const read = [];
  const file = {
    size: whole.length,
    slice(from, to) {
      read.push([from, to]);
      return new Blob([whole.subarray(from, to)]);
    },
  };
  assert.equal(await sha256(file), expected(whole));
  assert.deepEqual(read, [
    [0, 1 << 20],
    [1 << 20, 2 << 20],
    [2 << 20, 3 << 20],
  ]);
});
