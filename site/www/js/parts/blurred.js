// The blurred picture that stands until a thumbnail has come.

import { thumbHashToDataURL } from "../../vendor/thumbhash.js";

/** @type {Map<string, string>} */
const made = new Map();
const MOST_KEPT = 500;

/**
 * A ThumbHash as an image of a style.
 * @param {string} placeholder in base64
 */
export function blurred(placeholder) {
  let image = made.get(placeholder);
  if (image === undefined) {
    const bytes = Uint8Array.from(atob(placeholder), (character) => character.charCodeAt(0));
    image = `url(${thumbHashToDataURL(bytes)})`;
    if (made.size >= MOST_KEPT) made.clear();
    made.set(placeholder, image);
  }
  return image;
}
