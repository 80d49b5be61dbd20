// Short messages, read out by screen readers.

import { h, part } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

const PLAIN_MS = 5_000;
const WITH_ACTION_MS = 12_000;

/**
 * @param {string} text
 * @param {{ label?: string, act: () => any }} [action] undo, unless it says otherwise
 */
export function toast(text, action) {
  const message = h("div", { class: "toast" }, h("span", {}, text));
  let timer = 0;
  const dismiss = () => {
    clearTimeout(timer);
    message.remove();
  };
  // Whoever points at a message, or is in it with the keyboard, has the time to act.
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = window.setTimeout(dismiss, action ? WITH_ACTION_MS : PLAIN_MS);
  };
  if (action) {
    const act = () => {
      dismiss();
      return action.act();
    };
    message.append(h("button", { type: "button", class: "text", onclick: act }, action.label ?? t("common.undo")));
  }
  message.append(h("button", { type: "button", class: "icon", "aria-label": t("common.dismiss"), onclick: dismiss }, icon("close")));
  for (const [event, act] of Object.entries({ pointerenter: hold, focusin: hold, pointerleave: release, focusout: release }))
    message.addEventListener(event, act);
  const all = part("#toasts");
  // At most three at a time: the oldest gives way.
  while (all.children.length >= 3) all.firstElementChild?.remove();
  all.append(message);
  release();
}
