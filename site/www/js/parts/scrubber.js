// The scale of dates beside the timeline: leads to any month by pointer, touch or keys.

import { lastAtMost } from "../core/layout.js";
import { h, show } from "../dom.js";
import { t } from "../i18n.js";

const LABEL_HEIGHT = 22;
const HIDE_AFTER_MS = 1_600;

/**
 * @param {import("./photo-grid.js").PhotoGrid} grid
 * @param {(key: string) => string} name of a section
 */
export function scrubber(grid, name) {
  const { signal, list } = grid;
  const labels = h("div", { class: "scrubber-labels", "aria-hidden": "true" });
  const bubble = h("div", { class: "scrubber-bubble", "aria-hidden": "true" });
  const thumb = h("div", { class: "scrubber-thumb" }, bubble);
  const element = h(
    "div",
    { class: "scrubber", role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-label": t("timeline.scrubber"), "aria-valuemin": 0, hidden: true },
    labels,
    thumb,
  );
  let track = 0;
  let timer = 0;
  let isDragged = false;
  let section = 0;

  /** How far the page scrolls, in pixels. */
  const range = () => Math.max(1, grid.offset + grid.tops[grid.tops.length - 1] + 60 - innerHeight);

  function drawLabels() {
    const months = list.sections;
    track = element.clientHeight;
    element.hidden = months.length < 2 || range() < innerHeight;
    if (element.hidden) return;
    track = element.clientHeight;
    element.setAttribute("aria-valuemax", String(months.length - 1));
    let last = Number.NEGATIVE_INFINITY;
    let year = "";
    const marks = [];
    for (let at = 0; at < months.length; at += 1) {
      const its = months[at].key.slice(0, 4);
      if (its === year) continue;
      year = its;
      const y = (Math.min(range(), grid.tops[at]) / range()) * (track - LABEL_HEIGHT);
      const hasRoom = y - last >= LABEL_HEIGHT;
      if (hasRoom) last = y;
      else if (y - last < 6) continue;
      marks.push(h("span", { class: hasRoom ? "year" : "dot", style: { top: `${y}px` } }, hasRoom ? year : ""));
    }
    show(labels, marks);
    drawThumb();
  }

  function drawThumb() {
    if (element.hidden || !list.sections.length) return;
    thumb.style.transform = `translateY(${Math.min(1, scrollY / range()) * (track - LABEL_HEIGHT)}px)`;
    const at = Math.min(lastAtMost(grid.tops, Math.max(0, scrollY - grid.offset + 80)), list.sections.length - 1);
    if (at === section && bubble.textContent) return;
    section = at;
    const text = name(list.sections[at].key);
    bubble.textContent = text;
    element.setAttribute("aria-valuenow", String(at));
    element.setAttribute("aria-valuetext", text);
  }

  function appear() {
    element.classList.add("active");
    clearTimeout(timer);
    if (!isDragged) timer = window.setTimeout(() => element.classList.remove("active"), HIDE_AFTER_MS);
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    const box = element.getBoundingClientRect();
    const fraction = Math.min(1, Math.max(0, (event.clientY - box.top - LABEL_HEIGHT / 2) / (box.height - LABEL_HEIGHT)));
    scrollTo(0, fraction * range());
  }

  element.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.button) return;
    event.preventDefault();
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    isDragged = true;
    element.classList.add("dragged");
    drag(event);
    appear();
  });
  element.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => isDragged && drag(event));
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, () => {
      isDragged = false;
      element.classList.remove("dragged");
      appear();
    });
  }
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const months = list.sections;
    const year = months[section].key.slice(0, 4);
    const nextYear = () => months.findIndex((month, at) => at > section && month.key.slice(0, 4) !== year);
    const yearBefore = () => {
      const before = months.slice(0, section).findLast((month) => month.key.slice(0, 4) !== year);
      return before ? months.findIndex((month) => month.key.slice(0, 4) === before.key.slice(0, 4)) : 0;
    };
    /** @type {Record<string, () => number>} */
    const steps = {
      ArrowDown: () => section + 1,
      ArrowRight: () => section + 1,
      ArrowUp: () => section - 1,
      ArrowLeft: () => section - 1,
      PageDown: nextYear,
      PageUp: yearBefore,
      Home: () => 0,
      End: () => months.length - 1,
    };
    const step = steps[event.key]?.();
    if (step === undefined) return;
    event.preventDefault();
    const to = step < 0 ? (event.key === "PageDown" ? months.length - 1 : 0) : Math.min(step, months.length - 1);
    grid.scrollToSection(to);
    grid.render();
    section = -1;
    drawThumb();
    if (section !== to) {
      // At the end of the page, months that do not reach the top are led to all the same.
      section = to;
      bubble.textContent = name(months[to].key);
      element.setAttribute("aria-valuenow", String(to));
      element.setAttribute("aria-valuetext", name(months[to].key));
    }
  });
  addEventListener(
    "scroll",
    () => {
      drawThumb();
      appear();
    },
    { signal, passive: true },
  );
  addEventListener("resize", drawLabels, { signal });
  grid.addEventListener("change", drawLabels);
  return { element, draw: drawLabels };
}
