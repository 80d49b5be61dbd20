// The picture that stands for an album.

import { averageColour } from "../core/placeholder.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";

/** @param {any} album @param {"thumbnail" | "preview"} [kind] */
export function cover(album, kind = "thumbnail") {
  const source = album.cover?.urls?.[kind];
  return h(
    "span",
    { class: "cover", style: { background: averageColour(album.cover?.placeholder) } },
    source ? h("img", { src: source, alt: "", loading: "lazy", decoding: "async" }) : icon("photos"),
  );
}
