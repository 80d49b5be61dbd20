// The favourites, latest first.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { addToAlbum, tags, trash, unfavourite } from "../parts/actions.js";
import { photoPages } from "../parts/paged-photos.js";
import { photoView } from "../parts/photo-view.js";
import { linkButton, state } from "../parts/states.js";

export const title = () => t("nav.favourites");

/** @param {import("../router.js").Context} context */
export async function render(context) {
  const list = await photoPages(context, "/photos", { favourite: true });
  const empty = () => state("star", t("favourites.empty"), t("favourites.emptyHint"), linkButton("#/", t("states.toPhotos"), "primary"));
  const { element } = photoView(context, list, { actions: () => [unfavourite, tags, addToAlbum, trash], empty });
  return [h("div", { class: "toolbar" }, h("h1", {}, t("nav.favourites"))), element];
}
