// A field for tags: chips, and a list that completes what is typed from the tags that there are.

import { get, query } from "../api.js";
import { h, show } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { completion } from "./completion.js";

let inputs = 0;

/**
 * @param {string[]} initial
 * @param {string} label
 */
export function tagInput(initial, label) {
  inputs += 1;
  const id = `tags-${inputs}`;
  const tags = [...initial];
  const chips = h("div", { class: "chips" });
  const input = h("input", { id, name: "tags", autocomplete: "off", maxlength: 64, "aria-describedby": `${id}-hint ${id}-error` });
  const add = (/** @type {string} */ text) => {
    for (const tag of text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean))
      if (!tags.includes(tag)) tags.push(tag);
    input.value = "";
    draw();
  };
  const draw = () =>
    show(
      chips,
      tags.map((tag) => {
        const remove = () => {
          tags.splice(tags.indexOf(tag), 1);
          draw();
          input.focus();
        };
        return h(
          "span",
          { class: "chip" },
          h("bdi", {}, tag),
          h("button", { type: "button", "aria-label": t("tags.removeOne", { tag }), onclick: remove }, icon("close")),
        );
      }),
    );
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.key === "Enter" || event.key === ",") && input.value.trim()) {
      event.preventDefault();
      add(input.value);
    } else if (event.key === "Backspace" && !input.value && tags.length) {
      tags.pop();
      draw();
    }
  });
  draw();
  const complete = async (/** @type {string} */ prefix) => {
    const { items } = await get(query("/tags", { prefix, limit: 8 }));
    return items
      .filter((/** @type {any} */ item) => !tags.includes(item.tag))
      .map((/** @type {any} */ item) => ({ text: item.tag, count: item.photos, choose: () => add(item.tag) }));
  };
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    chips,
    h("div", { class: "completion" }, input, completion(input, complete)),
    h("div", { class: "hint", id: `${id}-hint` }, t("tags.hint")),
    h("div", { class: "error", id: `${id}-error`, role: "alert" }),
  );
  return {
    element,
    tags,
    /** Takes over what was typed and not yet made a tag. */
    finish: () => add(input.value),
  };
}
