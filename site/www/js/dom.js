// Builds elements. Text always goes in as text, never as markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "indeterminate", "returnValue"]);

/**
 * An element with attributes, listeners (`onclick`), properties (`value`, `checked`, …) and children. What is undefined, null or false is left out.
 * @param {string} name
 * @param {Record<string, any>} [attributes] `style` is an object; its names may be custom properties
 * @param {...any} children
 * @returns {any} an HTMLElement of that name
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") setStyle(element, value);
    else if (PROPERTIES.has(key)) /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...real(children));
  return element;
}

/**
 * Sets styles one by one: the page's policy allows no style attributes.
 * @param {HTMLElement} element
 * @param {Record<string, string>} styles
 */
export function setStyle(element, styles) {
  const own = /** @type {any} */ (element.style);
  for (const [name, value] of Object.entries(styles)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else own[name] = value;
  }
}

/**
 * Puts children in the place of all that an element holds.
 * @param {Element} element
 * @param {...any} children
 */
export function show(element, ...children) {
  element.replaceChildren(...real(children));
}

/**
 * Reads a form's fields as an object of strings.
 * @param {HTMLFormElement} form
 * @returns {Record<string, any>}
 */
export function values(form) {
  return Object.fromEntries(new FormData(form));
}

/** @param {any[]} children */
const real = (children) => children.flat(2).filter((child) => child !== undefined && child !== null && child !== false);

/**
 * An element of the page itself.
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function part(selector) {
  const element = document.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return element;
}

/** Whether somebody asked for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
