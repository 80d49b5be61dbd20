// What is known of a photo and what somebody says of it, which can be edited right there.

import { get, Problem, patch } from "../api.js";
import { nameOf } from "../core/photo-list.js";
import { h, show } from "../dom.js";
import { localTime, moment, number, size, t } from "../i18n.js";
import { icon } from "../icons.js";
import { toast } from "../toast.js";
import { field, form } from "./form.js";
import { tagInput } from "./tag-input.js";

/** @typedef {{ changed: (photo: any) => any, close: () => any }} Around what the panel tells */

/** Titles of albums by their ids. @type {Map<string, Promise<string>>} */
const albumTitles = new Map();

/**
 * @param {HTMLElement} panel
 * @param {import("../core/photo-list.js").Photo} known what is there at once
 * @param {Around} around
 */
export async function showInfo(panel, known, around) {
  if (panel.dataset.id === known.id && !panel.dataset.failed) return;
  panel.dataset.id = known.id;
  delete panel.dataset.failed;
  const heading = h("div", { class: "panel-head" }, h("h2", {}, t("photo.info")), closeButton(around));
  show(panel, heading, h("div", { class: "skeleton panel-line" }), h("div", { class: "skeleton panel-line" }), h("div", { class: "skeleton panel-line" }));
  try {
    const photo = await get(`/photos/${known.id}`);
    if (panel.dataset.id === known.id) read(panel, photo, around);
  } catch (error) {
    if (panel.dataset.id !== known.id) return;
    panel.dataset.failed = "true";
    const again = h("button", { type: "button", onclick: () => showInfo(panel, known, around) }, t("common.retry"));
    show(panel, heading, h("p", { class: "form-error", role: "alert" }, /** @type {Error} */ (error).message), again);
  }
}

/** @param {Around} around */
const closeButton = (around) => h("button", { type: "button", class: "icon", "aria-label": t("common.close"), onclick: around.close }, icon("close"));

/** Shows the photo to be read. @param {HTMLElement} panel @param {any} photo @param {Around} around */
function read(panel, photo, around) {
  const edit = h(
    "button",
    { type: "button", class: "icon edit-photo", "aria-label": t("photo.edit"), title: t("photo.edit"), onclick: () => write(panel, photo, around) },
    icon("edit"),
  );
  const exif = photo.exif ?? {};
  const tags = photo.tags.map((/** @type {string} */ tag) =>
    h("a", { class: "chip", href: `#/search?q=${encodeURIComponent(`tag:"${tag.replace(/["\\]/g, "\\$&")}"`)}` }, h("bdi", {}, tag)),
  );
  const albums = photo.albums.map((/** @type {string} */ id) => {
    const text = h("bdi", {}, "…");
    albumTitle(id).then((title) => {
      text.textContent = title;
    });
    return h("a", { class: "chip", href: `#/albums/${id}` }, icon("album"), text);
  });
  show(
    panel,
    h("div", { class: "panel-head" }, h("h2", {}, t("photo.info")), edit, closeButton(around)),
    h("h3", { class: "panel-title" }, h("bdi", {}, nameOf(photo))),
    photo.description ? h("p", { class: "description" }, photo.description) : h("p", { class: "muted" }, t("photo.noDescription")),
    tags.length > 0 && h("div", { class: "chips" }, tags),
    h(
      "ul",
      { class: "facts" },
      fact(
        "calendar",
        photo.takenAt ? localTime(photo.takenAt) : t("photo.noTime"),
        photo.takenAt ? offsetOf(photo.takenAt) : t("photo.added", { when: moment(photo.createdAt) }),
      ),
      fact("camera", [exif.make, exif.model].filter(Boolean).join(" "), [exif.lens, exposure(exif)].filter(Boolean).join("\n")),
      exif.position && place(exif.position),
      fact("file", photo.fileName, `${photo.width} × ${photo.height} · ${megapixels(photo)} · ${size(photo.size)}`),
      photo.damaged && fact("warning", t("photo.damaged"), t("photo.damagedHint")),
      albums.length > 0 && h("li", {}, icon("albums"), h("div", {}, h("span", {}, t("nav.albums")), h("div", { class: "chips" }, albums))),
    ),
  );
}

/** @param {import("../icons.js").IconName} picture @param {string} text @param {string} [more] */
function fact(picture, text, more) {
  if (!text && !more) return undefined;
  return h("li", {}, icon(picture), h("div", {}, text && h("bdi", {}, text), more && h("div", { class: "muted" }, more)));
}

/** @param {{ latitude: number, longitude: number, altitudeM?: number }} position */
function place({ latitude, longitude, altitudeM }) {
  const [lat, lon] = [latitude.toFixed(5), longitude.toFixed(5)];
  const href = `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=15/${lat}/${lon}`;
  const link = h("a", { href, target: "_blank", rel: "noopener noreferrer" }, t("photo.map"));
  return h(
    "li",
    {},
    icon("place"),
    h(
      "div",
      {},
      `${lat}, ${lon}`,
      h("div", { class: "muted" }, altitudeM !== null && altitudeM !== undefined && `${number(Math.round(altitudeM))} m · `, link),
    ),
  );
}

/** @param {string} takenAt */
function offsetOf(takenAt) {
  const offset = zoneOf(takenAt);
  return offset ? `UTC${offset === "Z" ? "" : offset}` : "";
}

/** What stands behind the time: the camera's offset from UTC, if it knew it. @param {string | null} takenAt */
const zoneOf = (takenAt) => /(?:Z|[+-]\d\d:\d\d)$/.exec(takenAt ?? "")?.[0] ?? "";

/** @param {any} exif */
function exposure({ exposureSeconds, fNumber, iso, focalLengthMm }) {
  const time = exposureSeconds && (exposureSeconds < 0.5 ? `1/${Math.round(1 / exposureSeconds)} s` : `${number(exposureSeconds)} s`);
  return [fNumber && `ƒ/${number(fNumber)}`, time, focalLengthMm && `${number(focalLengthMm)} mm`, iso && `ISO ${iso}`].filter(Boolean).join(" · ");
}

/** @param {any} photo */
const megapixels = ({ width, height }) => t("photo.megapixels", { count: Math.round((width * height) / 1e5) / 10 });

/** @param {string} id */
function albumTitle(id) {
  const known =
    albumTitles.get(id) ??
    get(`/albums/${id}`).then(
      (album) => album.title,
      () => t("nav.albums"),
    );
  albumTitles.set(id, known);
  return known;
}

/** Shows the photo to be edited. @param {HTMLElement} panel @param {any} photo @param {Around} around */
function write(panel, photo, around) {
  const tags = tagInput(photo.tags, t("photo.tags"));
  const back = () => {
    read(panel, photo, around);
    /** @type {HTMLElement} */ (panel.querySelector(".edit-photo")).focus();
  };
  const title = field(t("photo.title"), "title", { value: photo.title, maxlength: 200, autocomplete: "off", placeholder: photo.fileName });
  const description = field(t("photo.description"), "description", { multiline: true, value: photo.description, maxlength: 5000 });
  const taken = field(t("photo.takenAt"), "takenAt", { type: "datetime-local", step: 1, value: photo.takenAt?.slice(0, 19), hint: t("photo.takenAtHint") });
  const conflict = h("div", { class: "conflict", role: "alert", hidden: true });

  /** What somebody has changed. @param {any} values */
  const changes = (values) => {
    tags.finish();
    /** @type {Record<string, any>} */
    const wanted = { title: values.title.trim(), description: values.description, tags: [...tags.tags], takenAt: timeOf(values.takenAt, photo.takenAt) };
    return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(photo[name] ?? null)));
  };
  const save = async (/** @type {any} */ values) => {
    const changed = changes(values);
    if (!Object.keys(changed).length) return back();
    try {
      await send(changed);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 412) throw error;
      await showConflict(changed);
    }
    return undefined;
  };
  const send = async (/** @type {Record<string, any>} */ changed) => {
    const before = Object.fromEntries(Object.keys(changed).map((name) => [name, photo[name] ?? null]));
    const saved = await patch(`/photos/${photo.id}`, changed, { headers: { "if-match": `"${photo.revision}"` } });
    Object.assign(photo, saved);
    around.changed(photo);
    back();
    const undo = async () => {
      Object.assign(photo, await patch(`/photos/${photo.id}`, before, { headers: { "if-match": `"${photo.revision}"` } }));
      around.changed(photo);
      if (panel.dataset.id === photo.id) read(panel, photo, around);
    };
    toast(t("common.saved"), { act: undo });
  };
  /** Somebody else has changed the photo: shows what it says now, and asks which to take. @param {Record<string, any>} changed */
  const showConflict = async (changed) => {
    const now = await get(`/photos/${photo.id}`);
    const rows = Object.keys(changed).flatMap((name) => [h("dt", {}, t(`photo.${name}`)), h("dd", {}, h("bdi", {}, written(name, now[name])))]);
    const mine = async () => {
      Object.assign(photo, now);
      await send(changed);
    };
    const theirs = () => {
      Object.assign(photo, now);
      around.changed(photo);
      back();
    };
    show(
      conflict,
      h("h3", {}, t("photo.conflict")),
      h("p", {}, t("photo.conflictHint")),
      h("dl", {}, rows),
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", class: "primary", onclick: mine }, t("photo.keepMine")),
        h("button", { type: "button", onclick: theirs }, t("photo.takeTheirs")),
      ),
    );
    conflict.hidden = false;
    conflict.scrollIntoView({ block: "nearest" });
    conflict.querySelector("button").focus();
  };
  const cancel = h("button", { type: "button", onclick: back }, t("common.cancel"));
  const element = form([title, description, tags.element, taken, conflict], t("common.save"), save, { cancel });
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    event.stopPropagation();
    back();
  });
  show(panel, h("div", { class: "panel-head" }, h("h2", {}, t("photo.edit")), closeButton(around)), element);
  title.querySelector("input").focus();
}

/** A time as the API takes it: with the offset that the photo had. @param {string} local @param {string | null} before */
function timeOf(local, before) {
  if (!local) return null;
  const seconds = (local.length === 16 ? `${local}:00` : local).slice(0, 19);
  // The field knows whole seconds: what was not changed stays as it was, to the last digit.
  return seconds === before?.slice(0, 19) ? before : seconds + zoneOf(before);
}

/** @param {string} name @param {any} value */
function written(name, value) {
  if (name === "tags") return value.join(", ") || "–";
  if (name === "takenAt") return value ? localTime(value) : "–";
  return value || "–";
}
