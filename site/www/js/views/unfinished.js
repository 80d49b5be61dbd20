// Uploads that are not photos yet, or never will be, and why.

import { get, query, remove } from "../api.js";
import { h } from "../dom.js";
import { moment, size, t } from "../i18n.js";
import { icon } from "../icons.js";
import { chooseFiles } from "../parts/add-photos.js";
import { linkButton, state } from "../parts/states.js";
import { go } from "../router.js";

export const title = () => t("unfinished.title");

/** @param {import("../router.js").Context} context */
export async function render({ signal, address }) {
  const items = [];
  let after;
  do {
    const page = await get(query("/photos", { unfinished: true, limit: 100, after }), { signal });
    items.push(...page.items);
    after = page.next;
  } while (after);
  addEventListener("photos-added", () => go(address), { signal });
  const heading = h("div", { class: "toolbar" }, h("h1", {}, t("unfinished.title")));
  if (!items.length) return [heading, state("check", t("unfinished.none"), t("unfinished.noneHint"), linkButton("#/", t("states.toPhotos"), "primary"))];
  const again = h("button", { type: "button", class: "primary", onclick: chooseFiles }, icon("upload"), t("timeline.choose"));
  return [
    heading,
    h("p", { class: "muted readable" }, t("unfinished.hint")),
    h(
      "ul",
      { class: "unfinished" },
      items.map((photo) => row(photo, address)),
    ),
    again,
  ];
}

/** @param {any} photo @param {string} address */
function row(photo, address) {
  const forget = async () => {
    await remove(`/photos/${photo.id}`);
    go(address);
  };
  const hasFailed = photo.state === "failed";
  const reason = h("div", { class: hasFailed ? "error" : "hint" }, photo.failure?.detail ?? t(`unfinished.${photo.state}`));
  const what = h(
    "div",
    {},
    h("strong", {}, h("bdi", {}, photo.fileName)),
    h("div", { class: "hint" }, `${size(photo.size)} · ${moment(photo.createdAt)}`),
    reason,
  );
  return h(
    "li",
    {},
    icon(hasFailed ? "warning" : "upload"),
    what,
    h("button", { type: "button", "aria-label": t("unfinished.removeOne", { name: photo.fileName }), onclick: forget }, t("unfinished.remove")),
  );
}
