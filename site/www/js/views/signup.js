// Signing up.

import { post } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { emailField, field, form, newPassword } from "../parts/form.js";
import { go } from "../router.js";
import { store } from "../store.js";

export const title = () => t("auth.signUp");

export async function render() {
  const send = async (/** @type {any} */ values) => {
    await post("/signup", values);
    store.email = values.email;
    go("#/confirm");
  };
  const fields = [
    field(t("auth.name"), "name", { autocomplete: "name", maxlength: 100, required: true, autofocus: true }),
    emailField({ value: store.email }),
    newPassword(t("auth.password"), "password"),
  ];
  return h(
    "div",
    { class: "narrow" },
    h("h1", {}, t("auth.signUp")),
    form(fields, t("auth.signUp"), send),
    h("p", {}, t("auth.before"), " ", h("a", { href: "#/login" }, t("auth.logIn"))),
  );
}
