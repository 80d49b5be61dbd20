// What a problem is called in the language of the page; where there is no text for it, in the API's own words.

import { hasText, t } from "./i18n.js";

/** @param {any} error @returns {string} */
export function explain(error) {
  if (error?.status === 0) return t("states.offlineHint");
  const key = `problems.${error?.kind}`;
  if (!error?.kind || !hasText(key)) return error?.message ?? t("states.failed");
  return t(key, { count: error.retryAfter });
}
