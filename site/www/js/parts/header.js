// The head of every page: where one is and where one can go.

import { h, show, values } from "../dom.js";
import { go } from "../router.js";
import { store } from "../store.js";

const PLACES = [
  ["#/", "Photos"],
  ["#/favourites", "Favourites"],
  ["#/albums", "Albums"],
  ["#/trash", "Trash"],
  ["#/account", "Account"],
];

export function showHeader() {
  const brand = h("a", { class: "brand", href: "#/" }, h("img", { src: new URL("../../icon.svg", import.meta.url).href, alt: "", width: 28, height: 28 }), "Gallery");
  if (!store.account) return show(document.querySelector("#header"), brand);
  const here = location.hash || "#/";
  const links = PLACES.map(([href, text]) => h("a", { href, "aria-current": here === href ? "page" : undefined }, text));
  const words = new URLSearchParams(here.split("?")[1] ?? "").get("q") ?? "";
  const search = h(
    "form",
    { role: "search", onsubmit: submit },
    h("input", { type: "search", name: "q", value: words, "aria-label": "Search your photos", placeholder: "Search: beach tag:summer before:2024", maxlength: 500 }),
  );
  show(document.querySelector("#header"), brand, h("nav", { "aria-label": "Main" }, links), search);
}

function submit(event) {
  event.preventDefault();
  const { q } = values(event.target);
  go(q.trim() ? `#/search?q=${encodeURIComponent(q)}` : "#/");
}
