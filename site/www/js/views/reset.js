// Setting a new password with the link that was mailed.

import { post } from "../api.js";
import { h } from "../dom.js";
import { field, form } from "../parts/form.js";
import { go } from "../router.js";
import { store } from "../store.js";
import { toast } from "../toast.js";

export const title = "New password";

export async function render({ parameters }) {
  const [email, token] = [parameters.get("email") ?? "", parameters.get("token") ?? ""];
  const send = async (values) => {
    await post("/resetpassword", { email, token, password: values.password });
    store.email = email;
    toast("Your new password is set. Log in.");
    go("#/login");
  };
  const fields = [
    h("input", { type: "hidden", autocomplete: "username", value: email }),
    field("New password", "password", { type: "password", autocomplete: "new-password", hint: "At least 15 characters.", autofocus: true }),
  ];
  return h("div", { class: "narrow" }, h("h1", {}, "Set a new password"), form(fields, "Set password", send));
}
