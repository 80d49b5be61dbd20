// Every view, light and dark, from a small phone to a desktop, with the worst names that people give: accessible, never wider than the window, and
// nothing of what a name says is done.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { AxeBuilder } from "@axe-core/playwright";

import { launch, newPage, person } from "./browser.mjs";
import { ADA, startGallery } from "./gallery.mjs";
import { png } from "./png.mjs";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDTHS = [320, 768, 1440];
const LONG = "Donaudampfschifffahrtsgesellschaftskapitän".repeat(5).slice(0, 200);
const NAMES = [
  `<img src=x onerror="globalThis.wasRun = true">`,
  `"><script>globalThis.wasRun = true</script>`,
  "👩‍👩‍👧‍👦🏳️‍🌈🎈",
  "صورة من العطلة‎ ‮abc",
  LONG,
  "a very tall one",
  "a very wide one",
  "plain",
];
const SHAPES = { 5: [1, 10_000], 6: [10_000, 1] };

let browser;
let gallery;
let ids;
let albumId;

before(async () => {
  [browser, gallery] = await Promise.all([launch(), startGallery()]);
  await gallery.createUser({ ...ADA, name: "Ada <i>Lovelace</i> 👩‍💻" });
  const api = await gallery.client(ADA);
  ids = [];
  for (const [at, name] of NAMES.entries()) ids.push(await upload(api, name, png(...(SHAPES[at] ?? [60, 40]), at)));
  await upload(api, "never sent", undefined);
  const album = await api("POST", "/albums", { title: LONG, description: NAMES[1] });
  albumId = (album.album ?? album).id;
  await api("POST", "/albums", { title: NAMES[0] });
  await api("PUT", `/albums/${albumId}/photos`, { photoIds: ids });
  await api("POST", "/photos/bulk", { ids: ids.slice(0, 4), action: "favourite" });
  await api("POST", "/photos/bulk", { ids: [ids[7]], action: "trash" });
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
});

/** Each view: its address, what shows that it is there, and what to do before it is looked at. */
const outside = [
  ["login", "login", "main form"],
  ["sign-up", "signup", "main form", (page) => page.keyboard.press("Enter")],
  ["confirm", "confirm", "main form"],
  ["forgotten password", "forgot", "main form"],
  ["new password", "reset?email=a@example.org&token=x", "main form"],
  ["broken link", "reset", ".state"],
];
const inside = [
  ["timeline", "", ".tile"],
  ["selection", "", ".tile", (page) => page.locator(".tile input").first().check()],
  ["favourites", "favourites", ".tile"],
  ["albums", "albums", "main a[href^='#/albums/']"],
  ["album", () => `albums/${albumId}`, ".tile"],
  ["search", "search?q=wide", ".tile"],
  ["search without a find", "search?q=nothingofthatkind", ".state"],
  ["trash", "trash", ".tile"],
  ["unfinished uploads", "unfinished", ".unfinished"],
  ["account", "account", ".sessions"],
  ["cancelling", "account", ".sessions", (page) => person(page).press("Cancel account …"), "dialog[open]"],
  ["not found", "nowhere", ".state"],
  ["help", "", ".tile", (page) => page.keyboard.press("?"), "dialog[open]"],
  ["one photo", () => `photos/${ids[0]}`, ".lightbox"],
  ["one photo being edited", () => `photos/${ids[4]}`, ".lightbox", (page) => person(page).press("Edit")],
];

test("what is seen before logging in", () => look(outside, () => {}));

test("what is seen after logging in", async () => {
  const enter = async (page) => {
    await page.goto(gallery.address);
    await person(page).logIn(ADA);
  };
  // Two at a time: it is most of the work.
  const half = Math.ceil(inside.length / 2);
  await Promise.all([look(inside.slice(0, half), enter), look(inside.slice(half), enter)]);
});

test("the panel of uploads", () =>
  look(
    [["uploads", "", ".upload-rows li.failed"]],
    async (page) => {
      await page.goto(gallery.address);
      await person(page).logIn(ADA);
      const fake = (name) => ({ name, mimeType: "image/png", buffer: Buffer.from(name) });
      await page.setInputFiles("#upload-files", [fake(`${LONG}.png`), fake(`${NAMES[0].replace(/["/]/g, "")}.png`), fake("no photo.heic")]);
      await page.locator(".upload-rows li.failed").nth(2).waitFor();
    },
    { reload: false },
  ));

/** Looks at views in every theme and width. */
async function look(views, enter, { reload = true } = {}) {
  const { page, context, complaints } = await newPage(browser, { reducedMotion: "reduce" });
  await enter(page);
  const faults = [];
  for (const [name, address, there, act, then] of views) {
    // A view starts from nothing, so that what was opened before is closed.
    if (reload) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto("about:blank");
      await page.goto(`${gallery.address}#/${typeof address === "function" ? address() : address}`);
    }
    await page.locator(there).first().waitFor();
    await act?.(page);
    if (then) await page.locator(then).waitFor();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width < 700 ? 640 : 900 });
      await atRest(page);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (overflow > 0) faults.push(`${name} at ${width} px: ${overflow} px wider than the window`);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await atRest(page);
        const axe = new AxeBuilder({ page });
        // What is not about colours is the same in the dark.
        const { violations } = await (colorScheme === "light" ? axe.withTags(TAGS) : axe.withRules(["color-contrast"])).analyze();
        for (const { id, nodes } of violations) {
          for (const { target, failureSummary } of nodes)
            faults.push(`${name}, ${colorScheme}, ${width} px: ${id}: ${target}: ${failureSummary.replaceAll("\n", " ")}`);
        }
      }
    }
  }
  assert.equal(faults.length, 0, `\n${faults.join("\n")}`);
  assert.equal(await page.evaluate(() => globalThis.wasRun), undefined, "no name was run");
  assert.deepEqual(complaints, []);
  await context.close();
}

/** Waits until rows are laid out anew, and no colour is on its way to another. */
const atRest = (page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    await Promise.allSettled(
      document
        .getAnimations()
        .filter((animation) => animation instanceof CSSTransition)
        .map((animation) => animation.finished),
    );
  });

async function upload(api, title, bytes) {
  const content = bytes ?? Buffer.from("never");
  const sha256 = createHash("sha256").update(content).digest("hex");
  const tags = [title.slice(0, 60)];
  const fileName = `${title.replace(/[/"]/g, "").slice(0, 100)}.png`;
  const { photo, upload: ticket } = await api("POST", "/photos", { fileName, contentType: "image/png", size: content.length, sha256, title, tags });
  if (!bytes) return photo.id;
  const headers = Object.fromEntries(Object.entries(ticket.headers).filter(([name]) => name.toLowerCase() !== "content-length"));
  const response = await fetch(new URL(ticket.url, gallery.address), { method: ticket.method, headers, body: bytes });
  assert.ok(response.ok, await response.text());
  for (;;) {
    const { state, failure } = await api("GET", `/photos/${photo.id}`);
    if (state === "ready") return photo.id;
    if (state === "failed") throw new Error(failure.detail);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
