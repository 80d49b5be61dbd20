// The account: what it holds, who is logged in, and the way out.

import { get, patch, post, remove } from "../api.js";
import { h } from "../dom.js";
import { moment, size, t } from "../i18n.js";
import { field, form } from "../parts/form.js";
import { go } from "../router.js";
import { loadAccount, store } from "../store.js";
import { toast } from "../toast.js";

export const title = "Account";

export async function render({ signal }) {
  const [account, sessions] = await Promise.all([get("/account", { signal }), get("/sessions", { signal })]);
  const { usage, quota } = account;
  const leave = () => {
    store.account = null;
    go("#/login");
  };
  const logOut = async () => {
    await post("/logout", {});
    leave();
  };
  const rename = async (values) => {
    await patch("/account", values);
    await loadAccount();
    toast("Saved");
  };
  const changePassword = async (values) => {
    await post("/account/password", values);
    toast("Your password is changed. You are logged out everywhere else.");
    go("#/account");
  };
  const cancel = async (values) => {
    await remove("/account", values);
    toast("Your account is cancelled; everything in it is being deleted.");
    leave();
  };
  return h(
    "div",
    { class: "readable" },
    h("div", { class: "toolbar" }, h("h1", {}, "Account"), h("button", { type: "button", onclick: logOut }, "Log out")),
    h("p", {}, account.email),
    h("p", {}, `${t("common.photos", { count: usage.photos })}, ${size(usage.bytes)} of ${size(quota.bytes)}`, h("progress", { max: quota.bytes, value: usage.bytes, "aria-label": "Space used" })),
    form([field("Name", "name", { value: account.name, autocomplete: "name", maxlength: 100 })], "Save", rename),
    h("h2", {}, "Where you are logged in"),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "What"), h("th", {}, "Last used"), h("th", {}, ""))), h("tbody", {}, sessions.items.map(sessionRow))),
    h("h2", {}, "Change your password"),
    form(
      [
        h("input", { type: "hidden", autocomplete: "username", value: account.email }),
        field("Old password", "oldPassword", { type: "password", autocomplete: "current-password" }),
        field("New password", "newPassword", { type: "password", autocomplete: "new-password", hint: "At least 15 characters." }),
      ],
      "Change password",
      changePassword,
    ),
    h("h2", {}, "Cancel your account"),
    h("p", {}, "You are logged out everywhere at once, and all your photos and albums are deleted. This cannot be undone."),
    form([field("Password", "password", { type: "password", autocomplete: "current-password" })], "Cancel account and delete everything", cancel, { danger: true }),
  );
}

function sessionRow(session) {
  const end = async () => {
    await remove(`/sessions/${session.id}`);
    row.remove();
  };
  const action = session.current ? "this one" : h("button", { type: "button", onclick: end }, "Log out");
  const row = h("tr", {}, h("td", {}, session.client || "unknown"), h("td", {}, moment(session.lastSeenAt)), h("td", {}, action));
  return row;
}
