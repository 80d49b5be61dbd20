// What a mouse and a finger do in the grid: open and select photos, and move them where they have an order of their own.

import { openPhoto } from "../router.js";

const LONG_PRESS_MS = 450;
const STILL_PX = 10;

/** @param {import("./photo-grid.js").PhotoGrid} grid */
export function listenToPointer(grid) {
  const { body, selection } = grid;
  /** @param {Event} event */
  const tileOf = (event) => {
    const id = /** @type {Element} */ (event.target).closest("[data-id]")?.getAttribute("data-id");
    return id ? grid.tiles.get(id) : undefined;
  };
  // Neither of these bubbles.
  body.addEventListener("load", (/** @type {Event} */ event) => tileOf(event)?.loaded(), true);
  body.addEventListener("error", (/** @type {Event} */ event) => tileOf(event)?.failed(), true);
  body.addEventListener("pointerover", (/** @type {Event} */ event) => tileOf(event)?.explain());

  let timer = 0;
  let wasLong = false;
  let start = { x: 0, y: 0 };
  body.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    wasLong = false;
    const tile = tileOf(event);
    if (event.pointerType !== "touch" || !tile) return;
    start = { x: event.clientX, y: event.clientY };
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      wasLong = true;
      navigator.vibrate?.(12);
      selection.toggle(tile.photo.id);
    }, LONG_PRESS_MS);
  });
  body.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL_PX) clearTimeout(timer);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) body.addEventListener(end, () => clearTimeout(timer));
  // A finger that rests on a photo selects it: the browser's own menu would come at the same time.
  body.addEventListener("contextmenu", (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === "touch") event.preventDefault();
  });

  body.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const tile = tileOf(event);
    if (!tile) return;
    const { id } = tile.photo;
    const isBox = event.target === tile.box;
    if (wasLong) {
      wasLong = false;
      event.preventDefault();
    } else if (event.shiftKey && (selection.anchor || isBox)) {
      event.preventDefault();
      // A box goes back to what it was once this is over; only then can it be set.
      setTimeout(() => grid.selectTo(id));
    } else if (isBox) selection.toggle(id);
    else if (event.ctrlKey || event.metaKey || event.shiftKey || selection.size > 0) {
      event.preventDefault();
      selection.toggle(id);
    } else {
      event.preventDefault();
      const place = grid.list.find(id);
      if (place) grid.current = place;
      openPhoto(id);
    }
  });
  if (grid.dragged) listenToDragging(grid, tileOf);
}

/**
 * Photos are dragged among each other: the selected ones together, if the one that is dragged is among them.
 * @param {import("./photo-grid.js").PhotoGrid} grid
 * @param {(event: Event) => import("./tile.js").Tile | undefined} tileOf
 */
function listenToDragging(grid, tileOf) {
  const { body, selection } = grid;
  /** @type {string[]} */
  let dragged = [];
  /** @type {{ element: Element, before: string | undefined } | undefined} */
  let target;
  const unmark = () => {
    target?.element.classList.remove("drop-before", "drop-after");
    target = undefined;
  };
  body.addEventListener("dragstart", (/** @type {DragEvent} */ event) => {
    const tile = tileOf(event);
    if (!tile || !event.dataTransfer) return;
    const { id } = tile.photo;
    dragged = selection.has(id) ? [...selection.ids] : [id];
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", id);
    event.dataTransfer.setDragImage(tile.image, 40, 40);
  });
  body.addEventListener("dragover", (/** @type {DragEvent} */ event) => {
    const tile = dragged.length ? tileOf(event) : undefined;
    if (!tile) return;
    event.preventDefault();
    const box = tile.element.getBoundingClientRect();
    const isAfter = event.clientX > box.left + box.width / 2;
    const at = grid.list.find(tile.photo.id);
    const next = at && grid.list.at({ ...at, index: at.index + 1 });
    unmark();
    target = { element: tile.element, before: isAfter ? next?.id : tile.photo.id };
    tile.element.classList.add(isAfter ? "drop-after" : "drop-before");
  });
  body.addEventListener("drop", (/** @type {DragEvent} */ event) => {
    if (!target || !dragged.length) return;
    event.preventDefault();
    const { before } = target;
    if (before === undefined || !dragged.includes(before)) grid.dragged?.(dragged, before);
  });
  body.addEventListener("dragend", () => {
    unmark();
    dragged = [];
  });
}
