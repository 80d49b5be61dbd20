// One photo in the grid. Hundreds are made while somebody scrolls: what happens to them is heard by the grid, not by each.

import { get } from "../api.js";
import { nameOf } from "../core/photo-list.js";
import { averageColour } from "../core/placeholder.js";
import { h, setStyle } from "../dom.js";
import { localDay, t } from "../i18n.js";
import { icon } from "../icons.js";

/** Thumbnails that come sooner than this need no blurred picture before them. */
const BLUR_AFTER_MS = 120;

/** @param {number} width in pixels */
export const skeletonTile = (width) => h("div", { class: "tile skeleton", style: { width: `${width}px` } });

export class Tile {
  /**
   * @param {import("../core/photo-list.js").Photo} photo
   * @param {import("./photo-grid.js").PhotoGrid} grid
   */
  constructor(photo, grid) {
    this.photo = photo;
    this.grid = grid;
    this.triedAnew = false;
    this.isSelected = false;
    /** @type {string | undefined} */
    this.source = undefined;
    /** @type {string | undefined} */
    this.name = undefined;
    this.image = h("img", { decoding: "async", draggable: "false" });
    this.link = h("a", { href: `#/photos/${photo.id}`, draggable: "false", tabindex: -1 }, this.image);
    this.box = h("input", { type: "checkbox", class: "check", tabindex: -1, value: photo.id });
    this.element = h("div", { class: "tile", "data-id": photo.id, draggable: grid.dragged ? "true" : undefined }, this.link, this.box);
  }

  /** @param {import("../core/photo-list.js").Photo} photo @param {number} width in pixels */
  show(photo, width) {
    this.photo = photo;
    this.element.style.width = `${width}px`;
    this.refresh();
  }

  /** Shows what is known of the photo now. */
  refresh() {
    const { photo } = this;
    const name = nameOf(photo);
    if (this.source !== photo.urls?.thumbnail) {
      this.source = photo.urls?.thumbnail;
      this.image.src = this.source ?? "";
      this.link.style.background = averageColour(photo.placeholder);
      this.#blur();
    }
    if (this.name !== name) {
      this.name = name;
      this.image.alt = name;
      this.box.setAttribute("aria-label", t("selection.select", { name }));
    }
    if (photo.favourite && !this.star) {
      this.star = h("span", { class: "mark filled" }, icon("star"));
      this.element.append(this.star);
    }
    if (this.star) this.star.hidden = !photo.favourite;
    this.showSelected();
  }

  showSelected() {
    const isSelected = this.grid.selection.has(this.photo.id);
    if (isSelected !== this.isSelected) this.element.classList.toggle("selected", isSelected);
    this.isSelected = isSelected;
    this.box.checked = isSelected;
  }

  /** Says when it was taken, to whoever points at it. */
  explain() {
    const { takenAt } = this.photo;
    this.link.title = takenAt ? `${nameOf(this.photo)}\n${localDay(takenAt)}` : nameOf(this.photo);
  }

  /** A blurred picture until the thumbnail has come. */
  #blur() {
    const { placeholder } = this.photo;
    if (!placeholder) return;
    setTimeout(async () => {
      if (this.image.complete || !this.element.isConnected) return;
      const { blurred } = await import("./blurred.js");
      if (!this.image.complete && this.element.isConnected) setStyle(this.link, { backgroundImage: blurred(placeholder), backgroundSize: "100% 100%" });
    }, BLUR_AFTER_MS);
  }

  /** The thumbnail has come. */
  loaded() {
    this.element.classList.remove("broken");
    this.link.style.background = "";
  }

  /** The thumbnail did not come. Addresses of pictures end after some hours: a new one is asked for, once. */
  async failed() {
    if (this.triedAnew || !this.source) {
      this.element.classList.add("broken");
      return;
    }
    this.triedAnew = true;
    try {
      const photo = await get(`/photos/${this.photo.id}`);
      this.source = undefined;
      this.grid.list.update(photo);
    } catch {
      this.element.classList.add("broken");
    }
  }
}
