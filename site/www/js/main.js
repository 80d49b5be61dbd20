// Starts the site: texts, configuration, who is logged in, then whatever the address asks for.

import { configure, Problem, whenSessionEnds } from "./api.js";
import { part, show } from "./dom.js";
import { loadLanguage } from "./i18n.js";
import { startUploads } from "./parts/add-photos.js";
import { startPageKeys } from "./parts/page-keys.js";
import { failure } from "./parts/states.js";
import { explain } from "./problems.js";
import { startRouter } from "./router.js";
import { loadAccount } from "./store.js";
import { toast } from "./toast.js";

// What a button's handler leaves unsaid, a message says; what was given up because somebody went elsewhere is no failure.
addEventListener("unhandledrejection", (event) => {
  const isAbort = event.reason?.name === "AbortError";
  if (!isAbort) toast(explain(event.reason));
  // What was told is no fault of the page.
  if (isAbort || event.reason instanceof Problem) event.preventDefault();
});

try {
  const outcomes = await Promise.allSettled([loadLanguage(), configure().then(loadAccount)]);
  // What failed can be said once the texts are there, and not before.
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  whenSessionEnds(async () => (await import("./parts/log-in-again.js")).logInAgain());
  startUploads();
  startPageKeys();
  await startRouter();
} catch (error) {
  show(
    part("#content"),
    failure(error, () => location.reload()),
  );
}
