// Style sheets that only some views need.

/** @type {Map<string, Promise<any>>} */
const loaded = new Map();

/**
 * Loads style sheets, each once.
 * @param {...URL} urls
 */
export function loadStyles(...urls) {
  return Promise.all(
    urls.map(({ href }) => {
      const known = loaded.get(href);
      if (known) return known;
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = href;
      const done = new Promise((resolve) => {
        link.onload = resolve;
        // What cannot be styled can still be used.
        link.onerror = resolve;
      });
      document.head.append(link);
      loaded.set(href, done);
      return done;
    }),
  );
}
