// One photo above the view that it was opened from: swiping, zooming, and what can be done to it.

import PhotoSwipe from "../../vendor/photoswipe.esm.min.js";
import { get } from "../api.js";
import { nameOf, newSection, PhotoList, place } from "../core/photo-list.js";
import { standsAt, Timeline } from "../core/timeline.js";
import { calm, h, part, show } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { onKeys } from "../keys.js";
import { closePhoto, movedToPhoto } from "../router.js";
import { toast } from "../toast.js";
import { openMenu } from "./menu.js";
import { loadStyles } from "./styles.js";

/** @typedef {import("../core/photo-list.js").Photo} Photo */
/** @typedef {{ list: PhotoList, grid: import("./photo-grid.js").PhotoGrid, actions: import("./actions.js").Action[], ready: Promise<any> | undefined }} Offer `ready`: once the actions are known */

/** The longest edge of a preview, in pixels: who zooms in beyond it sees the original. */
const PREVIEW_PX = 1920;
const LARGEST_ORIGINAL_BYTES = 40e6;
const PANEL_PX = 380;
const WIDE_PX = 900;
const SHARE_ABOVE_PANEL = 0.4;
/** Stands for a photo that is not there yet. */
const BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
/** Actions that stand in the bar of a phone; the others are in a menu. */
const ON_A_PHONE = 1;

/** @type {Lightbox | undefined} */
let opened;
let isPanelOpen = false;

/**
 * Shows a photo.
 * @param {string} id
 * @param {Offer | undefined} offer the photos between which to lead
 */
export async function open(id, offer) {
  if (opened?.isClosing) await opened.gone;
  if (opened) return opened.goTo(id);
  const styles = loadStyles(new URL("../../vendor/photoswipe.css", import.meta.url), new URL("../../css/lightbox.css", import.meta.url));
  const found = await locate(id, offer);
  await Promise.all([styles, offer?.ready]);
  if (!location.hash.endsWith(id) || opened) return undefined;
  opened = new Lightbox(found.list, found.at, offer);
  return undefined;
}

export function close() {
  opened?.close();
}

/** The list that a photo stands in, and where. @param {string} id @param {Offer | undefined} offer */
async function locate(id, offer) {
  const known = offer?.list.find(id);
  if (offer && known) return { list: offer.list, at: known };
  const photo = await get(`/photos/${id}`);
  if (offer?.list instanceof Timeline && !photo.trashedAt) {
    const { list } = offer;
    const section = list.sections.findIndex((month) => month.key === standsAt(photo).slice(0, 7));
    for (let index = 0; section >= 0 && index < list.sections[section]?.count; index += 100) {
      await list.need({ section, index }, { section, index });
      const at = list.find(id);
      if (at) return { list, at };
    }
  }
  // It is in none of the view's pages: it stands alone.
  const list = new PhotoList();
  list.need = async () => {};
  list.sections = [newSection("", 0)];
  place(list.sections[0], 0, [photo]);
  return { list, at: { section: 0, index: 0 } };
}

class Lightbox {
  /** @param {PhotoList} list @param {import("../core/photo-list.js").Place} at @param {Offer | undefined} offer */
  constructor(list, at, offer) {
    this.list = list;
    this.grid = offer?.grid;
    this.offer = offer;
    this.over = new AbortController();
    this.photo = /** @type {Photo} */ (list.at(at));
    this.isClosing = false;
    /** Once it is off the page. @type {Promise<any>} */
    this.gone = new Promise((resolve) => {
      this.left = resolve;
    });
    this.#build();
    const motion = calm() ? "none" : "zoom";
    const pswp = new PhotoSwipe({
      index: list.flatten(at),
      bgOpacity: 1,
      showHideAnimationType: motion,
      loop: false,
      preload: [1, 2],
      spacing: 0.05,
      arrowPrev: false,
      arrowNext: false,
      close: false,
      zoom: false,
      counter: false,
      preloader: false,
      escKey: false,
      arrowKeys: false,
      trapFocus: false,
      returnFocus: false,
      wheelToZoom: true,
      maxZoomLevel: 6,
      secondaryZoomLevel: (/** @type {any} */ zoom) => Math.max(zoom.fit * 2.5, Math.min(1, zoom.fill)),
      errorMsg: t("photo.cannotBeShown"),
      getViewportSizeFn: room,
    });
    this.pswp = pswp;
    pswp.addFilter("numItems", () => list.total);
    pswp.addFilter("itemData", (/** @type {any} */ _, /** @type {number} */ index) => slideOf(list.at(list.unflatten(index))));
    pswp.addFilter("thumbEl", (/** @type {any} */ _, /** @type {any} */ data) => (data.id && this.grid?.thumbnail(data.id)) ?? undefined);
    pswp.on("afterInit", () => this.#opened());
    pswp.on("change", () => this.#changed());
    pswp.on("zoomPanUpdate", () => this.#sharpen());
    // Keys are the page's own: a key in a field of the panel turns no page.
    pswp.on("keydown", (/** @type {Event} */ event) => event.preventDefault());
    pswp.on("close", () => this.#closing());
    pswp.on("destroy", () => this.#closed());
    pswp.on("contentAppend", (/** @type {any} */ { content }) => content.element?.setAttribute("draggable", "false"));
    pswp.init();
  }

  close() {
    // While it opens, it does not listen.
    if (this.pswp.opener.isOpen) this.pswp.close();
    else this.pswp.on("openingAnimationEnd", () => this.pswp.close());
  }

  #build() {
    this.status = h("div", { class: "quiet", role: "status" });
    this.name = h("span", { class: "lightbox-name" });
    this.buttons = h("div", { class: "row" });
    const closing = button("back", "photo.close", () => this.close());
    this.bar = h("div", { class: "lightbox-bar" }, closing, this.name, this.buttons);
    this.before = button("left", "photo.before", () => this.pswp.prev());
    this.before.classList.add("lightbox-before");
    this.next = button("right", "photo.next", () => this.pswp.next());
    this.next.classList.add("lightbox-next");
    this.panel = h("aside", { class: "lightbox-panel", "aria-label": t("photo.info"), hidden: true });
  }

  #opened() {
    const { element } = this.pswp;
    element.classList.add("lightbox");
    element.setAttribute("aria-modal", "true");
    element.append(this.bar, this.before, this.next, this.panel, this.status);
    // Messages have to be seen above it, and a toast's undo be reached.
    element.append(part("#toasts"));
    for (const other of document.body.children) if (other !== element && other instanceof HTMLElement && !other.matches("dialog, script")) other.inert = true;
    element.focus({ preventScroll: true });
    const { signal } = this.over;
    this.list.addEventListener("change", () => this.#listChanged(), { signal });
    this.list.addEventListener("photo", (event) => /** @type {CustomEvent} */ (event).detail === this.photo.id && this.#showPhoto(), { signal });
    onKeys(
      {
        ArrowRight: () => this.pswp.next(),
        ArrowLeft: () => this.pswp.prev(),
        Escape: () => (isPanelOpen && innerWidth < WIDE_PX ? this.#togglePanel() : this.close()),
        z: () => this.pswp.toggleZoom(),
        i: () => this.#togglePanel(),
        e: () => this.#edit(),
        d: () => this.#download(),
        Home: () => this.pswp.goTo(0),
        End: () => this.pswp.goTo(this.list.total - 1),
        "?": async () => (await import("./shortcuts.js")).showShortcuts(),
        ...this.#actionKeys(),
      },
      { signal, layer: "lightbox" },
    );
    this.#changed();
    if (isPanelOpen) this.#showPanel();
  }

  /** The actions of the view that make sense for one photo. */
  get #actions() {
    const { actions = [], grid } = this.offer ?? {};
    return grid && this.list === grid.list ? actions.filter((action) => !action.ordersOnly) : [];
  }

  #actionKeys() {
    return Object.fromEntries(this.#actions.flatMap((action) => (action.keys ?? []).map((key) => [key, () => this.#run(action)])));
  }

  /** @param {import("./actions.js").Action} action */
  async #run(action) {
    if (!this.grid || this.isBusy) return;
    this.isBusy = true;
    try {
      await action.act([this.photo.id], this.grid);
    } finally {
      this.isBusy = false;
    }
  }

  #changed() {
    const at = this.list.unflatten(this.pswp.currIndex);
    const photo = this.list.at(at);
    const around = (/** @type {number} */ step) => this.list.unflatten(Math.max(0, Math.min(this.list.total - 1, this.pswp.currIndex + step)));
    const to = around(3);
    if (this.list.isOpen && this.pswp.currIndex + 3 >= this.list.total) to.index += 50;
    this.list.need(around(-3), to).catch((error) => toast(error.message));
    this.before.hidden = this.pswp.currIndex === 0;
    this.next.hidden = this.pswp.currIndex >= this.list.total - 1 && !this.list.isOpen;
    if (!photo) return;
    this.photo = photo;
    movedToPhoto(photo.id);
    this.#showPhoto();
    if (this.grid && this.list === this.grid.list) this.grid.reveal(at, { focus: false });
    if (isPanelOpen) this.#showPanel();
  }

  #showPhoto() {
    const { photo, pswp } = this;
    const name = nameOf(photo);
    show(this.name, h("bdi", {}, name));
    pswp.element?.setAttribute("aria-label", name);
    this.status.textContent = t("photo.position", { at: pswp.currIndex + 1, total: this.list.total, name });
    document.title = `${name} · ${t("common.gallery")}`;
    const hadFocus = this.buttons.contains(document.activeElement) ? [...this.buttons.children].indexOf(/** @type {Element} */ (document.activeElement)) : -1;
    show(this.buttons, this.#barButtons());
    if (hadFocus >= 0) /** @type {HTMLElement} */ (this.buttons.children[hadFocus] ?? this.buttons.lastElementChild).focus();
  }

  #barButtons() {
    const actions = this.#actions;
    const isNarrow = innerWidth < 720;
    const inBar = isNarrow ? actions.slice(0, ON_A_PHONE) : actions;
    const inMenu = actions.slice(inBar.length);
    const zoom = !isNarrow && button("zoom", "photo.zoom", () => this.pswp.toggleZoom());
    const info = button("info", "photo.info", () => this.#togglePanel());
    info.setAttribute("aria-pressed", String(isPanelOpen));
    const download = h(
      "a",
      { class: "button icon", href: this.photo.urls?.original, download: this.photo.fileName, "aria-label": t("photo.download"), title: t("photo.download") },
      icon("download"),
    );
    const shown = inBar.map((action) => {
      const element = button(action.icon, action.label, () => this.#run(action));
      if (action.icon === "star") {
        element.setAttribute("aria-pressed", String(this.photo.favourite));
        element.classList.toggle("filled", this.photo.favourite);
      }
      return element;
    });
    const more = button("more", "common.more", () =>
      openMenu(more, [
        { icon: "edit", label: t("photo.edit"), act: () => this.#edit() },
        ...inMenu.map((action) => ({ icon: action.icon, label: t(action.label), act: () => this.#run(action) })),
      ]),
    );
    more.setAttribute("aria-haspopup", "menu");
    const edit = !isNarrow && button("edit", "photo.edit", () => this.#edit());
    return [zoom, ...shown, edit, download, info, isNarrow && more];
  }

  /** Photos came or went. */
  #listChanged() {
    const { pswp, list } = this;
    if (!list.total) {
      this.close();
      return;
    }
    const at = list.find(this.photo.id);
    const index = at ? list.flatten(at) : Math.min(pswp.currIndex, list.total - 1);
    const isElsewhere = index !== pswp.currIndex || !at;
    const missing = pswp.mainScroll.itemHolders.some((/** @type {any} */ { slide }) => slide && !slide.data.id && list.at(list.unflatten(slide.index)));
    const total = this.total;
    this.total = list.total;
    if (!isElsewhere && !missing && total === list.total) return;
    pswp.currIndex = index;
    pswp.potentialIndex = index;
    pswp.contentLoader.destroy();
    for (const [position, holder] of pswp.mainScroll.itemHolders.entries()) pswp.setContent(holder, index - 1 + position, true);
    pswp.currSlide = pswp.mainScroll.itemHolders[1].slide;
    pswp.currSlide?.setIsActive(true);
    this.#changed();
  }

  /** @param {string} id */
  goTo(id) {
    const at = this.list.find(id);
    if (at && id !== this.photo.id) this.pswp.goTo(this.list.flatten(at));
  }

  /** Shows the original to whoever zooms in further than the preview can show. */
  #sharpen() {
    const slide = this.pswp.currSlide;
    const image = slide?.content?.element;
    if (!slide || !(image instanceof HTMLImageElement) || slide.data.isSharp) return;
    const { width = 0, height = 0, size, urls } = this.photo;
    const ratio = devicePixelRatio * slide.currZoomLevel;
    if (
      !urls ||
      slide.data.id !== this.photo.id ||
      size > LARGEST_ORIGINAL_BYTES ||
      ratio * Math.max(width, height) < PREVIEW_PX * 1.15 ||
      Math.max(width, height) <= PREVIEW_PX
    )
      return;
    slide.data.isSharp = true;
    const original = new Image();
    original.onload = () => {
      image.src = original.src;
    };
    original.src = urls.original;
  }

  #download() {
    this.buttons.querySelector("a")?.click();
  }

  #togglePanel() {
    isPanelOpen = !isPanelOpen;
    if (isPanelOpen) this.#showPanel();
    else this.#hidePanel();
    this.#showPhoto();
  }

  #hidePanel() {
    isPanelOpen = false;
    const hadFocus = this.panel.contains(document.activeElement);
    this.panel.hidden = true;
    this.pswp.element?.classList.remove("with-panel");
    this.pswp.updateSize(true);
    if (hadFocus) this.pswp.element?.focus({ preventScroll: true });
  }

  async #showPanel() {
    const isNew = this.panel.hidden;
    this.panel.hidden = false;
    this.pswp.element?.classList.add("with-panel");
    if (isNew) this.pswp.updateSize(true);
    const { showInfo } = await import("./photo-info.js");
    await showInfo(this.panel, this.photo, { changed: (photo) => this.#edited(photo), close: () => this.#togglePanel() });
  }

  async #edit() {
    isPanelOpen = true;
    await this.#showPanel();
    this.#showPhoto();
    this.panel.querySelector(".edit-photo")?.dispatchEvent(new Event("click"));
  }

  /** @param {Photo} photo as it is now */
  #edited(photo) {
    const before = this.list.find(photo.id);
    const known = before && this.list.at(before);
    // What was moved to another time goes there once the lightbox is closed: whoever looks on goes on from here.
    if (known && this.list instanceof Timeline && standsAt(known) !== standsAt(photo)) this.hasMoved = true;
    this.list.update(photo);
  }

  #closing() {
    this.isClosing = true;
    this.over.abort();
    document.body.append(part("#toasts"));
    for (const other of document.body.children) if (other instanceof HTMLElement) other.inert = false;
    closePhoto();
  }

  #closed() {
    opened = undefined;
    this.left?.(undefined);
    const { grid, list, photo } = this;
    if (!grid || grid.list !== list) return;
    if (this.hasMoved && list instanceof Timeline) list.insert(list.remove([photo.id]));
    const at = list.find(photo.id);
    if (at) grid.reveal(at);
  }
}

/** The room that the panel leaves for the photo. */
function room() {
  const isWide = innerWidth >= WIDE_PX;
  return { x: innerWidth - (isPanelOpen && isWide ? PANEL_PX : 0), y: isPanelOpen && !isWide ? Math.round(innerHeight * SHARE_ABOVE_PANEL) : innerHeight };
}

/** @param {import("../icons.js").IconName} name @param {string} label the key of its text @param {() => any} act */
function button(name, label, act) {
  return h("button", { type: "button", class: "icon", "aria-label": t(label), title: t(label), onclick: act }, icon(name));
}

/** What the lightbox shows of a photo. @param {Photo | undefined} photo */
function slideOf(photo) {
  if (!photo?.urls) return { src: BLANK, width: 1500, height: 1000, alt: "" };
  const { id, urls, width, height, contentType } = photo;
  // A preview does not move.
  const src = contentType === "image/gif" ? urls.original : urls.preview;
  return { id, src, msrc: urls.thumbnail, width, height, alt: nameOf(photo) };
}
