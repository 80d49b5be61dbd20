// A view of photos: a grid with what can be selected in it and done to it, or what to say while there are none.

import { get, query } from "../api.js";
import { PhotoPages } from "../core/photo-pages.js";
import { h, show } from "../dom.js";
import { PhotoGrid } from "./photo-grid.js";
import { selectionBar } from "./selection-bar.js";

/** @typedef {import("./actions.js").Action} Action */

/**
 * @param {import("../router.js").Context} context
 * @param {import("../core/photo-list.js").PhotoList} list
 * @param {object} options
 * @param {Action[]} options.actions what can be done to selected photos
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
  selectionBar(grid, actions);
  context.offer({ list, grid, actions });
  context.keep(() => grid.place());
  context.mounted(() => {
    showWhatIsThere();
    grid.start(context.place);
  });
  return { grid, element: h("div", {}, grid.element, without) };
}

/**
 * The photos of a list of the API, as far as they have to be there to begin with.
 * @param {import("../router.js").Context} context
 * @param {string} path
 * @param {Record<string, any>} parameters
 */
export async function photoPages({ signal, place }, path, parameters) {
  const list = new PhotoPages((page) => get(query(path, { ...parameters, ...page }), { signal }));
  await list.need({ section: 0, index: 0 }, { section: 0, index: place?.anchor?.index ?? 0 });
  return list;
}
