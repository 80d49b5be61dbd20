// Forms: labels, reasons next to the fields they are about, and no second send while the first is under way.

import { Problem } from "../api.js";
import { h, values } from "../dom.js";

let fields = 0;

/**
 * A labelled field.
 * @param {string} label
 * @param {string} name
 * @param {Record<string, any>} [attributes] of the input; `multiline` makes it a text area, `hint` stands below
 */
export function field(label, name, { hint, multiline, ...attributes } = {}) {
  fields += 1;
  const id = `field-${fields}`;
  const input = h(multiline ? "textarea" : "input", { id, name, "aria-describedby": `${id}-hint ${id}-error`, ...attributes });
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    hint && h("div", { class: "hint", id: `${id}-hint` }, hint),
    h("div", { class: "error", id: `${id}-error`, role: "alert" }),
  );
}

/**
 * A form that calls `send` with its values.
 * @param {any[]} children
 * @param {string} action what the button says
 * @param {(values: Record<string, string>) => Promise<any>} send
 * @param {{ danger?: boolean, cancel?: any }} [options] `cancel` stands before the button that sends
 */
export function form(children, action, send, { danger, cancel } = {}) {
  const error = h("p", { class: "form-error", role: "alert" });
  const button = h("button", { class: danger ? "danger" : "primary" }, action);
  const element = h("form", { onsubmit: submit, novalidate: true }, children, error, cancel ? h("div", { class: "buttons" }, cancel, button) : button);

  async function submit(event) {
    event.preventDefault();
    tell({});
    error.textContent = "";
    button.disabled = true;
    try {
      await send(values(element));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const named = tell(problem.fields);
      error.textContent = named ? "" : problem.message;
    } finally {
      button.disabled = false;
    }
  }

  /** Puts each reason next to its field; whether there was a field for every one. */
  function tell(reasons) {
    let told = 0;
    for (const input of element.querySelectorAll("input, textarea")) {
      const own = Object.entries(reasons).filter(([pointer]) => pointer.split("/")[0] === input.name);
      const place = document.getElementById(`${input.id}-error`);
      if (!place) continue;
      place.textContent = own.map(([, reason]) => `${input.labels[0].textContent} ${reason}.`).join(" ");
      input.setAttribute("aria-invalid", String(own.length > 0));
      if (own.length && !told) input.focus();
      told += own.length;
    }
    return told > 0 && told === Object.keys(reasons).length;
  }

  return element;
}
