// Starts the site: texts, configuration, who is logged in, then whatever the address asks for.

import { configure } from "./api.js";
import { part, show } from "./dom.js";
import { loadLanguage, t } from "./i18n.js";
import { startPageKeys } from "./parts/page-keys.js";
import { failure } from "./parts/states.js";
import { startUploads } from "./parts/upload-panel.js";
import { startRouter } from "./router.js";
import { loadAccount } from "./store.js";
import { toast } from "./toast.js";

// What a button's handler leaves unsaid, a message says; what was given up because somebody went elsewhere is no failure.
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name === "AbortError") event.preventDefault();
  else toast(event.reason?.message ?? t("states.failed"));
});

try {
  await Promise.all([loadLanguage(), configure().then(loadAccount)]);
  startUploads();
  startPageKeys();
  await startRouter();
} catch (error) {
  show(part("#content"), failure(error, () => location.reload()));
}
