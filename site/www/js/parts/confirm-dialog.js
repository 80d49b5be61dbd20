// Asks before something grave is done.

import { h } from "../dom.js";

/**
 * @param {string} question
 * @param {[string, string][]} answers value and what its button says; Esc and "Cancel" answer with ""
 * @returns {Promise<string>}
 */
export function ask(question, answers) {
  const buttons = answers.map(([value, text]) => h("button", { value, class: "danger" }, text));
  const cancel = h("button", { value: "", autofocus: true }, "Cancel");
  const dialog = h("dialog", { "aria-label": question }, h("form", { method: "dialog" }, h("p", {}, question), h("div", { class: "row" }, cancel, buttons)));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
