// Asking for a new password.

import { post } from "../api.js";
import { h, show } from "../dom.js";
import { field, form } from "../parts/form.js";
import { store } from "../store.js";

export const title = "Forgot password";

export async function render() {
  const send = async (values) => {
    await post("/forgotpassword", values);
    show(page, h("h1", {}, "Look into your mail"), h("p", {}, "If there is an account with this address, a link to set a new password is on its way."));
  };
  const page = h("div", { class: "narrow" }, h("h1", {}, "Forgot your password?"), form([field("E-mail address", "email", { type: "email", autocomplete: "username", value: store.email, autofocus: true })], "Mail me a link", send));
  return page;
}
