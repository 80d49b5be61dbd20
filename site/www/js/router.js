// Shows the view that the address names. Addresses stand behind the `#`, so that any static server will do.
//
// A photo is shown above the view it was opened from, which stays as it is. Each entry of the browser's history keeps where its view
// was scrolled to, so that Back and a reload lead to the same place.

import { Problem } from "./api.js";
import { part, show } from "./dom.js";
import { t } from "./i18n.js";
import { showShell } from "./parts/shell.js";
import { failure, notFound } from "./parts/states.js";
import { store } from "./store.js";

/**
 * @typedef {object} Context what a view is given
 * @property {string} address
 * @property {string} id the thing that the address names
 * @property {URLSearchParams} parameters of the address
 * @property {AbortSignal} signal when somebody goes elsewhere
 * @property {any} place where the view was, when somebody comes back to it
 * @property {(place: () => any) => void} keep tells how to ask where the view is; otherwise it is how far it is scrolled
 * @property {(done: () => any) => void} mounted what to do once the view is on the page
 * @property {(offer: import("./parts/lightbox.js").Offer) => void} offer the photos between which the lightbox leads
 */

/** @type {[RegExp, () => Promise<any>, boolean][]} pattern of the address, module of the view, whether it needs a log-in */
const ROUTES = [
  [/^\/$/, () => import("./views/timeline.js"), true],
  [/^\/favourites$/, () => import("./views/favourites.js"), true],
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

const PHOTO = /^#\/photos\/([\w-]+)$/;
const KEEP_AFTER_MS = 150;
const VIEWS_AFTER_MS = 3_000;

/** What is shown. */
let leave = new AbortController();
let shown = "";
/** @type {() => any} */
let placeOfView = () => ({ y: scrollY });
/** @type {import("./parts/lightbox.js").Offer | undefined} */
let photos;
/** @type {typeof import("./parts/lightbox.js") | undefined} */
let lightbox;

export function startRouter() {
  history.scrollRestoration = "manual";
  addEventListener("hashchange", route);
  let timer = 0;
  addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = window.setTimeout(keepPlace, KEEP_AFTER_MS);
  });
  addEventListener("pagehide", keepPlace);
  // Views are there before somebody goes to them, also when the connection is lost by then.
  setTimeout(() => {
    if (store.account) for (const [, load, isInside] of ROUTES) if (isInside) load().catch(() => {});
  }, VIEWS_AFTER_MS);
  return route();
}

/**
 * Goes to an address, or shows it anew.
 * @param {string} address
 * @param {{ replace?: boolean }} [options] `replace`: Back does not lead to where one was
 */
export function go(address, { replace = false } = {}) {
  const here = location.hash || "#/";
  if (here === address) return route(true);
  keepPlace();
  if (!replace) {
    location.hash = address;
    return undefined;
  }
  history.replaceState(null, "", address);
  return route();
}

/** Opens a photo above the view.
 * @param {string} id */
export function openPhoto(id) {
  keepPlace();
  history.pushState({ under: shown, opened: true, place: placeOfView() }, "", `#/photos/${id}`);
  return route();
}

/** Another photo is shown above the view now.
 * @param {string} id */
export function movedToPhoto(id) {
  if (PHOTO.test(location.hash)) history.replaceState(history.state, "", `#/photos/${id}`);
}

/** Goes back from a photo to the view below it. */
export function closePhoto() {
  if (!PHOTO.test(location.hash)) return;
  if (history.state?.opened) history.back();
  else go(shown, { replace: true });
}

/** Notes in the history where the view is. */
function keepPlace() {
  const here = location.hash || "#/";
  if (here !== shown && history.state?.under !== shown) return;
  history.replaceState({ ...history.state, place: placeOfView() }, "");
}

/** @param {boolean | Event} [anew] shows the view anew although it is shown */
async function route(anew) {
  const here = location.hash || "#/";
  const photo = PHOTO.exec(here);
  const under = photo ? (history.state?.under ?? "#/") : here;
  if (!photo) lightbox?.close();
  if (under !== shown || anew === true) await showView(under, photo?.[1]);
  if (photo && store.account && (location.hash || "#/") === here) {
    lightbox = await import("./parts/lightbox.js");
    if (location.hash !== here) return;
    try {
      await lightbox.open(photo[1], photos);
    } catch (error) {
      show(
        part("#content"),
        failure(error, () => route(true)),
      );
    }
  }
}

/**
 * @param {string} address
 * @param {string} [photo] that will be shown above it
 */
async function showView(address, photo) {
  const [path, search = ""] = address.slice(1).split("?");
  const found = ROUTES.map(([pattern, load, guarded]) => ({ match: pattern.exec(path), load, guarded })).find((route) => route.match);
  if (found?.guarded && !store.account) {
    store.wanted = location.hash || "#/";
    return go("#/login", { replace: true });
  }
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const content = part("#content");
  shown = address;
  photos = undefined;
  placeOfView = () => ({ y: scrollY });
  const { place } = history.state ?? {};
  /** @type {(() => any)[]} */
  const afterwards = [];
  showShell(address);
  if (!found?.match) return show(content, notFound());
  try {
    // A module that could not be fetched is not asked for again until the page starts anew.
    const view = await found.load().catch(() => undefined);
    if (!view)
      return show(
        content,
        failure(new Problem(0, {}), () => location.reload()),
      );
    let keeps = false;
    /** @type {Context} */
    const context = {
      address,
      id: found.match[1],
      parameters: new URLSearchParams(search),
      signal,
      place,
      keep: (ask) => {
        keeps = true;
        if (!signal.aborted) placeOfView = ask;
      },
      mounted: (done) => afterwards.push(done),
      offer: (offered) => {
        if (!signal.aborted) photos = offered;
      },
    };
    const elements = await view.render(context);
    if (signal.aborted) return;
    document.title = `${typeof view.title === "function" ? view.title(context) : view.title} · ${t("common.gallery")}`;
    show(content, elements);
    if (!keeps) scrollTo(0, place?.y ?? 0);
    for (const done of afterwards) await done();
    if (!photo) /** @type {HTMLElement} */ (content.querySelector("[autofocus]") ?? content).focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Problem && error.status === 401 && found.guarded) {
      store.account = null;
      store.wanted = location.hash || "#/";
      return go("#/login", { replace: true });
    }
    show(
      content,
      failure(error, () => route(true)),
    );
  }
}
