// Signing up.

import { post } from "../api.js";
import { h } from "../dom.js";
import { field, form } from "../parts/form.js";
import { go } from "../router.js";
import { store } from "../store.js";

export const title = "Sign up";

export async function render() {
  const send = async (values) => {
    await post("/signup", values);
    store.email = values.email;
    go("#/confirm");
  };
  const fields = [
    field("Name", "name", { autocomplete: "name", maxlength: 100, autofocus: true }),
    field("E-mail address", "email", { type: "email", autocomplete: "username" }),
    field("Password", "password", { type: "password", autocomplete: "new-password", hint: "At least 15 characters. A few words in a row are easy to remember." }),
  ];
  return h("div", { class: "narrow" }, h("h1", {}, "Sign up"), form(fields, "Sign up", send), h("p", {}, "Signed up before? ", h("a", { href: "#/login" }, "Log in")));
}
