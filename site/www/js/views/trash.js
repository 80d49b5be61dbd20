// What was deleted and can still be brought back.

import { get, post } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { bulk, purge, restore } from "../parts/actions.js";
import { cover } from "../parts/album-cover.js";
import { ask } from "../parts/dialog.js";
import { photoPages } from "../parts/paged-photos.js";
import { photoView } from "../parts/photo-view.js";
import { linkButton, state } from "../parts/states.js";
import { go } from "../router.js";
import { toast } from "../toast.js";

export const title = () => t("nav.trash");

/** @param {import("../router.js").Context} context */
export async function render(context) {
  const { signal } = context;
  const [albums, list] = await Promise.all([get("/albums?trashed=true&limit=100", { signal }), photoPages(context, "/photos", { trashed: true })]);
  const empty = () =>
    albums.items.length
      ? h("p", { class: "muted" }, t("trash.noPhotos"))
      : state("trash", t("trash.empty"), t("trash.emptyHint"), linkButton("#/", t("states.toPhotos"), "primary"));
  const { grid, element } = photoView(context, list, { actions: () => [restore, purge], empty });
  const emptyButton = h("button", { type: "button", class: "danger", onclick: () => emptyTrash(list, grid) }, icon("trash"), t("trash.emptyNow"));
  const showButton = () => {
    emptyButton.hidden = list.total === 0;
  };
  grid.addEventListener("change", showButton);
  showButton();
  const shownAlbums = albums.items.length > 0 && [
    h("h2", {}, t("nav.albums")),
    h("ul", { class: "trashed-albums" }, albums.items.map(albumRow)),
    h("h2", {}, t("nav.photos")),
  ];
  const isEmpty = !albums.items.length && !list.total;
  return [
    h("div", { class: "toolbar" }, h("h1", {}, t("nav.trash")), emptyButton),
    !isEmpty && h("p", { class: "notice" }, icon("info"), t("trash.notice")),
    shownAlbums,
    element,
  ];
}

/** @param {any} album */
function albumRow(album) {
  const restoreAlbum = async () => {
    await post(`/albums/${album.id}/restore`, {});
    toast(t("trash.albumRestored", { title: album.title }), { label: t("albums.open"), act: () => go(`#/albums/${album.id}`) });
    go("#/trash");
  };
  const button = h(
    "button",
    { type: "button", "aria-label": t("trash.restoreAlbum", { title: album.title }), onclick: restoreAlbum },
    icon("restore"),
    t("actions.restore"),
  );
  return h("li", {}, cover(album), h("bdi", {}, album.title), button);
}

/**
 * @param {import("../core/photo-pages.js").PhotoPages} list
 * @param {import("../parts/photo-grid.js").PhotoGrid} grid
 */
async function emptyTrash(list, grid) {
  await list.all();
  const ids = list.sections.flatMap((section) => section.photos.flatMap((photo) => photo?.id ?? []));
  const answer = await ask(t("trash.emptyTitle", { count: ids.length }), t("trash.purgeText"), [{ value: "purge", label: t("trash.emptyNow") }]);
  if (!answer) return;
  const done = await bulk(ids, "purge");
  list.remove(done);
  grid.selection.clear();
  toast(t("actions.purged", { count: done.length }));
}
