// All photos, latest first.

import { get } from "../api.js";
import { addTags, addToAlbum, favourite, trash } from "../parts/actions.js";
import { photoGrid } from "../parts/photo-grid.js";
import { h } from "../dom.js";
import { go } from "../router.js";

export const title = "Photos";

const notice = h("p", { class: "muted" }, "Some uploads have not become photos: ", h("a", { href: "#/unfinished" }, "see which, and why"));

export async function render({ signal }) {
  addEventListener("photos-added", () => go("#/"), { signal });
  const whenEmpty = ["No photos yet. Drop some here, or choose files."];
  const { items: unfinished } = await get("/photos?unfinished=true&limit=1", { signal });
  const grid = await photoGrid({ path: "/photos", months: true, whenEmpty, actions: [favourite, addTags, addToAlbum, trash], signal });
  return [h("div", { class: "toolbar" }, h("h1", {}, "Photos")), unfinished.length > 0 && notice, grid];
}
