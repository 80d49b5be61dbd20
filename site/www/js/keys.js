// Which key does what. Of the layers that know a key, the topmost acts: a photo above the view, then the view, then the page.

/** @typedef {"page" | "view" | "lightbox"} Layer */

/** @type {Record<Layer, Record<string, (event: KeyboardEvent) => any>[]>} */
const layers = { lightbox: [], view: [], page: [] };
let isListening = false;

/**
 * Lets keys do something, for as long as the signal allows. What a key does answers `false` if it has nothing to do.
 * @param {Record<string, (event: KeyboardEvent) => any>} keys by name, such as `f`, `?`, `ArrowLeft`, `Ctrl+a`
 * @param {{ signal?: AbortSignal, layer: Layer }} options
 */
export function onKeys(keys, { signal, layer }) {
  layers[layer].push(keys);
  signal?.addEventListener("abort", () => layers[layer].splice(layers[layer].indexOf(keys), 1));
  if (!isListening) addEventListener("keydown", pressed);
  isListening = true;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || event.altKey || isTyping(event)) return;
  const name = event.ctrlKey || event.metaKey ? `Ctrl+${event.key.toLowerCase()}` : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // A dialog has the keys for itself, but for the lightbox's own, which is one.
  const dialog = document.querySelector("dialog[open]");
  const asked = dialog ? [] : layers.lightbox.length ? layers.lightbox : [...layers.view, ...layers.page];
  for (const keys of [...asked].reverse()) {
    const act = keys[name];
    if (act && act(event) !== false) {
      event.preventDefault();
      return;
    }
  }
}

/** Whether the key is meant for a field. @param {KeyboardEvent} event */
function isTyping(event) {
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && ["checkbox", "radio", "button"].includes(target.type)) return event.key === " ";
  return target.matches("input, textarea, select, [contenteditable]") || target.closest("[role=slider], [role=menu]") !== null;
}
