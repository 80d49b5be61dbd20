// Confirming an e-mail address with the code mailed to it.

import { post } from "../api.js";
import { h, values } from "../dom.js";
import { t } from "../i18n.js";
import { emailField, field, form } from "../parts/form.js";
import { explain } from "../problems.js";
import { go } from "../router.js";
import { store } from "../store.js";
import { toast } from "../toast.js";

export const title = () => t("auth.confirm");

/** The digits of a code, however it was copied. @param {string} text */
const digits = (text) => text.normalize("NFKC").replace(/\D/g, "");

export async function render() {
  const send = async (/** @type {any} */ { email, code }) => {
    await post("/confirmemail", { email, code: digits(code) });
    store.email = email;
    toast(t("auth.confirmed"));
    go("#/login");
  };
  const check = (/** @type {string} */ value) => digits(value).length !== 8 && t("auth.codeShort");
  const code = field(t("auth.code"), "code", {
    class: "code",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    maxlength: 40,
    required: true,
    autofocus: Boolean(store.email),
    check,
  });
  const confirm = form([emailField({ value: store.email, autofocus: !store.email }), code], t("auth.confirmAction"), send);
  // A code that is pasted is whole: there is nothing left to do but to send it.
  code.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => {
    const pasted = digits(event.clipboardData?.getData("text") ?? "");
    if (pasted.length !== 8) return;
    event.preventDefault();
    /** @type {any} */ (event.target).value = pasted;
    confirm.requestSubmit();
  });
  const resend = async () => {
    try {
      await post("/confirmemail/resend", { email: values(confirm).email });
      toast(t("auth.resent"));
    } catch (error) {
      toast(explain(error));
    }
  };
  return h(
    "div",
    { class: "narrow" },
    h("h1", {}, t("auth.confirm")),
    h("p", {}, t("auth.confirmHint")),
    confirm,
    h("p", { class: "after-form" }, h("button", { type: "button", onclick: resend }, t("auth.resend"))),
    h("p", { class: "hint" }, t("auth.outboxHint")),
  );
}
