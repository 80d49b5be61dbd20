// The frame of every view: the header with search and upload, and the ways to the other views.

import { h, part, show } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { store } from "../store.js";
import { uploadButton } from "./add-photos.js";
import { searchBox } from "./search-box.js";

/** @type {[string, import("../icons.js").IconName, string][]} */
const PLACES = [
  ["#/", "photos", "nav.photos"],
  ["#/albums", "albums", "nav.albums"],
  ["#/favourites", "star", "nav.favourites"],
  ["#/trash", "trash", "nav.trash"],
];

let shownFor = "";

/** Shows the frame for an address; what has not changed stays as it is, so that nobody loses what they type. */
export function showShell(/** @type {string} */ address) {
  const { account } = store;
  const who = account ? `${account.email} ${account.name}` : "-";
  if (who !== shownFor) build();
  shownFor = who;
  const here = address.split("?")[0];
  for (const link of document.querySelectorAll("#nav a, #header .account")) {
    const to = link.getAttribute("href") ?? "";
    const current = to === here || (to === "#/albums" && here.startsWith("#/albums/"));
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  dispatchEvent(new CustomEvent("address-shown", { detail: address }));
}

function build() {
  const { account } = store;
  document.body.classList.toggle("signed-in", Boolean(account));
  document.body.classList.toggle("signed-out", !account);
  part("#skip").textContent = t("common.skip");
  part("#uploads").setAttribute("aria-label", t("upload.panel"));
  const mark = h("img", { src: new URL("../../icon.svg", import.meta.url).href, alt: "", width: 32, height: 32 });
  const brand = h("a", { class: "brand", href: "#/", "aria-label": t("common.gallery") }, mark, h("span", {}, t("common.gallery")));
  const nav = part("#nav");
  nav.hidden = !account;
  nav.setAttribute("aria-label", t("nav.main"));
  if (!account) {
    show(part("#header"), brand);
    show(nav);
    return;
  }
  show(
    nav,
    PLACES.map(([href, name, text]) => h("a", { href }, icon(name), h("span", {}, t(text)))),
  );
  const initial = [...(account.name || account.email)][0].toUpperCase();
  const me = h(
    "a",
    { class: "button icon account", href: "#/account", "aria-label": t("nav.account"), title: account.email },
    h("span", { class: "avatar" }, initial),
  );
  show(part("#header"), brand, searchBox(), h("div", { class: "header-actions" }, uploadButton(), me));
}
