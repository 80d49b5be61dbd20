// The ways to add photos: a button, files and folders that are dropped anywhere, files that are pasted. What does the work is loaded when it is needed.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { store } from "../store.js";
import { loadStyles } from "./styles.js";

const uploads = () => import("../uploads.js");

export function startUploads() {
  const isOver = (/** @type {DragEvent} */ event) => Boolean(store.account && event.dataTransfer?.types.includes("Files"));
  const show = (/** @type {boolean} */ dropping) => (/** @type {DragEvent} */ event) => {
    // Between two elements of the page, nothing has left it.
    if (!isOver(event) || (!dropping && event.relatedTarget)) return;
    event.preventDefault();
    loadStyles(new URL("../../css/uploads.css", import.meta.url));
    document.body.dataset.drop = t("upload.drop");
    document.body.classList.toggle("dropping", dropping);
  };
  addEventListener("dragover", show(true));
  addEventListener("dragleave", show(false));
  addEventListener("drop", (event) => {
    if (!isOver(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    add(/** @type {DataTransfer} */ (event.dataTransfer));
  });
  addEventListener("paste", (event) => {
    if (!store.account || !event.clipboardData?.files.length) return;
    event.preventDefault();
    add(event.clipboardData);
  });
  // What was broken off goes on once the page has time for it.
  const whenIdle = globalThis.requestIdleCallback ?? setTimeout;
  addEventListener("address-shown", () => store.account && whenIdle(async () => (await uploads()).goOn()));
}

/** @param {DataTransfer} transfer */
async function add(transfer) {
  // The items are there only while the event is: they are asked for before anything is waited for.
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const sources = items.map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.(), handle: handleOf(item) }));
  (await uploads()).addSources(sources);
}

/** @param {any} item @returns {Promise<any>} */
async function handleOf(item) {
  try {
    return await item.getAsFileSystemHandle?.();
  } catch {
    // A browser may have it and not give it: the file itself will do.
    return undefined;
  }
}

/** A button that asks for files. It stands once, in the header. */
export function uploadButton() {
  const pick = async (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const files = [...(input.files ?? [])];
    input.value = "";
    (await uploads()).addSources(files.map((file) => ({ file })));
  };
  const attributes = { type: "file", multiple: true, accept: "image/jpeg,image/png,image/webp,image/gif", id: "upload-files" };
  const input = h("input", { ...attributes, tabindex: -1, "aria-hidden": "true", onchange: pick });
  const label = t("upload.button");
  return h(
    "span",
    {},
    input,
    h("button", { type: "button", class: "primary", "aria-label": label, onclick: () => input.click() }, icon("upload"), h("span", { class: "wide" }, label)),
  );
}

/** Asks for files, from wherever a view has a button for it. */
export const chooseFiles = () => document.getElementById("upload-files")?.click();
