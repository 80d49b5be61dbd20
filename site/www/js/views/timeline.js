// All photos, latest first.

import { get, query } from "../api.js";
import { Timeline } from "../core/timeline.js";
import { h } from "../dom.js";
import { month, t } from "../i18n.js";
import { icon } from "../icons.js";
import { chooseFiles } from "../parts/add-photos.js";
import { photoView } from "../parts/photo-view.js";
import { state } from "../parts/states.js";

export const title = () => t("nav.photos");

/** @param {import("../router.js").Context} context */
export async function render(context) {
  const { signal } = context;
  const list = new Timeline((parameters) => get(query("/photos", parameters)));
  const loadMonths = async () => list.setMonths((await get("/photos/timeline", { signal })).items);
  const [, unfinished] = await Promise.all([loadMonths(), get("/photos?unfinished=true&limit=1", { signal })]);
  addEventListener("photos-added", () => loadMonths(), { signal });

  const empty = () => {
    const choose = h("button", { type: "button", class: "primary", onclick: chooseFiles }, icon("upload"), t("timeline.choose"));
    return state("photos", t("timeline.empty"), t("timeline.emptyHint"), choose);
  };
  const actions = async () => {
    const { addToAlbum, favourite, tags, trash } = await import("../parts/actions.js");
    return [favourite, tags, addToAlbum, trash];
  };
  const { grid, element } = photoView(context, list, { actions, empty, heading: (key) => month(key) });
  const body = h("div", { class: "with-scrubber" }, element);
  context.mounted(async () => {
    const { scrubber } = await import("../parts/scrubber.js");
    if (signal.aborted) return;
    const scale = scrubber(grid, (key) => month(key));
    body.after(scale.element);
    scale.draw();
  });
  const notice =
    unfinished.items.length > 0 &&
    h("p", { class: "notice" }, icon("warning"), t("timeline.unfinished"), h("a", { href: "#/unfinished" }, t("timeline.seeUnfinished")));
  return [h("h1", { class: "quiet" }, t("nav.photos")), notice, body];
}
