// Uploads that are not photos yet, or never will be, and why.

import { get, remove } from "../api.js";
import { moment, size } from "../core/text.js";
import { h } from "../dom.js";
import { empty } from "../parts/states.js";
import { go } from "../router.js";

export const title = "Unfinished uploads";

const STATES = { uploading: "Its bytes have not come yet.", processing: "It is being looked into." };

export async function render({ signal }) {
  const { items } = await get("/photos?unfinished=true&limit=100", { signal });
  const heading = h("div", { class: "toolbar" }, h("h1", {}, "Unfinished uploads"));
  return [heading, items.length ? h("ul", { class: "unfinished" }, items.map(row)) : empty("Every upload has become a photo.")];
}

function row(photo) {
  const forget = async () => {
    await remove(`/photos/${photo.id}`);
    go("#/unfinished");
  };
  const reason = h("div", { class: photo.state === "failed" ? "error" : "hint" }, photo.failure?.detail ?? STATES[photo.state]);
  const name = h("div", {}, h("strong", {}, photo.fileName), ` ${size(photo.size)}, ${moment(photo.createdAt)}`, reason);
  return h("li", { class: "row" }, name, h("button", { type: "button", onclick: forget }, "Remove"));
}
