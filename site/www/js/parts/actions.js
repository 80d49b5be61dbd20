// What can be done to photos, one or many, from wherever they are shown. Each says what it did, and can be undone.

import { get, post, put, query } from "../api.js";
import { nameOf } from "../core/photo-list.js";
import { inParts } from "../core/selection.js";
import { t } from "../i18n.js";
import { toast } from "../toast.js";
import { ask } from "./dialog.js";

/**
 * @typedef {object} Action
 * @property {import("../icons.js").IconName} icon
 * @property {string} label the key of its text
 * @property {string[]} [keys]
 * @property {boolean} [ordersOnly] whether it is about a photo's place among the others, and of no use where only one is seen
 * @property {(ids: string[], grid: import("./photo-grid.js").PhotoGrid) => any} act
 * @property {(ids: string[], grid: import("./photo-grid.js").PhotoGrid) => boolean} [fits] whether it has anything to do
 */

const AT_MOST = 100;

/**
 * Does one thing to photos; the ids for which it was done. Says for how many it was not, and why.
 * @param {string[]} ids
 * @param {string} action
 * @param {Record<string, any>} [extra]
 * @returns {Promise<string[]>}
 */
export async function bulk(ids, action, extra = {}) {
  /** @type {string[]} */
  const done = [];
  const reasons = new Set();
  for (const part of inParts(ids, AT_MOST)) {
    const { results } = await post("/photos/bulk", { ids: part, action, ...extra });
    for (const result of results) {
      if (result.status < 300) done.push(result.id);
      else reasons.add(result.problem?.detail ?? "");
    }
  }
  if (reasons.size) toast(t("actions.leftAsBefore", { count: ids.length - done.length, reason: [...reasons].join(" ") }));
  return done;
}

/** The photos of a list by id, as far as they are there. @param {import("./photo-grid.js").PhotoGrid} grid @param {string[]} ids */
const photosOf = (grid, ids) =>
  ids.flatMap((id) => {
    const place = grid.list.find(id);
    const photo = place && grid.list.at(place);
    return photo ? [photo] : [];
  });

/** Takes photos out of a grid and answers how to put them back. @param {import("./photo-grid.js").PhotoGrid} grid @param {string[]} ids */
export function takeOutOf(grid, ids) {
  const { list } = grid;
  /** @type {Map<string, string | undefined>} */
  const followers = new Map();
  for (const id of ids) {
    const place = list.find(id);
    if (place) followers.set(id, list.at({ ...place, index: place.index + 1 })?.id);
  }
  const removed = list.remove(ids);
  grid.selection.set(ids, false);
  return () => /** @type {any} */ (list).insert(removed, followers);
}

/** @type {Action} */
export const favourite = {
  icon: "star",
  label: "actions.favourite",
  keys: ["f"],
  async act(ids, grid) {
    const known = photosOf(grid, ids);
    const all = known.length === ids.length && known.every((photo) => photo.favourite);
    const changing = all ? ids : ids.filter((id) => !known.some((photo) => photo.id === id && photo.favourite));
    const turn = async (/** @type {string[]} */ which, /** @type {boolean} */ on) => {
      const done = await bulk(which, "favourite", { favourite: on });
      for (const photo of photosOf(grid, done)) grid.list.update({ ...photo, favourite: on });
      return done;
    };
    const done = await turn(changing, !all);
    grid.selection.clear();
    if (done.length) toast(t(all ? "actions.noFavourite" : "actions.isFavourite", { count: done.length }), { act: () => turn(done, all) });
  },
};

/** @type {Action} In the view of favourites, what is none any more goes. */
export const unfavourite = {
  icon: "star",
  label: "actions.unfavourite",
  keys: ["f"],
  async act(ids, grid) {
    const done = await bulk(ids, "favourite", { favourite: false });
    const putBack = takeOutOf(grid, done);
    const undo = async () => {
      await bulk(done, "favourite", { favourite: true });
      putBack();
    };
    toast(t("actions.noFavourite", { count: done.length }), { act: undo });
  },
};

/** @type {Action} */
export const tags = {
  icon: "tag",
  label: "actions.tags",
  keys: ["t"],
  async act(ids, grid) {
    const { askTags } = await import("./tag-dialog.js");
    const known = photosOf(grid, ids);
    const change = await askTags(ids.length, known);
    if (!change) return;
    /** @type {(() => Promise<any>)[]} */
    const undo = [];
    const update = (/** @type {string[]} */ done, /** @type {(tags: string[]) => string[]} */ turn) => {
      for (const photo of photosOf(grid, done)) grid.list.update({ ...photo, tags: turn(photo.tags) });
    };
    /** Adds a tag to those without it, or removes it from those with it. @param {string} tag @param {string[]} which @param {boolean} on */
    const turn = async (tag, which, on) => {
      const done = await bulk(which, on ? "addTags" : "removeTags", { tags: [tag] });
      update(done, (had) => (on ? [...new Set([...had, tag])] : had.filter((other) => other !== tag)));
      return done;
    };
    for (const [tag, on] of [...change.add.map((tag) => [tag, true]), ...change.remove.map((tag) => [tag, false])]) {
      const name = /** @type {string} */ (tag);
      const which = ids.filter((id) => known.find((photo) => photo.id === id)?.tags.includes(name) !== on);
      const done = which.length ? await turn(name, which, Boolean(on)) : [];
      undo.push(() => turn(name, done, !on));
    }
    grid.selection.clear();
    const undoAll = async () => {
      for (const step of undo) await step();
    };
    toast(t("actions.tagged", { count: ids.length }), { act: undoAll });
  },
};

/** @type {Action} */
export const addToAlbum = {
  icon: "album",
  label: "actions.addToAlbum",
  keys: ["l"],
  async act(ids, grid) {
    const { askAlbum } = await import("./album-dialog.js");
    const album = await askAlbum(ids.length);
    if (!album) return;
    // Those that stand in it already are not taken out by an undo.
    const before = album.photoCount ? await idsIn(album.id) : new Set();
    const done = await bulk(ids, "addToAlbum", { albumId: album.id });
    grid.selection.clear();
    const added = done.filter((id) => !before.has(id));
    const undo = added.length ? { act: () => bulk(added, "removeFromAlbum", { albumId: album.id }) } : undefined;
    toast(t(added.length ? "actions.addedToAlbum" : "actions.inAlbumAlready", { count: added.length || done.length, title: album.title }), undo);
  },
};

/** @param {string} albumId */
async function idsIn(albumId) {
  const ids = new Set();
  let after;
  do {
    const page = await get(query("/photos", { albumId, limit: 100, after }));
    for (const photo of page.items) ids.add(photo.id);
    after = page.next;
  } while (after);
  return ids;
}

/** Takes photos out of an album that is shown. @param {any} album @returns {Action} */
export const takeOutOfAlbum = (album) => ({
  icon: "takeOut",
  label: "actions.takeOut",
  async act(ids, grid) {
    const runs = runsOf(grid, ids);
    const done = await bulk(ids, "removeFromAlbum", { albumId: album.id });
    const putBack = takeOutOf(grid, done);
    const undo = async () => {
      // From the end on: what each run stood before is back by then.
      for (const { photoIds, before } of runs.reverse()) {
        for (const part of inParts(photoIds, AT_MOST)) await put(`/albums/${album.id}/photos`, before ? { photoIds: part, before } : { photoIds: part });
      }
      putBack();
    };
    toast(t("actions.takenOut", { count: done.length, title: album.title }), { act: undo });
  },
});

/** Photos that stand side by side, and the one that stands behind them. @param {import("./photo-grid.js").PhotoGrid} grid @param {string[]} ids */
function runsOf(grid, ids) {
  const wanted = new Set(ids);
  /** @type {{ photoIds: string[], before: string | undefined }[]} */
  const runs = [];
  let run;
  for (const photo of grid.list.sections.flatMap((section) => section.photos)) {
    if (photo && wanted.has(photo.id)) {
      run ??= { photoIds: /** @type {string[]} */ ([]), before: /** @type {string | undefined} */ (undefined) };
      run.photoIds.push(photo.id);
    } else if (run) {
      runs.push({ ...run, before: photo?.id });
      run = undefined;
    }
  }
  if (run) runs.push(run);
  return runs;
}

/** @type {Action} */
export const trash = {
  icon: "trash",
  label: "actions.trash",
  keys: ["Delete", "Backspace"],
  async act(ids, grid) {
    const done = await bulk(ids, "trash");
    const putBack = takeOutOf(grid, done);
    const undo = async () => {
      await bulk(done, "restore");
      putBack();
    };
    toast(t("actions.trashed", { count: done.length }), { act: undo });
  },
};

/** @type {Action} */
export const restore = {
  icon: "restore",
  label: "actions.restore",
  async act(ids, grid) {
    const done = await bulk(ids, "restore");
    const putBack = takeOutOf(grid, done);
    const undo = async () => {
      await bulk(done, "trash");
      putBack();
    };
    toast(t("actions.restored", { count: done.length }), { act: undo });
  },
};

/** @type {Action} The only one that cannot be undone: it says so, and asks first. */
export const purge = {
  icon: "trash",
  label: "actions.purge",
  keys: ["Delete"],
  async act(ids, grid) {
    const [photo] = ids.length === 1 ? photosOf(grid, ids) : [];
    const title = photo ? t("trash.purgeOne", { name: nameOf(photo) }) : t("trash.purgeTitle", { count: ids.length });
    if (!(await ask(title, t("trash.purgeText"), [{ value: "purge", label: t("actions.purge") }]))) return;
    const done = await bulk(ids, "purge");
    takeOutOf(grid, done);
    toast(t("actions.purged", { count: done.length }));
  },
};
