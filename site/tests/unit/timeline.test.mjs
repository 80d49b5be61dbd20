// The timeline: which photos are asked for, and what becomes of the months.

import assert from "node:assert/strict";
import test from "node:test";

import { monthAfter, Timeline } from "../../www/js/core/timeline.js";

/** A gallery of photos, so many a month, that answers pages as the API does. */
function gallery(months) {
  const photos = Object.entries(months)
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .flatMap(([month, count]) => Array.from({ length: count }, (_, at) => photoOf(month, count - at)));
  const requests = [];
  const load = async ({ before, after, limit }) => {
    requests.push({ before, after });
    const start = after === undefined ? photos.findIndex((photo) => photo.takenAt < before) : Number(after);
    const items = start < 0 ? [] : photos.slice(start, start + limit);
    return { items, next: start >= 0 && start + limit < photos.length ? String(start + limit) : null };
  };
  const list = new Timeline(load);
  list.setMonths(
    Object.entries(months)
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([month, count]) => ({ month, photos: count })),
  );
  return { list, photos, requests };
}

const photoOf = (month, number) => ({
  id: `${month}-${String(number).padStart(5, "0")}`,
  takenAt: `${month}-01T${String(Math.floor(number / 3600)).padStart(2, "0")}:${String(Math.floor(number / 60) % 60).padStart(2, "0")}:${String(number % 60).padStart(2, "0")}`,
  createdAt: "2030-01-01T00:00:00Z",
  width: 300,
  height: 200,
});
const ids = (list) => list.sections.flatMap((section) => section.photos.map((photo) => photo?.id));

test("a month in the middle is asked for by itself", async () => {
  const { list, photos, requests } = gallery({ "2024-03": 150, "2024-02": 150, "2024-01": 150 });
  await list.need({ section: 1, index: 0 }, { section: 1, index: 10 });
  assert.deepEqual(requests, [{ before: "2024-03", after: undefined }]);
  assert.equal(list.at({ section: 1, index: 0 }).id, photos[150].id);
  assert.equal(list.at({ section: 0, index: 0 }), undefined);
});

test("one page serves all the small months that it leads through", async () => {
  const { list, photos, requests } = gallery(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`20${String(10 + at)}-05`, 3])));
  await list.need({ section: 0, index: 0 }, { section: 29, index: 2 });
  assert.equal(requests.length, 1);
  assert.deepEqual(
    ids(list),
    photos.map((photo) => photo.id),
  );
});

test("a large month is loaded page by page, as far as it is looked at, and each photo once", async () => {
  const { list, photos, requests } = gallery({ "2024-02": 30, "2024-01": 950 });
  await list.need({ section: 1, index: 0 }, { section: 1, index: 250 });
  assert.equal(requests.length, 3);
  await Promise.all([list.need({ section: 1, index: 0 }, { section: 1, index: 949 }), list.need({ section: 0, index: 0 }, { section: 1, index: 949 })]);
  assert.deepEqual(
    ids(list),
    photos.map((photo) => photo.id),
  );
  assert.equal(requests.length, 11);
});

test("a month that turned out larger or smaller than it was said to be is made to fit", async () => {
  const { list, photos } = gallery({ "2024-03": 5, "2024-02": 5, "2024-01": 5 });
  list.setMonths([
    { month: "2024-03", photos: 3 },
    { month: "2024-02", photos: 8 },
    { month: "2024-01", photos: 5 },
  ]);
  await list.need({ section: 0, index: 0 }, { section: 2, index: 4 });
  assert.deepEqual(
    list.sections.map((section) => section.count),
    [5, 5, 5],
  );
  assert.deepEqual(
    ids(list),
    photos.map((photo) => photo.id),
  );
});

test("a month without photos is dropped", async () => {
  const { list } = gallery({ "2024-03": 5, "2024-01": 5 });
  list.setMonths([
    { month: "2024-03", photos: 5 },
    { month: "2024-02", photos: 4 },
    { month: "2024-01", photos: 5 },
  ]);
  await list.need({ section: 1, index: 0 }, { section: 1, index: 3 });
  assert.deepEqual(
    list.sections.map((section) => section.key),
    ["2024-03", "2024-01"],
  );
});

test("what is taken out and put back stands where it stood", async () => {
  const { list } = gallery({ "2024-03": 5, "2024-02": 1, "2024-01": 5 });
  await list.need({ section: 0, index: 0 }, { section: 2, index: 4 });
  const before = ids(list);
  const removed = list.remove([before[0], before[2], before[5], before[10]]);
  assert.deepEqual(
    list.sections.map((section) => section.count),
    [3, 4],
    "the month of one photo is gone with it",
  );
  list.insert(removed);
  assert.deepEqual(ids(list), before);
  assert.deepEqual(
    list.sections.map((section) => section.count),
    [5, 1, 5],
  );
});

test("what is put back into a month that is loaded in part comes with the rest", async () => {
  const { list, photos } = gallery({ "2024-01": 250 });
  await list.need({ section: 0, index: 0 }, { section: 0, index: 10 });
  const [first] = list.remove([photos[3].id]);
  list.insert([first]);
  assert.equal(list.total, 250);
  await list.need({ section: 0, index: 0 }, { section: 0, index: 249 });
  assert.deepEqual(
    ids(list),
    photos.map((photo) => photo.id),
  );
});

test("photos that nobody looks at are let go, keep their proportions, and come again", async () => {
  const { list, photos } = gallery(Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`${2000 + at}-05`, 100])));
  for (let section = 0; section < 60; section += 1) {
    await list.need({ section, index: 0 }, { section, index: 99 });
    list.touch(section, section);
  }
  const kept = list.sections.reduce((sum, section) => sum + section.photos.length, 0);
  assert.ok(kept <= 4_000, `${kept} are kept`);
  assert.equal(list.at({ section: 0, index: 0 }), undefined);
  assert.equal(list.sections[0].ratios[0], 1.5);
  assert.equal(list.total, 6_000);
  await list.need({ section: 0, index: 0 }, { section: 0, index: 99 });
  assert.equal(list.at({ section: 0, index: 99 }).id, photos[99].id);
});

test("a month that is let go while it is loaded has no holes", async () => {
  let answer;
  const { list, photos } = gallery({ "2024-01": 300 });
  const { load } = list;
  await list.need({ section: 0, index: 0 }, { section: 0, index: 0 });
  list.load = (parameters) => new Promise((resolve) => (answer = async () => resolve(await load(parameters))));
  const wanted = list.need({ section: 0, index: 0 }, { section: 0, index: 150 });
  list.letGo(list.sections[0]);
  list.load = load;
  await answer();
  await wanted;
  assert.deepEqual(
    ids(list),
    photos.slice(0, 200).map((photo) => photo.id),
  );
});

test("photos and places are counted across months", () => {
  const { list } = gallery({ "2024-03": 5, "2024-02": 1, "2024-01": 5 });
  for (let before = 0; before < 11; before += 1) assert.equal(list.flatten(list.unflatten(before)), before);
  assert.deepEqual(list.unflatten(5), { section: 1, index: 0 });
});

test("months that have not changed keep their photos when they are counted anew", async () => {
  const { list } = gallery({ "2024-02": 5, "2024-01": 5 });
  await list.need({ section: 0, index: 0 }, { section: 1, index: 4 });
  list.setMonths([
    { month: "2024-02", photos: 6 },
    { month: "2024-01", photos: 5 },
  ]);
  assert.equal(list.at({ section: 0, index: 0 }), undefined);
  assert.ok(list.at({ section: 1, index: 4 }));
});

test("the month after December is in the next year", () => {
  assert.deepEqual(["2024-01", "2024-09", "2024-12", "0999-12"].map(monthAfter), ["2024-02", "2024-10", "2025-01", "1000-01"]);
});
