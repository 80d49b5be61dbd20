// A session that ends in the middle of work: whoever it was logs in where they are, and what they were doing goes on.

import { logIn } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { go } from "../router.js";
import { store } from "../store.js";
import { openDialog } from "./dialog.js";
import { field, form, userName } from "./form.js";

/** @returns {Promise<boolean>} whether they are logged in again */
export async function logInAgain() {
  const { account } = store;
  if (!account) return false;
  let isIn = false;
  const send = async (/** @type {any} */ { password }) => {
    await logIn({ email: account.email, password });
    isIn = true;
    opened.dialog.close();
  };
  const fields = [
    userName(account.email),
    field(t("auth.password"), "password", { type: "password", autocomplete: "current-password", required: true, autofocus: true }),
  ];
  const elsewhere = h("button", { type: "button", onclick: () => opened.dialog.close() }, t("auth.notNow"));
  const text = h("p", {}, t("auth.endedText", { email: account.email }));
  const opened = openDialog(t("auth.ended"), [text, form(fields, t("auth.logIn"), send, { cancel: elsewhere })]);
  await opened.closed;
  if (isIn) return true;
  store.account = null;
  store.email = account.email;
  store.wanted = location.hash || "#/";
  go("#/login", { replace: true });
  return false;
}
