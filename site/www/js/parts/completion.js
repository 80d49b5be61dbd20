// A field with a list that completes what is typed: arrows choose, Enter takes, Esc closes.

import { h, show } from "../dom.js";
import { number } from "../i18n.js";

const WAIT_MS = 120;
let lists = 0;

/** @typedef {{ text: string, hint?: string, count?: number, choose: () => any }} Suggestion */

/**
 * @param {HTMLInputElement} input
 * @param {(text: string) => Promise<Suggestion[]>} suggest
 * @returns {HTMLElement} the list, which belongs right behind the field
 */
export function completion(input, suggest) {
  lists += 1;
  const id = `completion-${lists}`;
  const list = h("div", { class: "menu", role: "listbox", id, hidden: true, "aria-label": input.getAttribute("aria-label") ?? input.name });
  /** @type {Suggestion[]} */
  let suggestions = [];
  let chosen = -1;
  let asked = 0;
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false" }))
    input.setAttribute(name, value);

  const close = () => {
    asked += 1;
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const take = (/** @type {number} */ at) => {
    const suggestion = suggestions[at];
    close();
    suggestion.choose();
    input.focus();
  };
  const mark = (/** @type {number} */ at) => {
    chosen = at;
    for (const [index, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(index === at));
    if (at < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `${id}-${at}`);
    return list.children[at].scrollIntoView({ block: "nearest" });
  };
  async function ask() {
    asked += 1;
    const mine = asked;
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    if (mine !== asked) return;
    // Whoever types needs no message that nothing completes it.
    const found = await suggest(input.value).catch(() => []);
    if (mine !== asked || document.activeElement !== input) return;
    suggestions = found;
    chosen = -1;
    input.removeAttribute("aria-activedescendant");
    show(
      list,
      found.map(({ text, hint, count }, at) =>
        h(
          "div",
          {
            role: "option",
            id: `${id}-${at}`,
            "aria-selected": "false",
            onpointerdown: (/** @type {Event} */ event) => event.preventDefault(),
            onclick: () => take(at),
          },
          h("bdi", {}, text),
          hint && h("span", { class: "muted" }, hint),
          count !== undefined && h("span", { class: "count" }, number(count)),
        ),
      ),
    );
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
  }

  input.addEventListener("input", ask);
  input.addEventListener("focus", ask);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    if (event.key in steps) {
      const count = suggestions.length + 1;
      mark(((chosen + 1 + steps[event.key] + count) % count) - 1);
    } else if (event.key === "Enter" && chosen >= 0) take(chosen);
    else if (event.key === "Escape") {
      close();
      event.stopPropagation();
    } else return;
    event.preventDefault();
  });
  if (document.activeElement === input) ask();
  return list;
}
