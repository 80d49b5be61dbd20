// One photo in the grid.

import { get } from "../api.js";
import { averageColour } from "../core/placeholder.js";
import { nameOf } from "../core/photo-list.js";
import { h, setStyle } from "../dom.js";
import { localDay, t } from "../i18n.js";
import { icon } from "../icons.js";
import { openPhoto } from "../router.js";

const LONG_PRESS_MS = 450;
const STILL_PX = 10;

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
    this.image = h("img", { decoding: "async", draggable: "false", onload: () => this.#loaded(), onerror: () => this.#failed() });
    this.link = h("a", { href: `#/photos/${photo.id}`, draggable: "false", tabindex: -1 }, this.image);
    this.box = h("input", { type: "checkbox", class: "check", tabindex: -1, value: photo.id });
    this.star = h("span", { class: "mark filled" }, icon("star"));
    this.element = h("div", { class: "tile", "data-id": photo.id }, this.link, this.box, this.star);
    this.link.addEventListener("click", (/** @type {MouseEvent} */ event) => this.#pressed(event));
    this.box.addEventListener("click", (/** @type {MouseEvent} */ event) => this.#checked(event));
    this.#watchLongPress();
    if (grid.dragged) this.element.draggable = true;
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
      setStyle(this.link, { background: averageColour(photo.placeholder) });
      this.#blur();
    }
    this.image.alt = name;
    this.link.title = photo.takenAt ? `${name}\n${localDay(photo.takenAt)}` : name;
    this.box.setAttribute("aria-label", t("selection.select", { name }));
    this.star.hidden = !photo.favourite;
    this.showSelected();
  }

  showSelected() {
    const isSelected = this.grid.selection.has(this.photo.id);
    this.box.checked = isSelected;
    this.element.classList.toggle("selected", isSelected);
  }

  /** A blurred picture until the thumbnail has come, for those that take a while. */
  #blur() {
    const { placeholder } = this.photo;
    if (!placeholder) return;
    setTimeout(async () => {
      if (this.image.complete || !this.element.isConnected) return;
      const { blurred } = await import("./blurred.js");
      if (!this.image.complete && this.element.isConnected) setStyle(this.link, { backgroundImage: blurred(placeholder), backgroundSize: "100% 100%" });
    }, 120);
  }

  #loaded() {
    this.element.classList.remove("broken");
    setStyle(this.link, { background: "" });
  }

  /** Addresses of pictures end after some hours: a new one is asked for, once. */
  async #failed() {
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

  /** @param {MouseEvent} event */
  #pressed(event) {
    if (event.shiftKey) {
      event.preventDefault();
      this.grid.selectTo(this.photo.id);
    } else if (event.ctrlKey || event.metaKey || this.grid.selection.size > 0) {
      event.preventDefault();
      this.grid.selection.toggle(this.photo.id);
    } else if (event.button === 0) {
      event.preventDefault();
      const place = this.grid.list.find(this.photo.id);
      if (place) this.grid.current = place;
      openPhoto(this.photo.id);
    }
  }

  /** @param {MouseEvent} event */
  #checked(event) {
    if (event.shiftKey && this.grid.selection.anchor) {
      event.preventDefault();
      // The box goes back to what it was once this is over; only then can it be set.
      setTimeout(() => this.grid.selectTo(this.photo.id));
    } else this.grid.selection.toggle(this.photo.id);
  }

  /** A finger that rests on a photo selects it. */
  #watchLongPress() {
    let timer = 0;
    let start = { x: 0, y: 0 };
    let wasLong = false;
    this.element.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      wasLong = false;
      if (event.pointerType !== "touch") return;
      start = { x: event.clientX, y: event.clientY };
      timer = window.setTimeout(() => {
        wasLong = true;
        navigator.vibrate?.(12);
        this.grid.selection.toggle(this.photo.id);
      }, LONG_PRESS_MS);
    });
    this.element.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL_PX) clearTimeout(timer);
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) this.element.addEventListener(end, () => clearTimeout(timer));
    this.element.addEventListener("contextmenu", (/** @type {PointerEvent} */ event) => {
      if (event.pointerType === "touch") event.preventDefault();
    });
    this.element.addEventListener(
      "click",
      (/** @type {MouseEvent} */ event) => {
        if (!wasLong) return;
        wasLong = false;
        event.preventDefault();
        event.stopPropagation();
      },
      { capture: true },
    );
  }
}
