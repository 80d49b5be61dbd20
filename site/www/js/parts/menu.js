// A menu below a button: arrows move, Enter chooses, Esc and a press elsewhere close.

import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {{ icon?: import("../icons.js").IconName, label: string, act: () => any, danger?: boolean }} MenuItem */

/**
 * @param {HTMLElement} button
 * @param {MenuItem[]} items
 */
export function openMenu(button, items) {
  const over = new AbortController();
  const { signal } = over;
  const close = () => {
    over.abort();
    menu.remove();
    button.setAttribute("aria-expanded", "false");
  };
  const choose = (/** @type {MenuItem} */ item) => {
    close();
    button.focus({ preventScroll: true });
    item.act();
  };
  const entries = items.map((item) =>
    h(
      "button",
      { type: "button", role: "menuitem", tabindex: -1, class: item.danger ? "danger" : undefined, onclick: () => choose(item) },
      item.icon && icon(item.icon),
      item.label,
    ),
  );
  const menu = h("div", { class: "menu", role: "menu", "aria-label": button.getAttribute("aria-label") ?? button.textContent }, entries);
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = entries.indexOf(/** @type {any} */ (document.activeElement));
    const to = { ArrowDown: (at + 1) % entries.length, ArrowUp: (at + entries.length - 1) % entries.length, Home: 0, End: entries.length - 1 }[event.key];
    if (to !== undefined) entries[to].focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      close();
      button.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Beside a dialog's button, inside the dialog: nothing else can be pressed.
  (button.closest("dialog, .lightbox") ?? document.body).append(menu);
  const box = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = box.bottom + 4 + height <= innerHeight;
  Object.assign(menu.style, {
    position: "fixed",
    left: `${Math.max(8, Math.min(box.right - width, innerWidth - width - 8))}px`,
    top: `${Math.max(8, below ? box.bottom + 4 : box.top - 4 - height)}px`,
  });
  button.setAttribute("aria-expanded", "true");
  setTimeout(() => addEventListener("pointerdown", (event) => !menu.contains(/** @type {Node} */ (event.target)) && close(), { signal }));
  addEventListener("hashchange", close, { signal });
  entries[0]?.focus();
}
