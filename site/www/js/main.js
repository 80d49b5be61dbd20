// Starts the site: configuration, who is logged in, then whatever the address asks for.

import { configure } from "./api.js";
import { showHeader } from "./parts/header.js";
import { startUploads } from "./parts/upload-panel.js";
import { startRouter } from "./router.js";
import { loadAccount } from "./store.js";
import { show } from "./dom.js";
import { failure } from "./parts/states.js";
import { toast } from "./toast.js";

// What a button's handler leaves unsaid, a message says.
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "AbortError") toast(event.reason?.message ?? "Something went wrong. Try again.");
});

try {
  await configure();
  await loadAccount();
  showHeader();
  startUploads();
  startRouter();
} catch (error) {
  show(document.querySelector("#content"), failure(error, () => location.reload()));
}
