// The panel in the corner that shows how far uploads have come: all of them together, and each of those that matter right now.

import { h, part, show } from "../dom.js";
import { size, t } from "../i18n.js";
import { icon } from "../icons.js";
import { explain } from "../problems.js";
import { loadStyles } from "./styles.js";

/** @typedef {import("../core/upload.js").Upload} Upload */
/** @typedef {{ choose: () => void, open: () => void, cancel: () => void, drop: (upload: Upload) => void, canOpen: () => boolean }} Acts */

/** How many rows are shown: of 10,000 files nobody reads them all. */
const ROWS = 60;
/** What is shown first. */
const ORDER = ["failed", "missing", "sending", "processing", "hashing", "ready", "waiting", "duplicate", "done"];
/** How often a screen reader is told how far it is. */
const SAY_EVERY_MS = 10_000;

export class UploadPanel {
  #frame = 0;
  #saidAt = 0;
  #wasActive = false;
  /** @type {Map<Upload, Row>} */
  #rows = new Map();

  /** @param {import("../core/upload.js").UploadQueue} queue @param {Acts} acts */
  constructor(queue, acts) {
    this.queue = queue;
    this.acts = acts;
    this.element = part("#uploads");
    this.title = h("strong", { class: "upload-title" });
    this.detail = h("span", { class: "hint" });
    this.said = h("span", { class: "quiet", role: "status" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": t("upload.all") });
    this.list = h("ul", { class: "upload-rows", tabindex: 0, "aria-label": t("upload.files") });
    this.more = h("p", { class: "hint" });
    this.notice = h("p", { class: "upload-notice" });
    this.pause = h("button", { type: "button", class: "icon", onclick: () => (queue.isPaused ? queue.resume() : queue.pause()) });
    this.fold = h("button", { type: "button", class: "icon", "aria-expanded": "true", onclick: () => this.#fold() });
    this.close = h(
      "button",
      { type: "button", class: "icon", "aria-label": t("upload.close"), title: t("upload.close"), onclick: () => queue.clear() },
      icon("close"),
    );
    this.stop = h("button", { type: "button", class: "text", onclick: () => acts.cancel() }, t("upload.cancel"));
    this.retryAll = h("button", { type: "button", class: "text", onclick: () => queue.retryAll() }, icon("retry"), t("upload.retryAll"));
    this.open = h("button", { type: "button", class: "primary", onclick: () => acts.open() }, t("upload.goOn"));
    this.choose = h("button", { type: "button", class: "primary", onclick: () => acts.choose() }, t("upload.chooseAgain"));
    this.body = h(
      "div",
      { class: "upload-body" },
      this.notice,
      this.open,
      this.choose,
      this.list,
      this.more,
      h("div", { class: "row" }, this.retryAll, this.stop),
    );
    const head = h("div", { class: "upload-head" }, h("div", { class: "upload-text" }, this.title, this.detail), this.pause, this.fold, this.close);
    show(this.element, head, this.bar, this.body, this.said);
    this.#drawFold(true);
    loadStyles(new URL("../../css/uploads.css", import.meta.url));
  }

  /** Shows what has changed, once a frame however much that is. */
  draw() {
    // A page in the background has no frames.
    if (document.hidden) this.#frame ||= window.setTimeout(() => this.#draw(), 500);
    else this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    const { queue } = this;
    const totals = queue.totals;
    const { isActive } = queue;
    this.element.hidden = totals.files === 0;
    document.body.classList.toggle("uploading", totals.files > 0);
    if (!totals.files) {
      this.#rows.clear();
      show(this.list);
      return;
    }
    const summary = this.#summary(totals, isActive);
    this.title.textContent = summary;
    this.detail.textContent = isActive ? t("upload.bytes", { sent: size(totals.sent), all: size(totals.bytes) }) : this.#outcome(totals);
    this.bar.max = totals.bytes || 1;
    this.bar.value = totals.sent;
    this.bar.hidden = !isActive;
    const [label, picture] = queue.isPaused ? [t("upload.resume"), "play"] : [t("upload.pause"), "pause"];
    if (this.pause.title !== label) {
      this.pause.title = label;
      this.pause.setAttribute("aria-label", label);
      show(this.pause, icon(/** @type {any} */ (picture)));
    }
    this.pause.hidden = this.stop.hidden = !isActive;
    this.close.hidden = isActive;
    this.retryAll.hidden = totals.failed < 2;
    this.open.hidden = !this.acts.canOpen();
    this.choose.hidden = !totals.missing || this.acts.canOpen();
    this.#drawNotice(totals);
    this.#drawRows();
    this.#say(`${summary} ${this.#outcome(totals)}`, isActive);
  }

  /** @param {any} totals @param {boolean} isActive */
  #summary({ files, uploaded, duplicate, failed, missing }, isActive) {
    const done = uploaded + duplicate;
    if (this.queue.isPaused && isActive) return t("upload.paused", { done, count: files });
    return t(isActive || failed || missing ? "upload.progress" : "upload.done", { done, count: files });
  }

  /** @param {any} totals */
  #outcome({ uploaded, duplicate, failed, missing }) {
    const parts = [
      uploaded > 0 && t("upload.outcome.uploaded", { count: uploaded }),
      duplicate > 0 && t("upload.outcome.duplicate", { count: duplicate }),
      failed > 0 && t("upload.outcome.failed", { count: failed }),
      missing > 0 && t("upload.outcome.missing", { count: missing }),
    ];
    return parts.filter(Boolean).join(" · ");
  }

  /** @param {any} totals */
  #drawNotice({ missing }) {
    const waiting = this.queue.uploads.find((upload) => upload.waitingFor)?.waitingFor;
    let text = "";
    if (missing) text = t(this.acts.canOpen() ? "upload.closedHint" : "upload.missingHint");
    else if (waiting?.status === 0) text = t("upload.offline");
    else if (waiting?.status === 429) text = t("upload.throttled");
    else if (waiting) text = t("upload.busy");
    if (this.notice.textContent !== text) this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  #drawRows() {
    const { uploads } = this.queue;
    const shown = [];
    for (const state of ORDER) {
      if (shown.length >= ROWS) break;
      for (const upload of uploads) if (upload.state === state && shown.push(upload) >= ROWS) break;
    }
    for (const upload of this.#rows.keys()) if (!shown.includes(upload)) this.#rows.delete(upload);
    const rows = shown.map((upload) => {
      const row = this.#rows.get(upload) ?? new Row(upload, this.queue, this.acts);
      this.#rows.set(upload, row);
      row.draw();
      return row.element;
    });
    // Only what has moved is touched, so that a button keeps the focus.
    for (const [at, row] of rows.entries()) if (this.list.children[at] !== row) this.list.insertBefore(row, this.list.children[at] ?? null);
    while (this.list.children.length > rows.length) this.list.lastElementChild?.remove();
    this.more.hidden = uploads.length <= rows.length;
    this.more.textContent = t("upload.more", { count: uploads.length - rows.length });
  }

  /** @param {string} text @param {boolean} isActive */
  #say(text, isActive) {
    const hasTurned = isActive !== this.#wasActive;
    this.#wasActive = isActive;
    if (!hasTurned && (!isActive || Date.now() - this.#saidAt < SAY_EVERY_MS)) return;
    this.#saidAt = Date.now();
    this.said.textContent = text;
  }

  #fold() {
    this.body.hidden = !this.body.hidden;
    this.#drawFold(!this.body.hidden);
  }

  /** @param {boolean} isOpen */
  #drawFold(isOpen) {
    const label = t(isOpen ? "upload.fold" : "upload.unfold");
    this.fold.setAttribute("aria-expanded", String(isOpen));
    this.fold.setAttribute("aria-label", label);
    this.fold.title = label;
    show(this.fold, icon(isOpen ? "down" : "up"));
  }
}

/** One file. */
class Row {
  #drawn = "";

  /** @param {Upload} upload @param {import("../core/upload.js").UploadQueue} queue @param {Acts} acts */
  constructor(upload, queue, acts) {
    this.upload = upload;
    this.queue = queue;
    this.acts = acts;
    this.state = h("span", { class: "hint" });
    this.bar = h("progress", { max: upload.size || 1, value: 0, "aria-label": t("upload.progressOf", { name: upload.name }) });
    this.buttons = h("span", { class: "upload-buttons" });
    const text = h("div", { class: "upload-text" }, h("span", { class: "upload-name", title: upload.name }, h("bdi", {}, upload.name)), this.state, this.bar);
    this.mark = h("span", { class: "upload-mark" });
    this.element = h("li", {}, this.mark, text, this.buttons);
  }

  draw() {
    const { upload } = this;
    const { state, sent, error } = upload;
    this.bar.hidden = state !== "sending";
    if (state === "sending") this.bar.value = sent;
    const text = this.#text();
    if (this.state.textContent !== text) this.state.textContent = text;
    if (this.#drawn === `${state} ${Boolean(error)}`) return;
    this.#drawn = `${state} ${Boolean(error)}`;
    this.element.className = state;
    const picture = { done: "check", duplicate: "check", failed: "warning", missing: "file" }[/** @type {string} */ (state)] ?? "upload";
    show(this.mark, icon(/** @type {any} */ (picture)));
    const button = (/** @type {any} */ name, /** @type {string} */ label, /** @type {() => any} */ act) =>
      h("button", { type: "button", class: "icon", title: label, "aria-label": `${label}: ${upload.name}`, onclick: act }, icon(name));
    show(
      this.buttons,
      state === "failed" && upload.file && button("retry", t("common.retry"), () => this.queue.retry(upload)),
      (state === "failed" || state === "missing") && button("close", t("upload.dismiss"), () => this.acts.drop(upload)),
    );
  }

  #text() {
    const { upload } = this;
    if (upload.state === "failed") return explain(upload.error);
    if (upload.state === "duplicate" && upload.sameAs) return t("upload.states.same", { name: upload.sameAs });
    return `${size(upload.size)} · ${t(`upload.states.${upload.state}`)}`;
  }
}
