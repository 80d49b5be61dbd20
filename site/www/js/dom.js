// Builds elements. Text always goes in as text, never as markup.

/**
 * An element with attributes, listeners (`onclick`), properties (`value`, `checked`, …) and children.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...any} children
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(element.style, value);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "hidden") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** Puts children in the place of all that an element holds. */
export function show(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
}

/** Reads a form's fields as an object of strings. */
export function values(form) {
  return Object.fromEntries(new FormData(form));
}
