// Dialogs: the browser's own, so that focus stays inside, Esc closes, and focus goes back to where it was.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { form } from "./form.js";

let dialogs = 0;

/**
 * Opens a dialog and answers with what closed it: "" for Esc or a press beside it.
 * @param {string} title
 * @param {any[]} body
 * @param {{ className?: string }} [options]
 * @returns {{ dialog: HTMLDialogElement, closed: Promise<string> }}
 */
export function openDialog(title, body, { className } = {}) {
  dialogs += 1;
  const id = `dialog-${dialogs}`;
  const before = document.activeElement;
  const dialog = h("dialog", { class: className, "aria-labelledby": id }, h("h2", { id }, title), ...body);
  // A press on the dialog itself that is not on its contents is one on what lies around it.
  dialog.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    const box = dialog.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (event.target === dialog && !inside) dialog.close("");
  });
  document.body.append(dialog);
  dialog.showModal();
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      // Unless somebody has gone elsewhere with it already.
      const hasFocus = document.activeElement === document.body || document.activeElement === null;
      if (hasFocus && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      resolve(dialog.returnValue);
    });
  });
  return { dialog, closed };
}

/**
 * Asks before something grave is done: says what it will do, and answers with what was chosen, or "".
 * @param {string} title
 * @param {string} text
 * @param {{ value: string, label: string, kind?: "danger" | "primary" }[]} answers
 */
export function ask(title, text, answers) {
  const buttons = answers.map(({ value, label, kind = "danger" }) => h("button", { value, class: kind }, label));
  const cancel = h("button", { value: "", autofocus: true }, t("common.cancel"));
  return openDialog(title, [h("form", { method: "dialog" }, h("p", {}, text), h("div", { class: "buttons" }, cancel, buttons))]).closed;
}

/**
 * A form in a dialog. It closes once `send` succeeds; what is wrong stands beside its field.
 * @param {string} title
 * @param {any[]} fields
 * @param {string} label of the button that sends
 * @param {(values: Record<string, any>) => Promise<any>} send
 * @param {{ danger?: boolean }} [options]
 * @returns {Promise<boolean>} whether it was sent
 */
export async function askForm(title, fields, label, send, { danger } = {}) {
  let sent = false;
  const finish = async (/** @type {Record<string, any>} */ values) => {
    await send(values);
    sent = true;
    opened.dialog.close();
  };
  const cancel = h("button", { type: "button", onclick: () => opened.dialog.close() }, t("common.cancel"));
  const opened = openDialog(title, [form(fields, label, finish, { cancel, danger })]);
  await opened.closed;
  return sent;
}
