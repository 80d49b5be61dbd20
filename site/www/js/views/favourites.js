// The favourites, latest first.

import { addTags, addToAlbum, trash } from "../parts/actions.js";
import { photoGrid } from "../parts/photo-grid.js";
import { h } from "../dom.js";

export const title = "Favourites";

export async function render({ signal }) {
  const whenEmpty = ["No favourites yet. Open a photo and mark it with the star."];
  const grid = await photoGrid({ path: "/photos", parameters: { favourite: true }, whenEmpty, actions: [addTags, addToAlbum, trash], signal });
  return [h("div", { class: "toolbar" }, h("h1", {}, "Favourites")), grid];
}
