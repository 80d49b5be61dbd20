// Choosing an album, or making one.

import { get, post, query } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { cover } from "./album-cover.js";
import { openDialog } from "./dialog.js";
import { field, form } from "./form.js";

/**
 * @param {number} count of photos that will be put into it
 * @returns {Promise<any>} the album, or nothing if the dialog was left
 */
export async function askAlbum(count) {
  const list = h("div", { class: "album-choice" });
  let chosen;
  const choose = (/** @type {any} */ album) => {
    chosen = album;
    opened.dialog.close();
  };
  const entry = (/** @type {any} */ album) =>
    h(
      "button",
      { type: "button", onclick: () => choose(album) },
      cover(album),
      h("span", {}, h("bdi", {}, album.title), h("span", { class: "muted" }, t("common.photos", { count: album.photoCount }))),
    );
  const make = async (/** @type {any} */ { title }) => choose(await post("/albums", { title }));
  const opened = openDialog(
    t("albums.chooseTitle", { count }),
    [
      form([field(t("albums.newTitle"), "title", { maxlength: 200, autofocus: true, autocomplete: "off" })], t("albums.createAndAdd"), make, {
        cancel: h("button", { type: "button", onclick: () => opened.dialog.close() }, t("common.cancel")),
      }),
      list,
    ],
    { className: "with-list" },
  );
  const load = async () => {
    let after;
    do {
      const page = await get(query("/albums", { limit: 100, after }));
      list.append(...page.items.map(entry));
      after = page.next;
    } while (after && opened.dialog.open);
    if (!list.children.length) list.append(h("p", { class: "hint" }, icon("album"), t("albums.noneYet")));
  };
  load().catch((error) => list.append(h("p", { class: "form-error", role: "alert" }, error.message)));
  await opened.closed;
  return chosen;
}
