// The panel that shows uploads, and the ways to start them.

import { UploadQueue } from "../core/upload.js";
import { h, show } from "../dom.js";
import { size, t } from "../i18n.js";
import { icon } from "../icons.js";
import { store } from "../store.js";

const STATES = {
  waiting: "waiting",
  hashing: "reading",
  sending: "uploading",
  processing: "being looked into",
  done: "added",
  duplicate: "you have this one already",
};

const queue = new UploadQueue(changed);
let wasActive = false;

export function startUploads() {
  const drag = (dropping) => (event) => {
    if (!store.account || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", dropping);
  };
  addEventListener("dragover", drag(true));
  addEventListener("dragleave", drag(false));
  addEventListener("drop", (event) => {
    drag(false)(event);
    if (store.account && event.dataTransfer?.files.length) queue.add(event.dataTransfer.files);
  });
  addEventListener("beforeunload", (event) => queue.active && event.preventDefault());
}

/** A button that asks for files. It stands once, in the header. */
export function uploadButton() {
  const pick = (event) => {
    queue.add(event.target.files);
    event.target.value = "";
  };
  const input = h("input", { type: "file", multiple: true, accept: "image/jpeg,image/png,image/webp,image/gif", id: "upload-files", tabindex: -1, "aria-hidden": "true", onchange: pick });
  const label = t("upload.button");
  return h("span", {}, input, h("button", { type: "button", class: "primary", "aria-label": label, onclick: () => input.click() }, icon("upload"), h("span", { class: "wide" }, label)));
}

/** Asks for files, from wherever a view has a button for it. */
export const chooseFiles = () => document.getElementById("upload-files")?.click();

function changed() {
  const panel = document.querySelector("#uploads");
  panel.hidden = queue.uploads.length === 0;
  const clear = h("button", { type: "button", onclick: () => queue.clear() }, "Close");
  show(
    panel,
    h("div", { class: "row" }, h("strong", { role: "status" }, summary(queue.uploads)), !queue.active && clear),
    h("ul", {}, queue.uploads.map(row)),
  );
  if (wasActive && !queue.active) dispatchEvent(new CustomEvent("photos-added"));
  wasActive = queue.active;
}

function row(upload) {
  const { file, state } = upload;
  if (state === "failed") {
    const retry = h("button", { type: "button", onclick: () => queue.retry(upload) }, "Retry");
    return h("li", { class: "failed" }, `${file.name}: ${upload.reason} `, retry);
  }
  const bar = state === "sending" && h("progress", { max: file.size, value: upload.sent, "aria-label": `Upload of ${file.name}` });
  return h("li", {}, `${file.name} (${size(file.size)}): ${STATES[state]}`, bar);
}

/** How far it all has come. What failed is never counted as uploaded. */
function summary(uploads) {
  const failed = uploads.filter((upload) => upload.state === "failed").length;
  const uploaded = uploads.filter(UploadQueue.isOver).length - failed;
  return `${uploaded} of ${uploads.length} uploaded${failed ? `, ${failed} failed` : ""}`;
}
