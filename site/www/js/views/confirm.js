// Confirming an e-mail address with the code mailed to it.

import { post } from "../api.js";
import { h, values } from "../dom.js";
import { field, form } from "../parts/form.js";
import { go } from "../router.js";
import { store } from "../store.js";
import { toast } from "../toast.js";

export const title = "Confirm";

export async function render() {
  const send = async ({ email, code }) => {
    await post("/confirmemail", { email, code: code.replace(/\D/g, "") });
    store.email = email;
    toast("Your address is confirmed. Log in.");
    go("#/login");
  };
  const fields = [
    field("E-mail address", "email", { type: "email", autocomplete: "username", value: store.email }),
    field("Code", "code", { class: "code", inputmode: "numeric", autocomplete: "one-time-code", autofocus: true }),
  ];
  const confirm = form(fields, "Confirm", send);
  const resend = async () => {
    await post("/confirmemail/resend", { email: values(confirm).email });
    toast("If that address waits for a code, a new one is on its way.");
  };
  return h(
    "div",
    { class: "narrow" },
    h("h1", {}, "Confirm your address"),
    h("p", {}, "We have mailed you a code of 8 digits. On a gallery of your own machine, mail is kept in the folder that the program named when it started."),
    confirm,
    h("p", {}, h("button", { type: "button", onclick: () => resend().catch((error) => toast(error.message)) }, "Send another code")),
  );
}
