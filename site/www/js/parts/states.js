// What stands where nothing else can: what happened, and what to do next.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { explain } from "../problems.js";

/**
 * @param {import("../icons.js").IconName} picture
 * @param {string} title
 * @param {string} text
 * @param {...any} actions
 */
export function state(picture, title, text, ...actions) {
  return h(
    "div",
    { class: "state" },
    icon(picture),
    h("h2", {}, title),
    text && h("p", {}, text),
    actions.length > 0 && h("div", { class: "row" }, ...actions),
  );
}

/** A link that looks like a button.
 * @param {string} href
 * @param {string} text
 * @param {string} [kind] */
export const linkButton = (href, text, kind = "") => h("a", { class: `button ${kind}`, href }, text);

/**
 * Why a view cannot be shown, with a way to try again.
 * @param {any} error
 * @param {() => any} again
 */
export function failure(error, again) {
  const retry = h("button", { type: "button", class: "primary", onclick: again }, t("common.retry"));
  if (error.status === 404) return notFound();
  if (error.status === 0) return state("offline", t("states.offline"), t("states.offlineHint"), retry);
  // What is no answer of the API is a fault of the page: it belongs into the console, too.
  if (!("status" in error)) console.error(error);
  return state("warning", t("states.failed"), explain(error), retry, linkButton("#/", t("states.toPhotos")));
}

export const notFound = () => state("search", t("states.notFound"), t("states.notFoundHint"), linkButton("#/", t("states.toPhotos"), "primary"));
