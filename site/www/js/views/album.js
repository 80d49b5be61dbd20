// One album.

import { get, patch, post, remove } from "../api.js";
import { count } from "../core/text.js";
import { h } from "../dom.js";
import { bulk, trash } from "../parts/actions.js";
import { ask } from "../parts/dialog.js";
import { field, form } from "../parts/form.js";
import { photoGrid } from "../parts/photo-grid.js";
import { go } from "../router.js";
import { toast } from "../toast.js";

export const title = "Album";

export async function render({ id, signal }) {
  const album = await get(`/albums/${id}`, { signal });
  const takeOut = [
    "Take out of album",
    async (ids, grid) => {
      const done = await bulk(ids, "removeFromAlbum", { albumId: id });
      grid.drop(done);
      toast(`${count(done.length, "photo is", "photos are")} no longer in “${album.title}”`);
    },
  ];
  const whenEmpty = ["No photos in this album. Select some in the timeline and add them.", h("a", { class: "button", href: "#/" }, "To the photos")];
  const grid = await photoGrid({ path: "/photos", parameters: { albumId: id }, whenEmpty, actions: [takeOut, trash], signal });
  const save = async (values) => {
    Object.assign(album, await patch(`/albums/${id}`, { title: values.title, description: values.description }));
    toast("Saved");
    go(`#/albums/${id}`);
  };
  const fields = [field("Title", "title", { value: album.title, maxlength: 200 }), field("Description", "description", { multiline: true, value: album.description, maxlength: 5000 })];
  return [
    h("div", { class: "toolbar" }, h("h1", {}, album.title), h("button", { type: "button", class: "danger", onclick: () => deleteAlbum(album) }, "Delete album")),
    album.description && h("p", { class: "readable" }, album.description),
    grid,
    h("details", { class: "narrow" }, h("summary", {}, "Edit album"), form(fields, "Save", save)),
  ];
}

async function deleteAlbum(album) {
  const { photos } = await remove(`/albums/${album.id}?photos=delete&dryRun=true`);
  const answer = await ask("Delete album?", `“${album.title}”: its ${count(photos, "photo", "photos")} can go to the trash with it, or stay.`, [
    { value: "keep", label: "Keep the photos", kind: "primary" },
    { value: "delete", label: "Delete the photos too" },
  ]);
  if (!answer) return;
  await remove(`/albums/${album.id}?photos=${answer}`);
  const undo = async () => {
    await post(`/albums/${album.id}/restore`, {});
    go(`#/albums/${album.id}`);
  };
  toast(`“${album.title}” is in the trash`, { label: "Undo", act: undo });
  go("#/albums");
}
