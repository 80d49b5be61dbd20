// The keys of the grid: arrows move between photos, x and the space bar select, and so on.

import { lastAtMost } from "../core/layout.js";
import { onKeys } from "../keys.js";

export class GridKeys {
  /** @param {import("./photo-grid.js").PhotoGrid} grid */
  constructor(grid) {
    this.grid = grid;
    const { selection, signal } = grid;
    /** @type {Record<string, (event: KeyboardEvent) => any>} */
    const keys = {
      ArrowRight: (event) => this.#move(1, event),
      ArrowLeft: (event) => this.#move(-1, event),
      ArrowDown: (event) => this.#moveRow(1, event),
      ArrowUp: (event) => this.#moveRow(-1, event),
      x: () => this.#toggle(),
      "Ctrl+a": () => grid.selectAll(),
      Escape: () => (selection.size ? selection.clear() : false),
    };
    onKeys(keys, { signal, layer: "view" });
    grid.body.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== " " || !(event.target instanceof HTMLAnchorElement)) return;
      event.preventDefault();
      this.#toggle();
    });
    grid.body.addEventListener("focusin", (/** @type {FocusEvent} */ event) => {
      const id = /** @type {Element} */ (event.target).closest("[data-id]")?.getAttribute("data-id");
      const place = id ? grid.list.find(id) : undefined;
      if (place) grid.current = place;
    });
  }

  /** The photo with the focus is not on the page any more. */
  lostFocus() {
    // The next arrow brings it, or what has come into its place, back.
    this.hasLostFocus = true;
  }

  /** Whether a photo of the grid has the focus. */
  get hasFocus() {
    return this.grid.body.contains(document.activeElement);
  }

  #toggle() {
    const photo = this.hasFocus ? this.grid.list.at(this.grid.current) : undefined;
    if (!photo) return false;
    this.grid.selection.toggle(photo.id);
    return true;
  }

  /** @param {number} step @param {KeyboardEvent} event */
  #move(step, event) {
    const { grid } = this;
    const { list } = grid;
    if (!list.total) return false;
    if (!this.hasFocus && !this.hasLostFocus) return this.#enter(event);
    const at = Math.min(list.total - 1, Math.max(0, list.flatten(grid.current) + step));
    return this.#go(list.unflatten(at), event);
  }

  /** @param {number} step @param {KeyboardEvent} event */
  #moveRow(step, event) {
    const { grid } = this;
    const { list, current } = grid;
    if (!list.total || (!this.hasFocus && !this.hasLostFocus)) return false;
    const middle = this.#middle(current);
    const rows = grid.rows[current.section];
    const row = lastAtMost(rows.starts.subarray(0, -1), current.index) + step;
    let section = current.section;
    let wanted = row;
    if (row < 0) {
      section -= 1;
      wanted = (grid.rows[section]?.heights.length ?? 0) - 1;
    } else if (row >= rows.heights.length) {
      section += 1;
      wanted = 0;
    }
    if (!grid.rows[section]) return true;
    const { starts } = grid.rows[section];
    let best = starts[wanted];
    for (let index = starts[wanted]; index < starts[wanted + 1]; index += 1) {
      if (Math.abs(this.#middle({ section, index }) - middle) < Math.abs(this.#middle({ section, index: best }) - middle)) best = index;
    }
    return this.#go({ section, index: best }, event);
  }

  /** The middle of a photo, from the left edge of the grid. @param {import("../core/photo-list.js").Place} place */
  #middle({ section, index }) {
    const rows = this.grid.rows[section];
    const row = lastAtMost(rows.starts.subarray(0, -1), index);
    const { ratios } = this.grid.list.sections[section];
    let before = 0;
    for (let at = rows.starts[row]; at < index; at += 1) before += ratios[at];
    return (before + ratios[index] / 2) * rows.heights[row];
  }

  /** Into the grid: to the photo that had the focus last, if it is in sight, or to the first that is. @param {KeyboardEvent} event */
  #enter(event) {
    const { grid } = this;
    const top = grid.topOf(grid.list.unflatten(grid.list.flatten(grid.current))) + grid.offset;
    if (top < scrollY || top > scrollY + innerHeight) grid.current = grid.placeAt(scrollY + 120 - grid.offset);
    return this.#go(grid.current, event);
  }

  /** @param {import("../core/photo-list.js").Place} place @param {KeyboardEvent} event */
  async #go(place, event) {
    const { grid } = this;
    const before = grid.list.at(grid.current);
    this.hasLostFocus = false;
    grid.reveal(place);
    if (!grid.list.at(place)) {
      await grid.list.need(place, place);
      grid.reveal(place);
    }
    const photo = grid.list.at(place);
    if (event.shiftKey && photo) {
      if (!grid.selection.size && before) grid.selection.toggle(before.id);
      await grid.selectTo(photo.id);
    }
  }
}
