// What completes a search: tags, albums, and the fields that there are.

import { get, query } from "../api.js";
import { FIELDS, quoted, typed } from "../core/search-query.js";
import { t } from "../i18n.js";
import { completion } from "./completion.js";

const MOST = 8;

/** @param {HTMLInputElement} input */
export function suggestions(input) {
  const put = (/** @type {number} */ start, /** @type {string} */ text) => {
    const end = input.selectionStart ?? input.value.length;
    input.setRangeText(text, start, end, "end");
    // What ends with a colon waits for a value.
    if (text.endsWith(":")) input.dispatchEvent(new Event("input"));
    else input.form?.requestSubmit();
  };
  return completion(input, async () => {
    const { start, minus, field, value } = typed(input.value.slice(0, input.selectionStart ?? undefined));
    if (!field && !value) {
      return input.value ? [] : FIELDS.map((text) => ({ text, hint: t(`search.fields.${text.split(":")[0]}`), choose: () => put(start, text) }));
    }
    const found = [];
    if (!field || field === "tag") {
      const { items } = await get(query("/tags", { prefix: value, limit: MOST }));
      for (const { tag, photos } of items) found.push({ text: `${minus}tag:${tag}`, count: photos, choose: () => put(start, `${minus}tag:${quoted(tag)}`) });
    }
    if (field === "in") {
      const { items } = await get("/albums?limit=100");
      const begins = items.filter((/** @type {any} */ album) => album.title.toLowerCase().includes(value.toLowerCase()));
      for (const album of begins.slice(0, MOST))
        found.push({ text: `${minus}in:${album.title}`, count: album.photoCount, choose: () => put(start, `${minus}in:${quoted(album.title)}`) });
    }
    if (!field)
      for (const text of FIELDS.filter((known) => known.startsWith(value)))
        found.push({ text, hint: t(`search.fields.${text.split(":")[0]}`), choose: () => put(start, minus + text) });
    return found;
  });
}
