// Short messages, read out by screen readers.

import { h } from "./dom.js";

/**
 * @param {string} text
 * @param {{ label: string, act: () => any }} [action] such as undo
 */
export function toast(text, action) {
  const message = h("div", { class: "toast" }, h("span", {}, text));
  const dismiss = () => message.remove();
  if (action) {
    const act = () => {
      dismiss();
      action.act();
    };
    message.append(h("button", { type: "button", onclick: act }, action.label));
  }
  document.querySelector("#toasts").append(message);
  setTimeout(dismiss, action ? 10_000 : 5_000);
}
