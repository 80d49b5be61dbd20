// What was deleted and can still be brought back.

import { get, post } from "../api.js";
import { count } from "../core/text.js";
import { h } from "../dom.js";
import { bulk } from "../parts/actions.js";
import { ask } from "../parts/dialog.js";
import { photoGrid } from "../parts/photo-grid.js";
import { go } from "../router.js";
import { toast } from "../toast.js";

export const title = "Trash";

const restore = [
  "Restore",
  async (ids, grid) => {
    const done = await bulk(ids, "restore");
    grid.drop(done);
    toast(`${count(done.length, "photo is", "photos are")} back`);
  },
];

const purge = [
  "Delete for good",
  async (ids, grid) => {
    const question = `Delete ${count(ids.length, "photo", "photos")} for good? This cannot be undone.`;
    if ((await ask("Delete for good?", question, [{ value: "purge", label: "Delete for good" }])) !== "purge") return;
    const done = await bulk(ids, "purge");
    grid.drop(done);
    toast(`${count(done.length, "photo is", "photos are")} gone`);
  },
];

export async function render({ signal }) {
  const albums = await get("/albums?trashed=true&limit=100", { signal });
  const grid = await photoGrid({ path: "/photos", parameters: { trashed: true }, whenEmpty: ["The trash is empty."], actions: [restore, purge], signal });
  return [
    h("div", { class: "toolbar" }, h("h1", {}, "Trash")),
    h("p", { class: "muted" }, "What is here is deleted for good after 30 days."),
    albums.items.length > 0 && h("h2", {}, "Albums"),
    ...albums.items.map(albumRow),
    albums.items.length > 0 && h("h2", {}, "Photos"),
    grid,
  ];
}

function albumRow(album) {
  const restoreAlbum = async () => {
    await post(`/albums/${album.id}/restore`, {});
    toast(`“${album.title}” is back`);
    go("#/trash");
  };
  return h("p", { class: "row" }, album.title, h("button", { type: "button", onclick: restoreAlbum }, "Restore"));
}
