// What can be done to photos, one or many, from wherever they are shown.

import { get, post } from "../api.js";
import { count } from "../core/text.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";
import { field, form } from "./form.js";

const AT_MOST = 100;

/** Does one thing to photos; the ids for which it was done. Says for how many it was not, and why. */
export async function bulk(ids, action, extra = {}) {
  const done = [];
  const reasons = new Set();
  for (let start = 0; start < ids.length; start += AT_MOST) {
    const part = ids.slice(start, start + AT_MOST);
    const { results } = await post("/photos/bulk", { ids: part, action, ...extra });
    for (const result of results) {
      if (result.status < 300) done.push(result.id);
      else reasons.add(result.problem?.detail ?? "it was refused");
    }
  }
  if (reasons.size) toast(`${count(ids.length - done.length, "photo was", "photos were")} left as before: ${[...reasons].join("; ")}`);
  return done;
}

/** Actions of a grid: each takes the selected ids and the grid. */
export const trash = [
  "Move to trash",
  async (ids, grid) => {
    const done = await bulk(ids, "trash");
    grid.drop(done);
    const undo = async () => {
      await bulk(done, "restore");
      location.reload();
    };
    toast(`${count(done.length, "photo is", "photos are")} in the trash`, { label: "Undo", act: undo });
  },
];

export const favourite = [
  "Favourite",
  async (ids, grid) => {
    const done = await bulk(ids, "favourite", { favourite: true });
    grid.select([]);
    toast(`${count(done.length, "photo is a favourite", "photos are favourites")} now`);
  },
];

export const addTags = [
  "Add tags",
  async (ids, grid) => {
    const answer = await prompt("Add tags", field("Tags", "tags", { hint: "Divided by commas", autofocus: true }));
    const tags = (answer?.tags ?? "").split(",").map((tag) => tag.trim()).filter(Boolean);
    if (!tags.length) return;
    const done = await bulk(ids, "addTags", { tags });
    grid.select([]);
    toast(`${count(done.length, "photo", "photos")} tagged`);
  },
];

export const addToAlbum = [
  "Add to album",
  async (ids, grid) => {
    const { items } = await get("/albums?limit=100");
    const list = h("datalist", { id: "album-titles" }, items.map((album) => h("option", { value: album.title })));
    const hint = items.length ? "Choose one, or name a new one" : "Name a new one";
    const answer = await prompt("Add to album", field("Album", "title", { list: "album-titles", hint, maxlength: 200, autofocus: true }), list);
    if (!answer?.title.trim()) return;
    const album = items.find((known) => known.title === answer.title.trim()) ?? (await post("/albums", { title: answer.title }));
    const done = await bulk(ids, "addToAlbum", { albumId: album.id });
    grid.select([]);
    toast(`${count(done.length, "photo is", "photos are")} in “${album.title}”`);
  },
];

/** Asks for something in a dialog; the form's values, or nothing if it was closed. */
function prompt(title, ...fields) {
  return new Promise((resolve) => {
    const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
    const send = async (answer) => {
      resolve(answer);
      dialog.close();
    };
    const dialog = h("dialog", { "aria-label": title, onclose: close }, h("h1", {}, title), form(fields, title, send), cancel);
    function close() {
      dialog.remove();
      resolve(undefined);
    }
    document.body.append(dialog);
    dialog.showModal();
  });
}
