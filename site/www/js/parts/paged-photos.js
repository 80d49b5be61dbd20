// The photos of a list that comes page by page.

import { get, query } from "../api.js";
import { PhotoPages } from "../core/photo-pages.js";

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
