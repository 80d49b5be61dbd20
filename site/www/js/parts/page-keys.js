// The keys that work on every page.

import { onKeys } from "../keys.js";
import { go } from "../router.js";
import { store } from "../store.js";
import { chooseFiles } from "./add-photos.js";

export function startPageKeys() {
  /** What only works for somebody who is logged in. @param {() => any} act */
  const inside = (act) => () => (store.account ? act() : false);
  onKeys(
    {
      "/": inside(() => document.getElementById("search")?.focus()),
      u: inside(chooseFiles),
      "?": async () => (await import("./shortcuts.js")).showShortcuts(),
      p: inside(() => go("#/")),
      a: inside(() => go("#/albums")),
    },
    { layer: "page" },
  );
}
