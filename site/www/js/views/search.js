// What a search finds, latest first.

import { chipsOf, without } from "../core/search-query.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { addToAlbum, favourite, tags, trash } from "../parts/actions.js";
import { photoPages } from "../parts/paged-photos.js";
import { photoView } from "../parts/photo-view.js";
import { linkButton, state } from "../parts/states.js";

export const title = () => t("search.title");

/** @param {import("../router.js").Context} context */
export async function render(context) {
  const q = context.parameters.get("q") ?? "";
  const chips = h(
    "div",
    { class: "chips search-chips", role: "group", "aria-label": t("search.parts") },
    chipsOf(q).map((chip) => removable(chip, q)),
  );
  const heading = [h("div", { class: "toolbar" }, h("h1", {}, t("search.title")), chips)];
  let list;
  try {
    list = await photoPages(context, "/search", { q });
  } catch (error) {
    // A search that is not understood says where: it is for whoever typed it to mend.
    if (/** @type {any} */ (error).status !== 400 && /** @type {any} */ (error).status !== 422) throw error;
    const reason = Object.values(/** @type {any} */ (error).fields).join(" ");
    return [heading, state("search", t("search.notUnderstood"), reason || /** @type {Error} */ (error).message, linkButton("#/", t("states.toPhotos")))];
  }
  const empty = () => state("search", t("search.nothing"), t("search.nothingHint"), linkButton("#/", t("states.toPhotos"), "primary"));
  const { element } = photoView(context, list, { actions: () => [favourite, tags, addToAlbum, trash], empty });
  return [heading, element];
}

/** A part of the search, and the search without it. @param {import("../core/search-query.js").Chip} chip @param {string} q */
function removable(chip, q) {
  const rest = without(q, chip);
  const href = rest ? `#/search?q=${encodeURIComponent(rest)}` : "#/";
  return h("a", { class: "chip", href, "aria-label": t("search.removePart", { part: chip.text }) }, h("bdi", {}, chip.text), icon("close"));
}
