// Sets the chosen theme before anything is painted: a plain script, so that no page in the wrong colours flashes by.
(() => {
  try {
    const theme = localStorage.getItem("gallery.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be switched off: then the system's theme it is.
  }
})();
