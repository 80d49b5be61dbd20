// Adding tags to photos and taking them away.

import { h, show } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { askForm } from "./dialog.js";
import { tagInput } from "./tag-input.js";

/**
 * @param {number} count of photos
 * @param {{ tags: string[] }[]} photos those of them whose tags are known
 * @returns {Promise<{ add: string[], remove: string[] } | undefined>} nothing if it was left
 */
export async function askTags(count, photos) {
  const input = tagInput([], t("tags.add"));
  /** @type {Set<string>} */
  const remove = new Set();
  const present = [...new Set(photos.flatMap((photo) => photo.tags))].sort((a, b) => a.localeCompare(b));
  const chips = h("div", { class: "chips", role: "group", "aria-label": t("tags.present") });
  const draw = () =>
    show(
      chips,
      present.map((tag) => {
        const isGoing = remove.has(tag);
        const turn = () => {
          if (!remove.delete(tag)) remove.add(tag);
          draw();
          chips.querySelectorAll("button")[present.indexOf(tag)].focus();
        };
        return h(
          "button",
          {
            type: "button",
            class: isGoing ? "chip going" : "chip",
            "aria-pressed": String(isGoing),
            "aria-label": t("tags.removeOne", { tag }),
            onclick: turn,
          },
          h("bdi", {}, tag),
          icon(isGoing ? "restore" : "close"),
        );
      }),
    );
  draw();
  const fields = [
    input.element,
    present.length > 0 && h("div", { class: "field" }, h("h3", {}, t("tags.present")), h("p", { class: "hint" }, t("tags.presentHint")), chips),
  ];
  const sent = await askForm(t("tags.title", { count }), fields, t("common.save"), async () => input.finish());
  return sent && (input.tags.length || remove.size) ? { add: input.tags, remove: [...remove] } : undefined;
}
