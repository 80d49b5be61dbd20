// The albums, latest made first.

import { get, post, query } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { cover } from "../parts/album-cover.js";
import { askForm } from "../parts/dialog.js";
import { field } from "../parts/form.js";
import { state } from "../parts/states.js";
import { go } from "../router.js";

export const title = () => t("nav.albums");

/** @param {import("../router.js").Context} context */
export async function render({ signal, place, keep }) {
  const list = h("ul", { class: "albums" });
  const end = h("div");
  /** @type {string | undefined} */
  let next;
  let pages = 0;
  async function load() {
    const page = await get(query("/albums", { limit: 50, after: next }), { signal });
    next = page.next;
    pages += 1;
    list.append(...page.items.map(card));
  }
  do await load();
  while (next && pages < (place?.pages ?? 1));
  keep(() => ({ y: scrollY, pages }));
  const atEnd = new IntersectionObserver(([entry]) => entry.isIntersecting && next && load(), { rootMargin: "800px" });
  atEnd.observe(end);
  signal.addEventListener("abort", () => atEnd.disconnect());
  const create = () => newAlbum();
  const button = (/** @type {string} */ kind) => h("button", { type: "button", class: kind, onclick: create }, icon("plus"), t("albums.create"));
  const none = list.children.length === 0;
  return [
    h("div", { class: "toolbar" }, h("h1", {}, t("nav.albums")), !none && button("")),
    none ? state("albums", t("albums.empty"), t("albums.emptyHint"), button("primary")) : list,
    end,
  ];
}

async function newAlbum() {
  /** @type {any} */
  let album;
  const fields = [field(t("albums.title"), "title", { maxlength: 200, autofocus: true, autocomplete: "off" })];
  await askForm(t("albums.create"), fields, t("albums.create"), async ({ title }) => {
    album = await post("/albums", { title });
  });
  if (album) go(`#/albums/${album.id}`);
}

/** @param {any} album */
function card(album) {
  return h(
    "li",
    {},
    h(
      "a",
      { href: `#/albums/${album.id}` },
      cover(album),
      h("span", { class: "name" }, h("bdi", {}, album.title)),
      h("span", { class: "muted" }, t("common.photos", { count: album.photoCount })),
    ),
  );
}
