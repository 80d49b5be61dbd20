// Forms: labels, reasons next to the fields they are about, and no second send while the first is under way.

import { Problem } from "../api.js";
import { h, values } from "../dom.js";
import { t } from "../i18n.js";
import { explain, explainField } from "../problems.js";

let fields = 0;

/** @typedef {(value: string) => string | false | undefined} Check why a value will not do, before it is sent */
/** @type {WeakMap<Element, Check>} */
const checks = new WeakMap();

/**
 * A labelled field.
 * @param {string} label
 * @param {string} name
 * @param {Record<string, any>} [attributes] of the input; `multiline` makes it a text area, `hint` stands below, `check` is a {@link Check}
 */
export function field(label, name, { hint, multiline, check, ...attributes } = {}) {
  fields += 1;
  const id = `field-${fields}`;
  const described = hint ? `${id}-hint ${id}-error` : `${id}-error`;
  const input = h(multiline ? "textarea" : "input", { id, name, "aria-describedby": described, ...attributes });
  if (check) checks.set(input, check);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    hint && h("div", { class: "hint", id: `${id}-hint` }, hint),
    h("div", { class: "error", id: `${id}-error`, role: "alert" }),
  );
}

/** Whose password it is, for whoever keeps passwords: nobody sees it. @param {string} email */
export const userName = (email) =>
  h("input", { type: "text", name: "", class: "quiet", autocomplete: "username", value: email, readonly: true, tabindex: -1, "aria-hidden": "true" });

/** A new password. @param {string} label @param {string} name @param {Record<string, any>} [attributes] */
export function newPassword(label, name, attributes = {}) {
  const check = (/** @type {string} */ value) => [...value].length < SHORTEST_PASSWORD && t("auth.passwordShort");
  return field(label, name, { type: "password", autocomplete: "new-password", hint: t("auth.passwordHint"), required: true, check, ...attributes });
}

const SHORTEST_PASSWORD = 15;

/** An e-mail address. @param {Record<string, any>} [attributes] */
export function emailField(attributes = {}) {
  const check = (/** @type {string} */ value) => !/^\S+@\S+$/.test(value.trim()) && t("auth.emailWrong");
  return field(t("auth.email"), "email", {
    type: "email",
    inputmode: "email",
    autocomplete: "username",
    required: true,
    spellcheck: "false",
    check,
    ...attributes,
  });
}

/**
 * A form that calls `send` with its values.
 * @param {any[]} children
 * @param {string} action what the button says
 * @param {(values: Record<string, any>) => Promise<any>} send
 * @param {{ danger?: boolean, cancel?: any }} [options] `cancel` stands before the button that sends
 */
export function form(children, action, send, { danger, cancel } = {}) {
  const error = h("p", { class: "form-error", role: "alert" });
  const button = h("button", { class: danger ? "danger" : "primary" }, action);
  const element = h("form", { onsubmit: submit, novalidate: true }, children, error, cancel ? h("div", { class: "buttons" }, cancel, button) : button);

  async function submit(/** @type {Event} */ event) {
    event.preventDefault();
    if (button.disabled) return;
    error.textContent = "";
    if (tell(missing()) > 0) return;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    try {
      await send(values(element));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const reasons = Object.entries(problem.fields).map(([pointer, reason]) => [pointer.split("/")[0], reason]);
      const named = Object.fromEntries(reasons.map(([name, reason]) => [name, explainField(labelOf(name), reason)]));
      const told = tell(named);
      if (told === 0 || told < Object.keys(named).length) error.textContent = explain(problem);
    } finally {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }

  const inputs = () => /** @type {HTMLInputElement[]} */ ([...element.querySelectorAll("input, textarea")]);

  /** What can be said without asking the gallery. */
  function missing() {
    /** @type {Record<string, string>} */
    const reasons = {};
    for (const input of inputs()) {
      const reason = input.required && !input.value ? t("common.required") : checks.get(input)?.(input.value);
      if (reason) reasons[input.name] = reason;
    }
    return reasons;
  }

  const labelOf = (/** @type {string} */ name) => inputs().find((input) => input.name === name)?.labels?.[0]?.textContent ?? "";

  /** Puts each reason next to its field and the focus into the first; how many there was a field for. @param {Record<string, string>} reasons */
  function tell(reasons) {
    let told = 0;
    for (const input of inputs()) {
      const place = element.querySelector(`#${input.id || "none"}-error`);
      if (!place) continue;
      const reason = reasons[input.name] ?? "";
      place.textContent = reason;
      if (reason) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      if (reason && !told) input.focus();
      if (reason) told += 1;
    }
    return told;
  }

  return element;
}
