// Asking for a new password.

import { post } from "../api.js";
import { h, show } from "../dom.js";
import { t } from "../i18n.js";
import { emailField, form } from "../parts/form.js";
import { store } from "../store.js";

export const title = () => t("auth.forgot");

export async function render() {
  const send = async (/** @type {any} */ values) => {
    await post("/forgotpassword", values);
    const heading = h("h1", { tabindex: -1 }, t("auth.forgotSent"));
    show(
      page,
      heading,
      h("p", {}, t("auth.forgotSentHint")),
      h("p", { class: "hint" }, t("auth.outboxHint")),
      h("p", {}, h("a", { href: "#/login" }, t("auth.logIn"))),
    );
    heading.focus();
  };
  const ask = form([emailField({ value: store.email, autofocus: true })], t("auth.forgotAction"), send);
  const page = h("div", { class: "narrow" }, h("h1", {}, t("auth.forgot")), ask, h("p", {}, h("a", { href: "#/login" }, t("auth.logIn"))));
  return page;
}
