// Which keys there are.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { openDialog } from "./dialog.js";

/** By area: the keys, and the text that says what they do. */
const KEYS = {
  everywhere: [
    ["/", "search"],
    ["u", "upload"],
    ["p", "photos"],
    ["a", "albums"],
    ["?", "help"],
  ],
  photos: [
    ["← → ↑ ↓", "move"],
    ["Enter", "open"],
    ["x", "select"],
    ["Shift ← →", "range"],
    ["Ctrl A", "all"],
    ["Esc", "clear"],
    ["f", "favourite"],
    ["t", "tag"],
    ["l", "album"],
    ["Del", "trash"],
    ["[ ]", "order"],
  ],
  lightbox: [
    ["← →", "next"],
    ["z", "zoom"],
    ["i", "info"],
    ["e", "edit"],
    ["d", "download"],
    ["Esc", "back"],
  ],
};

export function showShortcuts() {
  const areas = Object.entries(KEYS).map(([area, keys]) =>
    h(
      "section",
      {},
      h("h3", {}, t(`keys.${area}`)),
      h(
        "dl",
        {},
        keys.map(([key, text]) =>
          h(
            "div",
            {},
            h(
              "dt",
              {},
              key.split(" ").map((part) => h("kbd", {}, part)),
            ),
            h("dd", {}, t(`keys.${text}`)),
          ),
        ),
      ),
    ),
  );
  const close = h("button", { type: "button", class: "primary", autofocus: true, onclick: () => opened.dialog.close() }, t("common.close"));
  const opened = openDialog(t("keys.title"), [h("div", { class: "shortcuts" }, areas), h("div", { class: "buttons" }, close)], { className: "wide" });
}
