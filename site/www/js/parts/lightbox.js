// One photo above the view it was opened from.

import { closePhoto } from "../router.js";
import { openDialog } from "./dialog.js";
import { photoDetails } from "./photo-details.js";

/** @type {HTMLDialogElement | undefined} */
let opened;

/** @param {string} id */
export async function open(id) {
  close();
  const { dialog, closed } = openDialog("", await photoDetails(id), { className: "large" });
  opened = dialog;
  closed.then(() => {
    opened = undefined;
    closePhoto();
  });
}

export function close() {
  opened?.close();
}
