// Hashes files beside the page, which goes on meanwhile.

import { sha256 } from "./core/sha256.js";

addEventListener("message", async (/** @type {MessageEvent<{ id: number, file: Blob }>} */ { data: { id, file } }) => {
  try {
    postMessage({ id, hash: await sha256(file) });
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
});
