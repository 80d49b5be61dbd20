// Where each photo of a section stands: rows that fill the width, each photo in its own proportions.

/** What a photo is taken for, width by height, until it is known. */
export const USUAL_RATIO = 1.4;

/** Photos beyond these are shown cut: a strip of 10,000 × 1 pixels would be a row of its own, a line high. */
const NARROWEST = 0.45;
const WIDEST = 3;

/**
 * The proportions that a photo has in the grid.
 * @param {number | null | undefined} width
 * @param {number | null | undefined} height
 */
export function tileRatio(width, height) {
  if (!width || !height) return USUAL_RATIO;
  return Math.min(WIDEST, Math.max(NARROWEST, width / height));
}

/**
 * @typedef {object} Rows of one section
 * @property {Uint32Array} starts the first photo of each row, and behind them the number of photos
 * @property {Float32Array} tops of each row, in pixels from the first row's, and behind them the height of all
 * @property {Float32Array} heights of each row's photos, in pixels
 */

/**
 * Fills rows: each takes photos as long as it would be higher than the target, and is then exactly as wide as there is room. What is left for
 * the last row stays as high as the target.
 * @param {ArrayLike<number>} ratios width by height, of each photo
 * @param {number} width of a row, in pixels
 * @param {number} target the height of a row to aim at, in pixels
 * @param {number} gap between photos and between rows, in pixels
 * @returns {Rows}
 */
export function justify(ratios, width, target, gap) {
  /** @type {number[]} */
  const starts = [];
  /** @type {number[]} */
  const tops = [];
  /** @type {number[]} */
  const heights = [];
  let top = 0;
  let from = 0;
  let sum = 0;
  for (let at = 0; at < ratios.length; at += 1) {
    const before = sum;
    sum += ratios[at];
    const gaps = gap * (at - from);
    if (sum * target + gaps < width && at < ratios.length - 1) continue;
    // Whether the row comes nearer to the target with this photo, or without it.
    const height = (width - gaps) / sum;
    const without = before > 0 ? (width - gaps + gap) / before : Number.POSITIVE_INFINITY;
    const isFull = sum * target + gaps >= width;
    if (isFull && without - target < target - height) {
      add(without, from, at);
      from = at;
      sum = ratios[at];
      if (at === ratios.length - 1) add(Math.min(target, width / sum), from, at + 1);
    } else {
      add(isFull ? height : Math.min(target, height), from, at + 1);
      from = at + 1;
      sum = 0;
    }
  }
  return {
    starts: Uint32Array.from([...starts, ratios.length]),
    tops: Float32Array.from([...tops, Math.max(0, top - gap)]),
    heights: Float32Array.from(heights),
  };

  /** @param {number} height @param {number} first @param {number} end */
  function add(height, first, end) {
    if (first === end) return;
    starts.push(first);
    tops.push(top);
    heights.push(height);
    top += height + gap;
  }
}

/**
 * The height of a row to aim at: about as many photos on any screen.
 * @param {number} width of the grid, in pixels
 */
export const rowTarget = (width) => Math.min(360, Math.max(116, 88 + width * 0.085));

/**
 * The last place whose value is at most that sought, among ascending values.
 * @param {ArrayLike<number>} values
 * @param {number} sought
 * @returns {number} 0 if all are greater
 */
export function lastAtMost(values, sought) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle] <= sought) low = middle;
    else high = middle - 1;
  }
  return low;
}
