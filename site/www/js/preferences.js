// Choices that this browser keeps. Storage may be switched off: then they last as long as the page.

const kept = new Map();

/**
 * @param {string} name such as `theme`
 * @returns {string} empty if nothing was chosen
 */
export function preference(name) {
  try {
    return localStorage.getItem(`gallery.${name}`) ?? "";
  } catch {
    return kept.get(name) ?? "";
  }
}

/**
 * @param {string} name
 * @param {string} value empty for no choice
 */
export function setPreference(name, value) {
  kept.set(name, value);
  try {
    if (value) localStorage.setItem(`gallery.${name}`, value);
    else localStorage.removeItem(`gallery.${name}`);
  } catch {
    // Kept above.
  }
}

/**
 * Chooses the colours, now and from now on.
 * @param {"light" | "dark" | ""} theme empty for the system's
 */
export function setTheme(theme) {
  setPreference("theme", theme);
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
