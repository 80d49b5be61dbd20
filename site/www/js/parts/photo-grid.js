// Photos in rows that fill the width. Only the rows in sight, and a few around them, are on the page.

import { justify, lastAtMost, rowTarget } from "../core/layout.js";
import { Selection } from "../core/selection.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { toast } from "../toast.js";
import { GridKeys } from "./grid-keys.js";
import { listenToPointer } from "./grid-pointer.js";
import { skeletonTile, Tile } from "./tile.js";

const GAP = 4;
const HEADING = 52;
const BETWEEN_SECTIONS = 12;
/** The most that is kept ready above and below what is in sight, in pixels. */
const OVERSCAN = 500;
/** While somebody races past, nothing is loaded until they slow down. */
const QUIET_MS = 70;

/** @typedef {import("../core/photo-list.js").Place} Place */
/** @typedef {{ key: string, index: number, id?: string, offset: number }} Anchor a photo and how far below the top of the window it stands */

export class PhotoGrid extends EventTarget {
  /**
   * @param {import("../core/photo-list.js").PhotoList} list
   * @param {{ signal: AbortSignal, heading?: (key: string) => string, dragged?: (ids: string[], before: string | undefined) => any }} options
   *   `dragged` lets photos be moved among each other
   */
  constructor(list, { signal, heading, dragged }) {
    super();
    this.list = list;
    this.heading = heading;
    this.dragged = dragged;
    this.signal = signal;
    this.selection = new Selection();
    this.body = h("div", { class: "photo-grid" });
    this.element = this.body;
    /** @type {Map<string, HTMLElement>} rows and headings on the page */
    this.mounted = new Map();
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    /** @type {import("../core/layout.js").Rows[]} of each section */
    this.rows = [];
    /** @type {{ key: string, version: number, width: number }[]} what the rows were made of */
    this.made = [];
    /** The top of each section, and behind them the height of all. */
    this.tops = new Float64Array(1);
    /** @type {number | undefined} */
    this.frame = undefined;
    this.width = 0;
    this.offset = 0;
    this.lastY = 0;
    /** The anchor that the grid was last scrolled to, and where that was. @type {{ anchor: Anchor, y: number } | undefined} */
    this.held = undefined;
    /** The photo that the keys act upon. @type {Place} */
    this.current = { section: 0, index: 0 };
    this.#listen();
    this.keys = new GridKeys(this);
    listenToPointer(this);
  }

  /** Begins to show photos, where the grid was before if that is known. @param {{ anchor?: Anchor } | undefined} place */
  start(place) {
    this.#measure();
    this.#layOut();
    if (place?.anchor) this.#scrollToAnchor(place.anchor);
    this.render();
  }

  /** Where the grid is, to come back to. */
  place() {
    return { y: scrollY, anchor: this.#anchor() };
  }

  #listen() {
    const { signal } = this;
    addEventListener("scroll", () => this.#soon(), { signal, passive: true });
    const resized = new ResizeObserver(() => this.#resized());
    resized.observe(this.body);
    addEventListener("resize", () => this.#soon(), { signal });
    signal.addEventListener("abort", () => resized.disconnect());
    this.list.addEventListener("change", () => this.#changed(), { signal });
    this.list.addEventListener("photo", (event) => this.tiles.get(/** @type {CustomEvent} */ (event).detail)?.refresh(), { signal });
    this.selection.addEventListener("change", () => this.#showSelection());
  }

  /** Renders once a frame at most. */
  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (!this.signal.aborted) this.render();
    });
  }

  #resized() {
    if (this.body.clientWidth === this.width || !this.body.isConnected) return;
    const anchor = this.#anchor();
    this.#measure();
    this.#layOut();
    if (anchor) this.#scrollToAnchor(anchor);
    this.render();
  }

  #changed() {
    if (!this.body.isConnected) return;
    const anchor = this.#anchor();
    this.#layOut();
    if (anchor) this.#scrollToAnchor(anchor);
    this.render();
    this.dispatchEvent(new Event("change"));
  }

  #measure() {
    this.width = this.body.clientWidth;
    this.offset = this.body.getBoundingClientRect().top + scrollY;
  }

  /** Where everything stands. Sections that have not changed keep their rows. */
  #layOut() {
    const { sections } = this.list;
    const kept = new Map(this.made.map((made, at) => [made.key, { made, rows: this.rows[at] }]));
    const target = rowTarget(this.width);
    const head = this.heading ? HEADING : 0;
    this.tops = new Float64Array(sections.length + 1);
    this.rows = sections.map((section, at) => {
      const known = kept.get(section.key);
      const same = known && known.made.version === section.version && known.made.width === this.width && known.rows.starts.at(-1) === section.count;
      const rows = same ? known.rows : justify(section.ratios, this.width, target, GAP);
      this.tops[at + 1] = this.tops[at] + head + rows.tops[rows.tops.length - 1] + BETWEEN_SECTIONS;
      return rows;
    });
    this.made = sections.map(({ key, version }) => ({ key, version, width: this.width }));
    this.body.style.height = `${this.tops[sections.length]}px`;
  }

  /** The top of a photo's row, from the top of the grid. @param {Place} place */
  topOf({ section, index }) {
    const rows = this.rows[section];
    const row = lastAtMost(rows.starts.subarray(0, -1), index);
    return this.tops[section] + (this.heading ? HEADING : 0) + rows.tops[row];
  }

  /** The photo at a height of the grid: the first of its row. @param {number} y @returns {Place} */
  placeAt(y) {
    const section = Math.min(lastAtMost(this.tops, Math.max(0, y)), this.rows.length - 1);
    const rows = this.rows[section];
    if (!rows) return { section: 0, index: 0 };
    const row = lastAtMost(rows.tops.subarray(0, -1), y - this.tops[section] - (this.heading ? HEADING : 0));
    return { section, index: rows.starts[row] };
  }

  /** The first photo in sight. @returns {Anchor | undefined} none at the very top, which stays the top */
  #anchor() {
    if (scrollY <= this.offset || !this.made.length) return undefined;
    // As long as nobody scrolls, it stays the same one: of another in its row, changing rows would lead astray step by step.
    if (this.held && Math.abs(this.held.y - scrollY) < 2) return this.held.anchor;
    const edge = scrollY + headerHeight() - this.offset;
    const { section, index } = this.placeAt(edge);
    const { key } = this.made[section];
    const id = this.list.sections.find((known) => known.key === key)?.photos[index]?.id;
    return { key, index, id, offset: this.topOf({ section, index }) + this.offset - scrollY };
  }

  /** @param {Anchor} anchor */
  #scrollToAnchor(anchor) {
    const { key, index, id, offset } = anchor;
    const { sections } = this.list;
    let section = sections.findIndex((known) => known.key === key);
    // A month that is gone: the next earlier one has come into its place.
    if (section < 0) section = sections.findIndex((known) => known.key < key);
    if (section < 0) return;
    const found = id === undefined ? -1 : sections[section].photos.findIndex((photo) => photo?.id === id);
    const at = Math.min(found >= 0 ? found : index, sections[section].count - 1);
    const y = this.topOf({ section, index: at }) + this.offset - offset;
    if (Math.abs(y - scrollY) >= 1) scrollTo(0, y);
    this.held = { anchor, y: scrollY };
  }

  /** Brings a section to the top of the window. @param {number} section */
  scrollToSection(section) {
    scrollTo(0, section === 0 ? 0 : this.tops[section] + this.offset - headerHeight());
  }

  /** Puts the rows that can be seen on the page, and takes the others off. */
  render() {
    const { sections } = this.list;
    const over = Math.min(OVERSCAN, innerHeight / 2);
    const top = scrollY - this.offset - over;
    const bottom = scrollY - this.offset + innerHeight + over;
    /** @type {Map<string, () => HTMLElement>} */
    const wanted = new Map();
    /** @type {Map<string, number>} */
    const ys = new Map();
    const first = Math.min(lastAtMost(this.tops, Math.max(0, top)), sections.length - 1);
    const head = this.heading ? HEADING : 0;
    let last = first;
    for (let at = Math.max(0, first); at < sections.length && this.tops[at] < bottom; at += 1) {
      last = at;
      const section = sections[at];
      const rows = this.rows[at];
      if (this.heading && this.tops[at] + HEADING > top) {
        const key = `${section.key}#`;
        wanted.set(key, () => this.#heading(section.key));
        ys.set(key, this.tops[at]);
      }
      const start = this.tops[at] + head;
      const rowCount = rows.heights.length;
      for (let row = lastAtMost(rows.tops.subarray(0, -1), top - start); row < rowCount && start + rows.tops[row] < bottom; row += 1) {
        if (start + rows.tops[row] + rows.heights[row] < top) continue;
        const key = `${section.key}/${row}/${section.version}/${this.width}`;
        wanted.set(key, () => this.#row(at, row));
        ys.set(key, start + rows.tops[row]);
      }
    }
    this.#mount(wanted, ys);
    this.list.touch(first, last);
    this.#load(top, bottom);
  }

  /** @param {Map<string, () => HTMLElement>} wanted in order @param {Map<string, number>} ys */
  #mount(wanted, ys) {
    const { activeElement } = document;
    const focused =
      activeElement instanceof HTMLElement && this.body.contains(activeElement) ? activeElement.closest("[data-id]")?.getAttribute("data-id") : undefined;
    const old = this.mounted;
    /** @type {Map<string, HTMLElement>} */
    const mounted = new Map();
    /** @type {Element | null} */
    let next = this.body.firstElementChild;
    for (const [key, build] of wanted) {
      const element = old.get(key) ?? build();
      mounted.set(key, element);
      const y = `${ys.get(key)}px`;
      if (element.style.top !== y) element.style.top = y;
      if (next === element) next = next.nextElementSibling;
      else this.body.insertBefore(element, next);
    }
    for (const [key, element] of old) {
      if (mounted.has(key)) continue;
      element.remove();
    }
    this.mounted = mounted;
    for (const [id, tile] of this.tiles) if (!tile.element.isConnected) this.tiles.delete(id);
    if (focused && document.activeElement === document.body) {
      // What had the focus is drawn anew, or was scrolled away: the keys go on from there.
      const again = this.tiles.get(focused);
      if (again) again.link.focus({ preventScroll: true });
      else this.keys.lostFocus();
    }
  }

  /** @param {string} key */
  #heading(key) {
    const text = this.heading?.(key) ?? "";
    const box = h("input", { type: "checkbox", class: "check", "aria-label": t("selection.selectAllOf", { name: text }) });
    box.addEventListener("change", () => this.#selectSection(key, box.checked));
    return h("div", { class: "month", "data-key": key }, h("h2", {}, text), box);
  }

  /** @param {string} key @param {boolean} chosen */
  async #selectSection(key, chosen) {
    const section = this.list.sections.findIndex((known) => known.key === key);
    if (section < 0) return;
    const photos = await this.list.range({ section, index: 0 }, { section, index: this.list.sections[section].count - 1 });
    this.selection.set(
      photos.map((photo) => photo.id),
      chosen,
    );
  }

  /** @param {number} at the section @param {number} row */
  #row(at, row) {
    const section = this.list.sections[at];
    const { starts, heights } = this.rows[at];
    const height = heights[row];
    const element = h("div", { class: "grid-row", style: { height: `${height}px` } });
    for (let index = starts[row]; index < starts[row + 1]; index += 1) {
      const width = section.ratios[index] * height;
      const photo = section.photos[index];
      element.append(photo ? this.#tile(photo, { section: at, index }, width) : skeletonTile(width));
    }
    return element;
  }

  /** @param {import("../core/photo-list.js").Photo} photo @param {Place} place @param {number} width */
  #tile(photo, place, width) {
    let tile = this.tiles.get(photo.id);
    if (!tile) {
      tile = new Tile(photo, this);
      this.tiles.set(photo.id, tile);
    }
    tile.show(photo, width);
    const isCurrent = place.section === this.current.section && place.index === this.current.index;
    tile.link.tabIndex = isCurrent ? 0 : -1;
    return tile.element;
  }

  #showSelection() {
    this.body.classList.toggle("selecting", this.selection.size > 0);
    for (const tile of this.tiles.values()) tile.showSelected();
    this.#showSectionChecks();
  }

  #showSectionChecks() {
    for (const element of this.body.querySelectorAll(".month")) {
      const section = this.list.sections.find((known) => known.key === element.getAttribute("data-key"));
      const box = element.querySelector("input");
      if (!section || !box) continue;
      const chosen = this.selection.size ? section.photos.filter((photo) => photo && this.selection.has(photo.id)).length : 0;
      box.checked = chosen > 0 && chosen === section.count;
      box.indeterminate = chosen > 0 && chosen < section.count;
    }
  }

  /** Selects all photos from the last chosen one to this. @param {string} id */
  async selectTo(id) {
    const { anchor } = this.selection;
    const from = anchor === undefined ? undefined : this.list.find(anchor);
    const to = this.list.find(id);
    if (!from || !to) return this.selection.toggle(id);
    const isForward = this.list.flatten(from) <= this.list.flatten(to);
    const photos = await this.list.range(isForward ? from : to, isForward ? to : from);
    this.selection.set(
      photos.map((photo) => photo.id),
      true,
    );
    return undefined;
  }

  /** Selects every photo, loading those that are not there. */
  async selectAll() {
    const end = this.list.unflatten(this.list.total - 1);
    if (this.list.isOpen) end.index = Number.POSITIVE_INFINITY;
    if (this.list.total === 0) return;
    for (let section = 0; section < this.list.sections.length; section += 1) {
      if (this.signal.aborted) return;
      const isLast = section === this.list.sections.length - 1;
      const last = isLast ? end.index : this.list.sections[section].count - 1;
      const photos = await this.list.range({ section, index: 0 }, { section, index: Math.min(last, Number.MAX_SAFE_INTEGER) });
      this.selection.set(
        photos.map((photo) => photo.id),
        true,
      );
    }
  }

  /** Loads what is in sight, and what comes next. @param {number} top @param {number} bottom */
  #load(top, bottom) {
    const isRacing = Math.abs(scrollY - this.lastY) > innerHeight;
    this.lastY = scrollY;
    clearTimeout(this.timer);
    const load = () => {
      if (this.signal.aborted || !this.list.sections.length) return;
      const from = this.placeAt(top);
      const to = this.placeAt(bottom + innerHeight);
      to.index = Math.min(to.index + 12, this.list.sections[to.section].count - 1);
      if (this.list.isOpen && bottom + innerHeight > this.tops[this.tops.length - 1]) to.index += 100;
      this.#need(from, to);
    };
    if (isRacing) this.timer = window.setTimeout(load, QUIET_MS);
    else load();
  }

  /** @param {Place} from @param {Place} to */
  async #need(from, to) {
    this.wanted = { from, to };
    if (this.loading) return;
    this.loading = true;
    try {
      while (this.wanted && !this.signal.aborted) {
        const { from: first, to: last } = this.wanted;
        this.wanted = undefined;
        await this.list.need(first, last);
      }
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError" || this.signal.aborted) return;
      toast(/** @type {Error} */ (error).message, { label: t("common.retry"), act: () => this.render() });
    } finally {
      this.loading = false;
    }
  }

  /** Brings a photo into sight and gives it the focus. @param {Place} place @param {{ focus?: boolean }} [options] */
  reveal(place, { focus = true } = {}) {
    this.current = place;
    const top = this.topOf(place) + this.offset;
    const rows = this.rows[place.section];
    const height = rows.heights[lastAtMost(rows.starts.subarray(0, -1), place.index)];
    const above = headerHeight() + 8;
    if (top < scrollY + above) scrollTo(0, top - above - (this.heading && place.index === 0 ? HEADING : 0));
    else if (top + height > scrollY + innerHeight - 16) scrollTo(0, top + height - innerHeight + 80);
    this.render();
    for (const tile of this.tiles.values()) tile.link.tabIndex = -1;
    const photo = this.list.at(place);
    const tile = photo && this.tiles.get(photo.id);
    if (!tile) return;
    tile.link.tabIndex = 0;
    if (focus) tile.link.focus({ preventScroll: true });
  }

  /** The picture of a photo on the page. @param {string} id */
  thumbnail(id) {
    return this.tiles.get(id)?.image;
  }
}

/** What the header hides of the window, in pixels. */
function headerHeight() {
  return document.getElementById("header")?.offsetHeight ?? 0;
}
