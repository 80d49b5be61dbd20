// The parts of a search.

import assert from "node:assert/strict";
import test from "node:test";

import { chipsOf, quoted, typed, without } from "../../www/js/core/search-query.js";

const texts = (query) => chipsOf(query).map((chip) => chip.text);

test("a search falls into words, fields and what stands in quotes", () => {
  assert.deepEqual(texts('lake  -rain tag:"new york" in:Summer'), ["lake", "-rain", 'tag:"new york"', "in:Summer"]);
  assert.deepEqual(texts('tag:"say \\"hi\\" now" x'), ['tag:"say \\"hi\\" now"', "x"]);
  assert.deepEqual(texts('"not closed yet'), ['"not closed yet']);
  assert.deepEqual(texts("   "), []);
});

test("what OR joins is one part", () => {
  assert.deepEqual(texts("lake OR sea OR tag:beach sun"), ["lake OR sea OR tag:beach", "sun"]);
  assert.deepEqual(texts("lake OR"), ["lake"]);
});

test("a part can be taken out", () => {
  const query = 'lake  -rain tag:"new york"';
  assert.deepEqual(
    chipsOf(query).map((chip) => without(query, chip)),
    ['-rain tag:"new york"', 'lake tag:"new york"', "lake -rain"],
  );
});

test("what is being typed is the word at the end", () => {
  assert.deepEqual(typed("lake tag:be"), { start: 5, minus: "", field: "tag", value: "be" });
  assert.deepEqual(typed('x -tag:"new yo'), { start: 2, minus: "-", field: "tag", value: "new yo" });
  assert.deepEqual(typed("bea"), { start: 0, minus: "", field: "", value: "bea" });
  assert.deepEqual(typed("lake "), { start: 5, minus: "", field: "", value: "" });
});

test("a value is written so that it is read as one", () => {
  assert.deepEqual(["beach", "東京", "new york", 'say "hi"', "a\\b", "a:b"].map(quoted), [
    "beach",
    "東京",
    '"new york"',
    '"say \\"hi\\""',
    '"a\\\\b"',
    '"a:b"',
  ]);
  for (const value of ["new york", 'say "hi"', "a\\b", "OR"]) assert.equal(chipsOf(`tag:${quoted(value)} x`).length, 2, value);
});
