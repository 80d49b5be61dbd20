// What a search finds, latest first.

import { addTags, addToAlbum, favourite, trash } from "../parts/actions.js";
import { photoGrid } from "../parts/photo-grid.js";
import { h } from "../dom.js";

export const title = "Search";

export async function render({ parameters, signal }) {
  const q = parameters.get("q") ?? "";
  const whenEmpty = ["Nothing found. Try fewer words, or only the beginning of one: bea* finds beach."];
  const grid = await photoGrid({ path: "/search", parameters: { q }, whenEmpty, actions: [favourite, addTags, addToAlbum, trash], signal });
  return [h("div", { class: "toolbar" }, h("h1", {}, `Search: ${q}`)), grid];
}
