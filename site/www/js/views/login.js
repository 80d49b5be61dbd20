// Logging in.

import { post } from "../api.js";
import { h } from "../dom.js";
import { field, form } from "../parts/form.js";
import { go } from "../router.js";
import { loadAccount, store } from "../store.js";

export const title = "Log in";

export async function render() {
  const send = async (values) => {
    await post("/login", { ...values, cookie: true });
    await loadAccount();
    go(store.wanted);
  };
  const fields = [
    field("E-mail address", "email", { type: "email", autocomplete: "username", value: store.email, autofocus: true }),
    field("Password", "password", { type: "password", autocomplete: "current-password" }),
  ];
  return h(
    "div",
    { class: "narrow" },
    h("h1", {}, "Log in"),
    form(fields, "Log in", send),
    h("p", {}, h("a", { href: "#/forgot" }, "Forgot your password?")),
    h("p", {}, "New here? ", h("a", { href: "#/signup" }, "Sign up")),
  );
}
