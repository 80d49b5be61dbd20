// The albums.

import { get, post, query } from "../api.js";
import { averageColour } from "../core/placeholder.js";
import { count } from "../core/text.js";
import { h } from "../dom.js";
import { field, form } from "../parts/form.js";
import { empty } from "../parts/states.js";
import { go } from "../router.js";

export const title = "Albums";

export async function render({ signal }) {
  const list = h("ul", { class: "albums" });
  const more = h("button", { type: "button", onclick: () => load(), hidden: true }, "More albums");
  let next;
  async function load() {
    const page = await get(query("/albums", { limit: 50, after: next }), { signal });
    next = page.next;
    more.hidden = !next;
    list.append(...page.items.map(card));
  }
  await load();
  const create = async (values) => {
    const album = await post("/albums", { title: values.title });
    go(`#/albums/${album.id}`);
  };
  const none = !list.children.length && empty("No albums yet. Make one, then add photos to it from the timeline.");
  return [h("div", { class: "toolbar" }, h("h1", {}, "Albums")), list, more, none, h("div", { class: "narrow" }, h("h2", {}, "New album"), form([field("Title", "title", { maxlength: 200 })], "Make album", create))];
}

function card(album) {
  const cover = album.cover?.urls?.thumbnail;
  return h(
    "li",
    {},
    h(
      "a",
      { href: `#/albums/${album.id}` },
      h("div", { class: "cover", style: { background: averageColour(album.cover?.placeholder) } }, cover && h("img", { src: cover, alt: "", loading: "lazy" })),
      h("div", {}, album.title),
      h("div", { class: "muted" }, count(album.photoCount, "photo", "photos")),
    ),
  );
}
