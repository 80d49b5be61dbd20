// Logging in.

import { logIn } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { emailField, field, form } from "../parts/form.js";
import { go } from "../router.js";
import { loadAccount, store } from "../store.js";

export const title = () => t("auth.logIn");

export async function render() {
  const send = async (/** @type {any} */ values) => {
    await logIn(values);
    await loadAccount();
    const { wanted } = store;
    store.wanted = "#/";
    go(wanted, { replace: true });
  };
  const fields = [
    emailField({ value: store.email, autofocus: !store.email }),
    field(t("auth.password"), "password", { type: "password", autocomplete: "current-password", required: true, autofocus: Boolean(store.email) }),
  ];
  return h(
    "div",
    { class: "narrow" },
    h("h1", {}, t("auth.logIn")),
    form(fields, t("auth.logIn"), send),
    h("p", {}, h("a", { href: "#/forgot" }, t("auth.forgot"))),
    h("p", {}, t("auth.newHere"), " ", h("a", { href: "#/signup" }, t("auth.signUp"))),
  );
}
