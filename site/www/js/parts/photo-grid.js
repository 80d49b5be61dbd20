// A grid of photos that loads more as one scrolls, with a selection and what can be done to it.

import { get, query } from "../api.js";
import { averageColour } from "../core/placeholder.js";
import { count, month } from "../core/text.js";
import { h } from "../dom.js";
import { empty } from "./states.js";

/**
 * @param {object} options
 * @param {string} options.path the list, such as `/photos`
 * @param {Record<string, any>} [options.parameters]
 * @param {boolean} [options.months] whether a heading stands before each month
 * @param {any[]} options.whenEmpty what to say of an empty list
 * @param {[string, (ids: string[], grid: Grid) => Promise<any>][]} options.actions what can be done to a selection
 * @param {AbortSignal} options.signal ends loading when the view is left
 */
export async function photoGrid(options) {
  const grid = new Grid(options);
  await grid.more();
  return grid.element;
}

class Grid {
  constructor({ path, parameters = {}, months = false, whenEmpty, actions, signal }) {
    Object.assign(this, { path, parameters, months, whenEmpty, signal });
    this.next = undefined;
    this.over = false;
    this.selected = new Set();
    this.list = undefined;
    this.lastMonth = undefined;
    this.body = h("div");
    this.sentinel = h("div", { class: "sentinel" });
    this.bar = this.#selectionBar(actions);
    this.element = h("div", {}, this.bar, this.body, this.sentinel);
    const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && this.more(), { rootMargin: "1200px" });
    observer.observe(this.sentinel);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  /** Loads the next page, and more of them while they come empty: only `next: null` ends a list. */
  async more() {
    if (this.over || this.loading) return;
    this.loading = true;
    try {
      let page;
      do {
        const after = this.next ?? undefined;
        page = await get(query(this.path, { ...this.parameters, limit: 100, after }), { signal: this.signal });
        page.items.forEach((photo) => this.#add(photo));
        this.next = page.next;
      } while (page.next && page.items.length === 0);
      this.over = !page.next;
      this.#sayIfEmpty();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      this.loading = false;
    }
    const below = this.sentinel.getBoundingClientRect();
    if (!this.over && this.sentinel.isConnected && below.top < innerHeight + 1200) await this.more();
  }

  /** Takes photos out of the grid after something was done to them. */
  drop(ids) {
    for (const id of ids) this.body.querySelector(`[data-id="${CSS.escape(id)}"]`)?.remove();
    for (const list of this.body.querySelectorAll(".grid:empty")) {
      list.previousElementSibling?.remove();
      list.remove();
      this.list = undefined;
      this.lastMonth = undefined;
    }
    this.select([]);
    this.#sayIfEmpty();
  }

  select(ids) {
    this.selected = new Set(ids);
    for (const box of this.body.querySelectorAll("input")) box.checked = this.selected.has(box.value);
    this.#showBar();
  }

  #add(photo) {
    const heading = this.months ? month(photo.takenAt ?? photo.createdAt) : "";
    if (!this.list || heading !== this.lastMonth) {
      this.lastMonth = heading;
      this.list = h("ul", { class: "grid" });
      this.body.append(...(heading ? [h("h2", { class: "month" }, heading)] : []), this.list);
    }
    this.list.append(this.#tile(photo));
  }

  #tile(photo) {
    const ratio = Math.min(3, Math.max(0.4, photo.width / photo.height || 1));
    const name = photo.title || photo.fileName;
    const tick = (event) => {
      if (event.target.checked) this.selected.add(photo.id);
      else this.selected.delete(photo.id);
      this.#showBar();
    };
    const style = { flex: `${ratio} 0 calc(200px * ${ratio})`, background: averageColour(photo.placeholder) };
    return h(
      "li",
      { class: "tile", style, "data-id": photo.id },
      h("a", { href: `#/photos/${photo.id}` }, h("img", { src: photo.urls?.thumbnail, alt: name, loading: "lazy", decoding: "async" })),
      h("input", { type: "checkbox", value: photo.id, "aria-label": `Select ${name}`, onchange: tick }),
      photo.favourite && h("span", { class: "mark", "aria-label": "Favourite" }, "★"),
    );
  }

  #selectionBar(actions) {
    this.number = h("strong", { "aria-live": "polite" });
    const buttons = actions.map(([text, act]) => h("button", { type: "button", onclick: () => act([...this.selected], this) }, text));
    return h("div", { class: "selection", hidden: true }, this.number, buttons, h("button", { type: "button", onclick: () => this.select([]) }, "Clear"));
  }

  #showBar() {
    this.bar.hidden = this.selected.size === 0;
    this.number.textContent = `${count(this.selected.size, "photo", "photos")} selected`;
    this.element.classList.toggle("selecting", this.selected.size > 0);
  }

  #sayIfEmpty() {
    const none = this.over && !this.body.querySelector(".tile");
    if (none) this.body.replaceChildren(empty(...this.whenEmpty));
  }
}
