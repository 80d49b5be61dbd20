// What can be done to the photos that are selected: a bar in the place of the header, as long as there are any.

import { h, show } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { onKeys } from "../keys.js";
import { openMenu } from "./menu.js";

/** Buttons beyond these go into a menu where there is little room. */
const ON_A_PHONE = 4;

/**
 * @param {import("./photo-grid.js").PhotoGrid} grid
 * @param {import("./actions.js").Action[]} actions
 */
export function selectionBar(grid, actions) {
  const { selection, signal } = grid;
  const count = h("strong", { role: "status" });
  const buttons = h("div", { class: "row" });
  const clear = h(
    "button",
    { type: "button", class: "icon", "aria-label": t("selection.clear"), title: t("selection.clear"), onclick: () => selection.clear() },
    icon("close"),
  );
  const all = h("button", { type: "button", class: "text", onclick: () => grid.selectAll() }, t("selection.all"));
  const bar = h("div", { class: "selection-bar", role: "toolbar", "aria-label": t("selection.bar"), hidden: true }, clear, count, all, buttons);
  document.body.append(bar);
  signal.addEventListener("abort", () => bar.remove());

  /** @param {import("./actions.js").Action} action */
  async function run(action) {
    const ids = chosen();
    if (!ids.length || bar.hasAttribute("aria-busy")) return;
    bar.setAttribute("aria-busy", "true");
    try {
      await action.act(ids, grid);
    } finally {
      bar.removeAttribute("aria-busy");
    }
  }

  /** The selected photos, or else the one with the focus. */
  function chosen() {
    if (selection.size) return [...selection.ids];
    const photo = grid.keys.hasFocus ? grid.list.at(grid.current) : undefined;
    return photo ? [photo.id] : [];
  }

  const usable = () => actions.filter((action) => action.icon && (!action.fits || action.fits([...selection.ids], grid)));
  const button = (/** @type {import("./actions.js").Action} */ action) =>
    h("button", { type: "button", class: "icon", "aria-label": t(action.label), title: t(action.label), onclick: () => run(action) }, icon(action.icon));

  function draw() {
    const wasHidden = bar.hidden;
    bar.hidden = selection.size === 0;
    document.body.classList.toggle("has-selection", selection.size > 0);
    if (bar.hidden) return;
    count.textContent = t("selection.count", { count: selection.size });
    const fitting = usable();
    const names = fitting.map((action) => action.label).join();
    if (!wasHidden && names === buttons.dataset.names) return;
    buttons.dataset.names = names;
    const room = innerWidth < 720 && fitting.length > ON_A_PHONE + 1 ? ON_A_PHONE : fitting.length;
    const rest = fitting.slice(room);
    const more = h("button", { type: "button", class: "icon", "aria-label": t("common.more"), "aria-haspopup": "menu", onclick: openRest }, icon("more"));
    function openRest() {
      openMenu(
        more,
        rest.map((action) => ({ icon: action.icon, label: t(action.label), act: () => run(action) })),
      );
    }
    show(buttons, fitting.slice(0, room).map(button), rest.length > 0 && more);
  }

  selection.addEventListener("change", draw);
  signal.addEventListener("abort", () => document.body.classList.remove("has-selection"));
  const keys = Object.fromEntries(actions.flatMap((action) => (action.keys ?? []).map((key) => [key, () => (chosen().length ? run(action) : false)])));
  onKeys(keys, { signal, layer: "view" });
}
