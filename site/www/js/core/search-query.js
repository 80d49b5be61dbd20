// The parts of a search as somebody types it. What they mean is for the gallery itself to say.

/** @typedef {{ text: string, start: number, end: number }} Chip one part: a word, or what stands in quotes, with the field before it */

/** What a part can begin with, besides words. */
export const FIELDS = ["tag:", "in:", "title:", "description:", "before:", "after:", "is:favourite", "type:jpeg"];

/**
 * The parts of a search. `a OR b` is one part.
 * @param {string} query
 * @returns {Chip[]}
 */
export function chipsOf(query) {
  /** @type {Chip[]} */
  const chips = [];
  let joins = false;
  for (const match of query.matchAll(/(?:[^\s"]|"(?:\\.|[^"\\])*"?)+/g)) {
    const start = match.index;
    const end = start + match[0].length;
    const last = chips.at(-1);
    if (match[0] === "OR" && last) joins = true;
    else if (joins && last) {
      last.end = end;
      last.text = query.slice(last.start, end);
      joins = false;
    } else chips.push({ text: match[0], start, end });
  }
  return chips;
}

/**
 * A search without one of its parts.
 * @param {string} query
 * @param {Chip} chip
 */
export function without(query, chip) {
  return `${query.slice(0, chip.start)} ${query.slice(chip.end)}`.replace(/\s+/g, " ").trim();
}

/**
 * The part that is being typed: the word at the end of what stands before the cursor.
 * @param {string} before what stands before the cursor
 * @returns {{ start: number, minus: string, field: string, value: string }}
 */
export function typed(before) {
  const word = /(?:[^\s"]|"(?:\\.|[^"\\])*"?)*$/.exec(before);
  const text = word?.[0] ?? "";
  const start = before.length - text.length;
  const parts = /^(-?)(?:(tag|in|title|description|before|after|is|type):)?"?([^"]*)"?$/.exec(text);
  return { start, minus: parts?.[1] ?? "", field: parts?.[2] ?? "", value: parts?.[3] ?? "" };
}

/**
 * A value as it has to be written: in quotes if it is more than one word.
 * @param {string} value
 */
export const quoted = (value) => (/^[\p{L}\p{N}_-]+$/u.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`);
