// The account: what it holds, how the page looks, who is logged in, and the way out.

import { forgetSession, get, logOut, patch, post, query, remove } from "../api.js";
import { clientName } from "../core/client-name.js";
import { h, show } from "../dom.js";
import { chooseLanguage, currentLanguage, LANGUAGES, moment, number, size, t } from "../i18n.js";
import { icon } from "../icons.js";
import { ask, askForm } from "../parts/dialog.js";
import { field, form, newPassword, userName } from "../parts/form.js";
import { loadStyles } from "../parts/styles.js";
import { preference, setTheme } from "../preferences.js";
import { go } from "../router.js";
import { loadAccount, store } from "../store.js";
import { toast } from "../toast.js";

export const title = () => t("nav.account");

/** @param {import("../router.js").Context} context */
export async function render({ signal }) {
  const styles = loadStyles(new URL("../../css/account.css", import.meta.url));
  const [account, sessions, albums] = await Promise.all([get("/account", { signal }), get("/sessions", { signal }), countAlbums(signal), styles]);
  const end = async () => {
    const uploads = await import("../uploads.js");
    const answers = /** @type {any} */ ([{ value: "leave", label: t("account.logOut") }]);
    if (uploads.isUploading() && !(await ask(t("account.uploading"), t("account.uploadingHint"), answers))) return;
    await uploads.leave();
    await logOut();
    leave();
  };
  return h(
    "div",
    { class: "readable account-page" },
    h("div", { class: "toolbar" }, h("h1", {}, t("nav.account")), h("button", { type: "button", onclick: end }, icon("logout"), t("account.logOut"))),
    section(t("account.you"), h("p", { class: "muted" }, account.email), nameForm(account)),
    section(t("account.usage"), usage(account)),
    section(t("account.look"), look()),
    section(t("account.sessions"), sessionList(sessions.items)),
    section(t("account.password"), passwordForm(account)),
    section(t("account.cancel"), cancel(account, albums)),
  );
}

function leave() {
  store.account = null;
  go("#/login");
}

/** @param {string} heading @param {...any} children */
const section = (heading, ...children) => h("section", {}, h("h2", {}, heading), ...children);

/** @param {AbortSignal} signal */
async function countAlbums(signal) {
  let count = 0;
  let after;
  do {
    const page = await get(query("/albums", { limit: 100, after }), { signal });
    count += page.items.length;
    after = page.next;
  } while (after);
  return count;
}

/** @param {any} account */
function nameForm(account) {
  const rename = async (/** @type {any} */ values) => {
    await patch("/account", values);
    await loadAccount();
    toast(t("common.saved"));
    go("#/account");
  };
  return form([field(t("auth.name"), "name", { value: account.name, autocomplete: "name", maxlength: 100, required: true })], t("common.save"), rename);
}

/** @param {any} account */
function usage({ usage: used, quota }) {
  const text = t("account.usageText", {
    photos: t("common.photos", { count: used.photos }),
    used: size(used.bytes),
    quota: size(quota.bytes),
    most: number(quota.photos),
  });
  return [h("p", {}, text), h("progress", { max: quota.bytes, value: used.bytes, "aria-label": t("account.spaceUsed") })];
}

function look() {
  const option = (/** @type {string} */ value, /** @type {string} */ text, /** @type {string} */ chosen) =>
    h("option", { value, selected: value === chosen }, text);
  const select = (/** @type {string} */ label, /** @type {any[]} */ options, /** @type {(value: string) => void} */ choose) => {
    const id = `choose-${label}`;
    const list = h("select", { id, onchange: (/** @type {any} */ event) => choose(event.target.value) }, options);
    return h("div", { class: "field" }, h("label", { for: id }, t(label)), list);
  };
  const theme = preference("theme");
  const language = preference("language");
  return h(
    "div",
    { class: "pair" },
    select(
      "account.theme",
      ["", "light", "dark"].map((value) => option(value, t(`account.themes.${value || "system"}`), theme)),
      (value) => setTheme(/** @type {any} */ (value)),
    ),
    select(
      "account.language",
      [option("", t("account.browserLanguage"), language), ...Object.entries(LANGUAGES).map(([tag, name]) => option(tag, name, language && currentLanguage()))],
      chooseLanguage,
    ),
  );
}

/** @param {any[]} sessions */
function sessionList(sessions) {
  const list = h("ul", { class: "sessions" });
  const draw = () => show(list, sessions.map(row));
  const end = async (/** @type {any[]} */ ended) => {
    for (const session of ended) await remove(`/sessions/${session.id}`);
    sessions = sessions.filter((session) => !ended.includes(session));
    draw();
    everywhere.hidden = sessions.length < 2;
    toast(t("account.sessionsEnded", { count: ended.length }));
  };
  const row = (/** @type {any} */ session) => {
    const { name, system } = clientName(session.client);
    const what = name && system ? t("account.clientOn", { name, system }) : name || system || t("account.unknownClient");
    const when = h("div", { class: "hint" }, t("account.lastUsed", { when: moment(session.lastSeenAt) }));
    const action = session.current
      ? h("span", { class: "chip" }, t("account.thisOne"))
      : h("button", { type: "button", "aria-label": t("account.endSession", { what }), onclick: () => end([session]) }, t("account.logOut"));
    return h("li", {}, h("div", {}, h("strong", { title: session.client }, what), when), action);
  };
  const everywhere = h("button", { type: "button", onclick: () => end(sessions.filter((session) => !session.current)) }, t("account.logOutElsewhere"));
  everywhere.hidden = sessions.length < 2;
  draw();
  return [list, everywhere];
}

/** @param {any} account */
function passwordForm(account) {
  const change = async (/** @type {any} */ values) => {
    await post("/account/password", values);
    toast(t("account.passwordChanged"));
    go("#/account");
  };
  const old = field(t("account.oldPassword"), "oldPassword", { type: "password", autocomplete: "current-password", required: true });
  return form([userName(account.email), old, newPassword(t("auth.newPassword"), "newPassword")], t("account.changePassword"), change);
}

/** @param {any} account @param {number} albums */
function cancel(account, albums) {
  const what = t("account.cancelWhat", {
    photos: t("common.photos", { count: account.usage.photos }),
    bytes: size(account.usage.bytes),
    albums: t("account.albums", { count: albums }),
  });
  const ask = async () => {
    const erase = (/** @type {any} */ { password }) => remove("/account", { password });
    const password = field(t("auth.password"), "password", { type: "password", autocomplete: "current-password", required: true, autofocus: true });
    const text = [h("p", {}, what), h("p", {}, t("account.cancelForGood")), userName(account.email), password];
    if (!(await askForm(t("account.cancelTitle"), text, t("account.cancelAction"), erase, { danger: true }))) return;
    await (await import("../uploads.js")).leave();
    forgetSession();
    toast(t("account.cancelled"));
    leave();
  };
  return [h("p", {}, what), h("button", { type: "button", class: "danger", onclick: ask }, t("account.cancelBegin"))];
}
