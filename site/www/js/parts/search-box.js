// The search field in the header. What completes it is loaded when somebody begins to type.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { go } from "../router.js";

export function searchBox() {
  const input = h("input", {
    type: "search",
    name: "q",
    id: "search",
    autocomplete: "off",
    "aria-label": t("search.label"),
    placeholder: t("search.placeholder"),
    maxlength: 500,
    enterkeyhint: "search",
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const words = input.value.trim();
    go(words ? `#/search?q=${encodeURIComponent(words)}` : "#/");
  };
  addEventListener("address-shown", (event) => {
    if (document.activeElement === input) return;
    const [path, search = ""] = /** @type {CustomEvent} */ (event).detail.split("?");
    input.value = path === "#/search" ? (new URLSearchParams(search).get("q") ?? "") : "";
  });
  const form = h("form", { class: "search-box", role: "search", onsubmit: submit }, icon("search"), input, h("kbd", { "aria-hidden": "true" }, "/"));
  const complete = async () => {
    const { suggestions } = await import("./search-suggestions.js");
    form.append(suggestions(input));
  };
  input.addEventListener("focus", complete, { once: true });
  return form;
}
