// Rows of photos.

import assert from "node:assert/strict";
import test from "node:test";

import { justify, lastAtMost, rowTarget, tileRatio, USUAL_RATIO } from "../../www/js/core/layout.js";

const GAP = 4;
/** The widths of a row's photos and the gaps between them, together. */
const rowWidth = (ratios, rows, row) => {
  let width = 0;
  for (let at = rows.starts[row]; at < rows.starts[row + 1]; at += 1) width += ratios[at] * rows.heights[row];
  return width + GAP * (rows.starts[row + 1] - rows.starts[row] - 1);
};
/** Numbers that look random and are the same each time. */
function* numbers(seed) {
  for (let value = seed; ; value = (value * 1_103_515_245 + 12_345) % 2_147_483_648) yield value / 2_147_483_648;
}

test("every row but the last is exactly as wide as there is room, and no photo is lost", () => {
  for (const width of [320, 768, 1_440, 3_840]) {
    const random = numbers(width);
    const ratios = Array.from({ length: 500 }, () => 0.45 + random.next().value * 2.5);
    const rows = justify(ratios, width, rowTarget(width), GAP);
    assert.equal(rows.starts[0], 0);
    assert.equal(rows.starts.at(-1), 500);
    for (let row = 0; row < rows.heights.length; row += 1) {
      assert.ok(rows.starts[row + 1] > rows.starts[row], "a row has a photo");
      if (row < rows.heights.length - 1) assert.ok(Math.abs(rowWidth(ratios, rows, row) - width) < 0.5, `row ${row} at ${width}`);
      else assert.ok(rowWidth(ratios, rows, row) < width + 0.5);
    }
  }
});

test("rows stand below each other with a gap between them", () => {
  const rows = justify(Array(40).fill(1.5), 1_000, 200, GAP);
  for (let row = 1; row < rows.heights.length; row += 1) {
    assert.ok(Math.abs(rows.tops[row] - rows.tops[row - 1] - rows.heights[row - 1] - GAP) < 0.01);
  }
  assert.ok(Math.abs(rows.tops.at(-1) - rows.tops.at(-2) - rows.heights.at(-1)) < 0.01);
});

test("heights stay near the target", () => {
  const random = numbers(7);
  const ratios = Array.from({ length: 1_000 }, () => [0.667, 0.75, 1, 1.333, 1.5, 1.778][Math.floor(random.next().value * 6)]);
  const { heights } = justify(ratios, 1_200, 200, GAP);
  assert.ok(heights.slice(0, -1).every((height) => height > 150 && height < 270));
});

test("the last row is no higher than the target", () => {
  assert.equal(justify([1.5], 1_000, 200, GAP).heights[0], 200);
  assert.deepEqual([...justify([], 1_000, 200, GAP).tops], [0]);
});

test("strips of 1 × 10,000 and 10,000 × 1 pixels are shown cut", () => {
  assert.equal(tileRatio(1, 10_000), 0.45);
  assert.equal(tileRatio(10_000, 1), 3);
  assert.equal(tileRatio(undefined, undefined), USUAL_RATIO);
  const { heights, starts } = justify([3, 0.45, 3], 300, 116, GAP);
  assert.ok(
    heights.every((height) => height >= 80),
    String(heights),
  );
  assert.equal(starts.at(-1), 3);
});

test("a phone and a wall of screens show about as many photos", () => {
  for (const [width, height] of [
    [320, 640],
    [1_440, 900],
    [3_840, 2_160],
  ]) {
    const target = rowTarget(width);
    const inSight = (width / (target * USUAL_RATIO)) * (height / target);
    assert.ok(inSight > 5 && inSight < 60, `${inSight} at ${width}`);
  }
});

test("the last value that is at most that sought", () => {
  assert.deepEqual(
    [-1, 0, 9, 10, 11, 99].map((sought) => lastAtMost([0, 10, 20], sought)),
    [0, 0, 0, 1, 1, 2],
  );
});
