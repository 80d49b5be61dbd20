// One photo, large, with what is known and said of it.

import { get, patch, remove, post } from "../api.js";
import { averageColour } from "../core/placeholder.js";
import { localTime, moment, size } from "../core/text.js";
import { h } from "../dom.js";
import { field, form } from "../parts/form.js";
import { empty } from "../parts/states.js";
import { go } from "../router.js";
import { toast } from "../toast.js";



export async function photoDetails(id, signal) {
  const photo = await get(`/photos/${id}`, { signal });
  if (photo.state !== "ready") return empty(photo.failure?.detail ?? "This photo is still being looked into. Come back in a moment.");
  const name = photo.title || photo.fileName;
  return [
    h("div", { class: "toolbar" }, h("h1", {}, name), starButton(photo), h("a", { class: "button", href: photo.urls.original, download: photo.fileName }, "Download"), trashButton(photo)),
    h(
      "div",
      { class: "photo" },
      h("figure", { style: { background: averageColour(photo.placeholder) } }, h("img", { src: photo.urls.preview, alt: name, width: photo.width, height: photo.height, style: { width: "auto", height: "auto" } })),
      h("div", {}, details(photo), facts(photo)),
    ),
  ];
}

function starButton(photo) {
  const button = h("button", { type: "button", onclick: turn });
  const label = () => {
    button.textContent = photo.favourite ? "★ Favourite" : "☆ Favourite";
    button.setAttribute("aria-pressed", String(photo.favourite));
  };
  async function turn() {
    Object.assign(photo, await patch(`/photos/${photo.id}`, { favourite: !photo.favourite }));
    label();
  }
  label();
  return button;
}

function trashButton(photo) {
  const restore = async () => {
    await post("/photos/bulk", { ids: [photo.id], action: "restore" });
    go(`#/photos/${photo.id}`);
  };
  const act = async () => {
    await remove(`/photos/${photo.id}`);
    toast("The photo is in the trash", { label: "Undo", act: restore });
    go("#/");
  };
  return h("button", { type: "button", class: "danger", onclick: act }, "Move to trash");
}

function details(photo) {
  const send = async (values) => {
    const tags = values.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    const headers = { "if-match": `"${photo.revision}"` };
    Object.assign(photo, await patch(`/photos/${photo.id}`, { title: values.title, description: values.description, tags }, { headers }));
    toast("Saved");
  };
  const fields = [
    field("Title", "title", { value: photo.title, maxlength: 200 }),
    field("Description", "description", { multiline: true, value: photo.description, maxlength: 5000 }),
    field("Tags", "tags", { value: photo.tags.join(", "), hint: "Divided by commas" }),
  ];
  return form(fields, "Save", send);
}

function facts(photo) {
  const exif = photo.exif ?? {};
  const position = exif.position && `${exif.position.latitude.toFixed(5)}, ${exif.position.longitude.toFixed(5)}`;
  const exposure = exif.exposureSeconds && (exif.exposureSeconds < 0.5 ? `1/${Math.round(1 / exif.exposureSeconds)} s` : `${exif.exposureSeconds} s`);
  const rows = [
    ["File", photo.fileName],
    ["Size", `${photo.width} × ${photo.height}, ${size(photo.size)}`],
    ["Taken", photo.takenAt && localTime(photo.takenAt)],
    ["Added", moment(photo.createdAt)],
    ["Camera", [exif.make, exif.model].filter(Boolean).join(" ")],
    ["Lens", exif.lens],
    ["Exposure", [exposure, exif.fNumber && `f/${exif.fNumber}`, exif.iso && `ISO ${exif.iso}`].filter(Boolean).join(", ")],
    ["Place", position],
    ["Note", photo.damaged && "The file is damaged: parts of the picture may be missing."],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value).flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}
