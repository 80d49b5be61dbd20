// The average colour of a ThumbHash (https://evanw.github.io/thumbhash/): the constant terms in its first three bytes.

/** @param {string} [base64] */
export function averageColour(base64) {
  if (!base64) return "";
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  if (bytes.length < 3) return "";
  const header = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const l = (header & 63) / 63;
  const p = ((header >> 6) & 63) / 31.5 - 1;
  const q = ((header >> 12) & 63) / 31.5 - 1;
  const blue = l - (2 / 3) * p;
  const red = (3 * l - blue + q) / 2;
  const channel = (/** @type {number} */ value) => Math.round(255 * Math.min(1, Math.max(0, value)));
  return `rgb(${channel(red)} ${channel(red - q)} ${channel(blue)})`;
}
