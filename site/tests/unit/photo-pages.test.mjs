// Photos that come page by page.

import assert from "node:assert/strict";
import test from "node:test";

import { PhotoPages } from "../../www/js/core/photo-pages.js";

function pages(count, { emptyEvery = 0 } = {}) {
  let requests = 0;
  const list = new PhotoPages(async ({ after, limit }) => {
    requests += 1;
    const start = Number(after ?? 0);
    if (emptyEvery && requests % emptyEvery === 0) return { items: [], next: String(start) };
    const items = Array.from({ length: Math.min(limit, count - start) }, (_, at) => ({ id: `p${start + at}`, width: 3, height: 2 }));
    return { items, next: start + limit < count ? String(start + limit) : null };
  });
  return { list, requests: () => requests };
}
const ids = (list) => list.sections.flatMap((section) => section.photos.map((photo) => photo.id));

test("pages are loaded as far as they are needed", async () => {
  const { list, requests } = pages(350);
  await list.need({ section: 0, index: 0 }, { section: 0, index: 120 });
  assert.deepEqual([requests(), list.total, list.isOpen], [2, 200, true]);
  await list.all();
  assert.deepEqual([requests(), list.total, list.isOpen], [4, 350, false]);
});

test("only a page without a next one ends the list, be it ever so short", async () => {
  const { list } = pages(250, { emptyEvery: 2 });
  await list.all();
  assert.equal(list.total, 250);
  const none = pages(0).list;
  await none.all();
  assert.deepEqual([none.total, none.isOpen], [0, false]);
});

test("those who ask at the same moment ask once", async () => {
  const { list, requests } = pages(100);
  await Promise.all([list.need({ section: 0, index: 0 }, { section: 0, index: 1 }), list.need({ section: 0, index: 0 }, { section: 0, index: 90 })]);
  assert.equal(requests(), 1);
});

test("what is taken out and put back stands before what it stood before", async () => {
  const { list } = pages(6);
  await list.all();
  const followers = new Map([
    ["p1", "p2"],
    ["p2", "p3"],
    ["p5", undefined],
  ]);
  const removed = list.remove(["p1", "p2", "p5"]);
  assert.deepEqual(ids(list), ["p0", "p3", "p4"]);
  list.insert(removed, followers);
  assert.deepEqual(ids(list), ["p0", "p1", "p2", "p3", "p4", "p5"]);
});

test("a list that was emptied can be filled again", async () => {
  const { list } = pages(2);
  await list.all();
  const removed = list.remove(["p0", "p1"]);
  assert.equal(list.total, 0);
  list.insert(
    removed,
    new Map([
      ["p0", "p1"],
      ["p1", undefined],
    ]),
  );
  assert.deepEqual(ids(list), ["p0", "p1"]);
});

test("photos move before another one, together and in their order", async () => {
  const { list } = pages(6);
  await list.all();
  list.move(["p4", "p1"], "p3");
  assert.deepEqual(ids(list), ["p0", "p2", "p1", "p4", "p3", "p5"]);
  list.move(["p0"], undefined);
  assert.deepEqual(ids(list), ["p2", "p1", "p4", "p3", "p5", "p0"]);
});
