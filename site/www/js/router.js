// Shows the view that the address names. Addresses stand behind the `#`, so that any static server will do.

import { Problem } from "./api.js";
import { show } from "./dom.js";
import { showHeader } from "./parts/header.js";
import { failure } from "./parts/states.js";
import { store } from "./store.js";

/** Pattern of the address, module of the view, whether it needs a log-in. */
const ROUTES = [
  [/^\/$/, () => import("./views/timeline.js"), true],
  [/^\/favourites$/, () => import("./views/favourites.js"), true],
  [/^\/photos\/([\w-]+)$/, () => import("./views/photo.js"), true],
  [/^\/albums$/, () => import("./views/albums.js"), true],
  [/^\/albums\/([\w-]+)$/, () => import("./views/album.js"), true],
  [/^\/search$/, () => import("./views/search.js"), true],
  [/^\/trash$/, () => import("./views/trash.js"), true],
  [/^\/unfinished$/, () => import("./views/unfinished.js"), true],
  [/^\/account$/, () => import("./views/account.js"), true],
  [/^\/login$/, () => import("./views/login.js"), false],
  [/^\/signup$/, () => import("./views/signup.js"), false],
  [/^\/confirm$/, () => import("./views/confirm.js"), false],
  [/^\/forgot$/, () => import("./views/forgot.js"), false],
  [/^\/reset$/, () => import("./views/reset.js"), false],
];

let leave = new AbortController();

export function startRouter() {
  addEventListener("hashchange", route);
  route();
}

export function go(address) {
  if (location.hash === address) route();
  else location.hash = address;
}

async function route() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const content = document.querySelector("#content");
  const [path, search = ""] = (location.hash.slice(1) || "/").split("?");
  const found = ROUTES.map(([pattern, load, guarded]) => ({ match: pattern.exec(path), load, guarded })).find((r) => r.match);
  if (!found) return go("#/");
  if (found.guarded && !store.account) {
    store.wanted = location.hash || "#/";
    return go("#/login");
  }
  showHeader();
  try {
    const view = await found.load();
    const elements = await view.render({ id: found.match[1], parameters: new URLSearchParams(search), signal });
    if (signal.aborted) return;
    document.title = `${view.title} · Gallery`;
    show(content, elements);
    scrollTo(0, 0);
    (content.querySelector("[autofocus]") ?? content).focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Problem && error.status === 401 && found.guarded) {
      store.account = null;
      store.wanted = location.hash;
      return go("#/login");
    }
    show(content, failure(error, route));
  }
}
