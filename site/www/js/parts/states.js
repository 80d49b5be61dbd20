// What stands where nothing else can.

import { h } from "../dom.js";

export function empty(text, ...actions) {
  return h("div", { class: "empty" }, h("p", {}, text), h("div", { class: "row" }, ...actions));
}

export function failure(error, again) {
  if (!("status" in error)) console.error(error);
  const text = error.status === 404 ? "This is not here, or it is not yours." : error.message;
  const back = h("a", { class: "button", href: "#/" }, "To the photos");
  return empty(text, h("button", { type: "button", class: "primary", onclick: again }, "Try again"), back);
}
