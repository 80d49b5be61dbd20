// A view of photos: a grid with what can be selected in it and done to it, or what to say while there are none.

import { h, show } from "../dom.js";
import { PhotoGrid } from "./photo-grid.js";

/** @typedef {import("./actions.js").Action} Action */

/**
 * @param {import("../router.js").Context} context
 * @param {import("../core/photo-list.js").PhotoList} list
 * @param {object} options
 * @param {() => Action[] | Promise<Action[]>} options.actions what can be done to selected photos: asked for once photos are shown
 * @param {() => any} options.empty what stands there while there are no photos
 * @param {(key: string) => string} [options.heading] of each section
 * @param {(ids: string[], before: string | undefined) => any} [options.dragged]
 */
export function photoView(context, list, { actions, empty, heading, dragged }) {
  const { signal } = context;
  const grid = new PhotoGrid(list, { signal, heading, dragged });
  const without = h("div", { hidden: true });
  const showWhatIsThere = () => {
    const isEmpty = list.total === 0 && !list.isOpen;
    if (isEmpty && without.hidden) show(without, empty());
    without.hidden = !isEmpty;
    grid.element.hidden = isEmpty;
  };
  grid.addEventListener("change", showWhatIsThere);
  /** @type {import("./lightbox.js").Offer} */
  const offer = { list, grid, actions: [], ready: undefined };
  context.offer(offer);
  context.keep(() => grid.place());
  context.mounted(() => {
    showWhatIsThere();
    grid.start(context.place);
    offer.ready = becomeUsable();
    return offer.ready;
  });
  const becomeUsable = async () => {
    const [bar, known] = await Promise.all([import("./selection-bar.js"), actions()]);
    offer.actions = known;
    if (!signal.aborted) bar.selectionBar(grid, known);
  };
  return { grid, element: h("div", {}, grid.element, without) };
}
