// One album: its photos in its own order.

import { get, patch, post, put, query, remove } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { addToAlbum, favourite, tags, takeOutOfAlbum, trash } from "../parts/actions.js";
import { ask, askForm } from "../parts/dialog.js";
import { field } from "../parts/form.js";
import { openMenu } from "../parts/menu.js";
import { photoPages } from "../parts/paged-photos.js";
import { photoView } from "../parts/photo-view.js";
import { linkButton, state } from "../parts/states.js";
import { go } from "../router.js";
import { toast } from "../toast.js";

let shownTitle = "";
export const title = () => shownTitle;

/** @param {import("../router.js").Context} context */
export async function render(context) {
  const { id, signal } = context;
  const [album, list] = await Promise.all([get(`/albums/${id}`, { signal }), photoPages(context, "/photos", { albumId: id })]);
  shownTitle = album.title;
  addEventListener("photos-added", () => go(context.address), { signal });

  const heading = h("h1", {}, h("bdi", {}, album.title));
  const count = h("p", { class: "muted album-count" });
  const description = h("p", { class: "readable description" }, album.description);
  description.hidden = !album.description;
  const menuButton = h(
    "button",
    { type: "button", class: "icon", "aria-label": t("albums.menu"), "aria-haspopup": "menu", onclick: () => menu() },
    icon("more"),
  );
  const menu = () =>
    openMenu(menuButton, [
      { icon: "edit", label: t("albums.edit"), act: () => edit() },
      { icon: "trash", label: t("albums.delete"), danger: true, act: () => deleteAlbum(album) },
    ]);

  const edit = async () => {
    const fields = [
      field(t("albums.title"), "title", { value: album.title, maxlength: 200, autofocus: true }),
      field(t("photo.description"), "description", { multiline: true, value: album.description, maxlength: 5000 }),
    ];
    const save = async (/** @type {any} */ values) => {
      const before = { title: album.title, description: album.description };
      await change(values);
      toast(t("common.saved"), { act: () => change(before) });
    };
    await askForm(t("albums.edit"), fields, t("common.save"), save);
  };
  const change = async (/** @type {any} */ values) => {
    // The revision says whether somebody else has changed the album since it was read.
    Object.assign(album, await patch(`/albums/${id}`, values, { headers: { "if-match": `"${album.revision}"` } }));
    shownTitle = album.title;
    document.title = `${album.title} · ${t("common.gallery")}`;
    heading.firstChild.textContent = album.title;
    description.textContent = album.description;
    description.hidden = !album.description;
  };

  /** @type {import("../parts/actions.js").Action} */
  const makeCover = {
    icon: "cover",
    label: "albums.makeCover",
    fits: (ids) => ids.length === 1,
    async act([photo], { selection }) {
      const before = album.cover?.id ?? null;
      const turn = async (/** @type {string | null} */ cover) => Object.assign(album, await patch(`/albums/${id}`, { cover }));
      await turn(photo);
      selection.clear();
      toast(t("albums.isCover"), { act: () => turn(before) });
    },
  };
  /** Puts photos before another one, or to the end. @param {string[]} ids @param {string | undefined} before */
  const place = async (ids, before) => {
    if (before !== undefined) await put(`/albums/${id}/photos`, { photoIds: ids, before });
    else {
      // At the end stand those that are put in last: out, and in again.
      await remove(`/albums/${id}/photos`, { photoIds: ids });
      await put(`/albums/${id}/photos`, { photoIds: ids });
    }
    list.move(ids, before);
  };
  /** @param {string[]} ids @param {string | undefined} before */
  const move = async (ids, before) => {
    const all = list.sections.flatMap((section) => section.photos.flatMap((photo) => photo?.id ?? []));
    const moved = all.filter((known) => ids.includes(known));
    if (!moved.length || moved.length > 100) return;
    const follower = new Map(moved.map((known) => [known, all.slice(all.indexOf(known) + 1).find((other) => !ids.includes(other))]));
    await place(moved, before);
    grid.selection.clear();
    const undo = async () => {
      for (const known of [...moved].reverse()) {
        const behind = moved[moved.indexOf(known) + 1];
        const to = behind !== undefined && follower.get(behind) === follower.get(known) ? behind : follower.get(known);
        await place([known], to);
      }
    };
    toast(t("albums.moved", { count: moved.length }), { act: undo });
  };
  const order = (/** @type {string[]} */ ids) => {
    const all = list.sections.flatMap((section) => section.photos.flatMap((photo) => photo?.id ?? []));
    const rest = all.filter((known) => !ids.includes(known));
    const first = all.findIndex((known) => ids.includes(known));
    const earlier = rest[Math.max(0, all.slice(0, first).filter((known) => rest.includes(known)).length - 1)];
    const last = all.findLastIndex((known) => ids.includes(known));
    const later = rest[all.slice(0, last + 1).filter((known) => rest.includes(known)).length + 1];
    return { start: rest[0], earlier, later };
  };
  const usable = (/** @type {string[]} */ ids) => ids.length < list.total && ids.length <= 100;
  /** @type {import("../parts/actions.js").Action[]} */
  const moving = [
    { icon: "left", label: "albums.moveEarlier", keys: ["["], ordersOnly: true, fits: usable, act: (ids) => move(ids, order(ids).earlier) },
    { icon: "right", label: "albums.moveLater", keys: ["]"], ordersOnly: true, fits: usable, act: (ids) => move(ids, order(ids).later) },
    { icon: "up", label: "albums.moveToStart", ordersOnly: true, fits: usable, act: (ids) => move(ids, order(ids).start) },
  ];
  const empty = () => state("album", t("albums.emptyAlbum"), t("albums.emptyAlbumHint"), linkButton("#/", t("states.toPhotos"), "primary"));
  const actions = [favourite, takeOutOfAlbum(album), makeCover, trash, tags, addToAlbum, ...moving];
  const { grid, element } = photoView(context, list, { actions: () => actions, empty, dragged: move });
  const showCount = async () => {
    count.textContent = t("common.photos", { count: list.isOpen ? album.photoCount : list.total });
  };
  grid.addEventListener("change", showCount);
  showCount();
  const back = h("a", { class: "button icon", href: "#/albums", "aria-label": t("nav.albums") }, icon("back"));
  return [h("div", { class: "toolbar" }, back, heading, menuButton), count, description, element];
}

/** Says what it does before it does it, and lets the photos stay. @param {any} album */
async function deleteAlbum(album) {
  const { photos } = await remove(query(`/albums/${album.id}`, { photos: "delete", dryRun: true }));
  const answers = [
    photos > 0 && { value: "keep", label: t("albums.deleteKeep"), kind: "primary" },
    { value: "delete", label: photos > 0 ? t("albums.deletePhotos", { count: photos }) : t("albums.delete"), kind: "danger" },
  ].filter(Boolean);
  const text = photos > 0 ? t("albums.deleteText", { count: photos }) : t("albums.deleteEmptyText");
  const answer = await ask(t("albums.deleteTitle", { title: album.title }), text, /** @type {any} */ (answers));
  if (!answer) return;
  await remove(query(`/albums/${album.id}`, { photos: answer }));
  const undo = async () => {
    await post(`/albums/${album.id}/restore`, {});
    go(`#/albums/${album.id}`);
  };
  toast(t("albums.deleted", { title: album.title }), { act: undo });
  go("#/albums");
}
