// Setting a new password with the link that was mailed.

import { post } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { form, newPassword, userName } from "../parts/form.js";
import { linkButton, state } from "../parts/states.js";
import { go } from "../router.js";
import { store } from "../store.js";
import { toast } from "../toast.js";

export const title = () => t("auth.reset");

/** @param {import("../router.js").Context} context */
export async function render({ parameters }) {
  const [email, token] = [parameters.get("email") ?? "", parameters.get("token") ?? ""];
  if (!email || !token) return state("warning", t("auth.resetBroken"), t("auth.resetBrokenHint"), linkButton("#/forgot", t("auth.forgotAgain"), "primary"));
  const send = async (/** @type {any} */ { password }) => {
    await post("/resetpassword", { email, token, password });
    store.email = email;
    store.account = null;
    toast(t("auth.resetDone"));
    go("#/login");
  };
  const fields = [userName(email), newPassword(t("auth.newPassword"), "password", { autofocus: true })];
  return h(
    "div",
    { class: "narrow" },
    h("h1", {}, t("auth.reset")),
    h("p", { class: "muted" }, email),
    form(fields, t("auth.resetAction"), send),
    h("p", {}, h("a", { href: "#/forgot" }, t("auth.forgotAgain"))),
  );
}
