// What a problem is called in the language of the page; where there is no text for it, in the API's own words.

import { hasText, t } from "./i18n.js";

/** @param {any} error @returns {string} */
export function explain(error) {
  if (error?.status === 0) return t("states.offlineHint");
  const key = `problems.${error?.kind}`;
  if (!error?.kind || !hasText(key)) return error?.message ?? t("states.failed");
  return t(key, { count: error.retryAfter });
}

/** Reasons that the API gives for a field, by what is unmistakable in them. @type {[string, string][]} */
const REASONS = [
  ["is not your password", "reasons.notYours"],
  ["is a common password", "reasons.common"],
  ["is little more than your e-mail address", "reasons.likeYou"],
  ["is longer than 99 characters", "reasons.longPassword"],
];

/**
 * Why a field is refused, as a sentence.
 * @param {string} label of the field
 * @param {string} reason as the API gives it: follows the name of the field
 */
export function explainField(label, reason) {
  const known = REASONS.find(([beginning]) => reason.startsWith(beginning));
  return known ? t(known[1]) : `${label} ${reason}.`;
}
