// What a person does with the page, from signing up to cancelling the account, in a real browser against the real program.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { photoFiles, startGallery } from "./gallery.mjs";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const ADA = { name: "Ada", email: "ada@example.org", password: "seventeen green umbrellas" };

let gallery;
let browser;
let page;
const complaints = [];

before(async () => {
  gallery = await startGallery();
  browser = await chromium.launch({ executablePath: process.env.GALLERY_TEST_BROWSER ?? "/usr/bin/chromium", args: ARGUMENTS });
  page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  // An answer that says no is told by the page itself; the browser's own line about it is no complaint of the page.
  page.on("console", (line) => line.type() === "error" && !line.text().startsWith("Failed to load resource") && complaints.push(line.text()));
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
});

const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
const fill = (label, text) => page.getByLabel(label, { exact: true }).fill(text);
const message = (text) => page.locator(".toast", { hasText: text }).first().waitFor();
const tiles = () => page.locator("#content .tile").count();
const go = async (place) => {
  await page.goto(`${gallery.address}#/${place}`);
  await page.reload();
};
/** Waits for a number of photos to be shown, each with its picture. */
async function shown(number) {
  await page.waitForFunction((count) => {
    const pictures = [...document.querySelectorAll("#content .tile img")];
    return pictures.length === count && pictures.every((picture) => picture.complete && picture.naturalWidth > 0);
  }, number);
}

test("a person signs up, is told what is wrong, confirms and logs in", async () => {
  await page.goto(gallery.address);
  await page.getByRole("link", { name: "Sign up" }).click();
  await fill("Name", ADA.name);
  await fill("E-mail address", ADA.email);
  await fill("Password", "too short");
  await press("Sign up");
  await page.getByRole("alert").filter({ hasText: "at least 15" }).waitFor();
  await fill("Password", ADA.password);
  await press("Sign up");
  await page.getByRole("heading", { name: "Confirm your address" }).waitFor();
  await fill("Code", "00000000");
  await press("Confirm");
  await page.getByRole("alert").filter({ hasText: "code is wrong" }).waitFor();
  await fill("Code", /\b\d{8}\b/.exec(await gallery.mail(1))[0]);
  await press("Confirm");
  await fill("Password", ADA.password);
  await press("Log in");
  await page.getByText("Your photos will be here").waitFor();
});

test("photos are uploaded and shown, and what is none says why", async () => {
  const files = await photoFiles(6);
  await page.setInputFiles("#upload-files", [
    ...files,
  ]);
  await page.locator("#uploads", { hasText: "6 of 6 uploaded" }).waitFor();
  await shown(6);
  await page.setInputFiles("#upload-files", [files[0]]);
  await page.locator("#uploads", { hasText: "you have this one already" }).waitFor();
  const text = { name: "holiday.jpg", mimeType: "image/jpeg", buffer: Buffer.from("Dear diary, this is no photo.") };
  await page.setInputFiles("#upload-files", [text]);
  await page.locator("#uploads .failed", { hasText: "text file" }).waitFor();
  assert.match(await page.textContent("#uploads [role=status]"), /7 of 8 uploaded, 1 failed/);

  await go("");
  await page.getByRole("link", { name: "See which, and why" }).click();
  await page.locator(".unfinished li", { hasText: "holiday.jpg" }).filter({ hasText: "text file" }).waitFor();
  await press("Remove holiday.jpg");
  await page.getByText("Every upload has become a photo").waitFor();
});

test("a photo is described, found, sorted into an album, deleted and brought back", async () => {
  await go("");
  await shown(6);
  await page.locator(".tile a").first().click();
  await page.locator(".lightbox").waitFor();
  await press("Edit");
  await fill("Title", "Sunset <b>over</b> the lake");
  for (const tag of ["holiday", "東京"]) {
    await fill("Tags", tag);
    await page.keyboard.press("Enter");
  }
  await press("Save");
  await message("Saved");
  await page.locator(".lightbox-panel .chip", { hasText: "東京" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".lightbox").waitFor({ state: "detached" });
  for (const words of ["sunset", "tag:東京", "lak"]) {
    await page.locator("#search").fill(words);
    await page.keyboard.press("Enter");
    await page.locator(".search-chips .chip", { hasText: words }).waitFor();
    await shown(1);
  }
  assert.equal(await page.locator("#content .tile img").getAttribute("alt"), "Sunset <b>over</b> the lake");

  await page.locator(".tile input").first().check();
  await press("Add to album");
  await page.getByRole("dialog").getByLabel("New album", { exact: true }).fill("Summer");
  await page.getByRole("dialog").getByRole("button", { name: "Make album and add" }).click();
  await message("added to “Summer”");
  await go("albums");
  await page.getByText("Summer").first().click();
  await shown(1);

  await page.locator(".tile input").first().check();
  await press("Move to trash");
  await message("moved to the trash");
  await go("trash");
  await shown(1);
  await page.locator(".tile input").first().check();
  await press("Restore");
  await message("back");
  await go("");
  await shown(6);
  assert.equal(await tiles(), 6);
});

test("the account is cancelled with the password, and nobody gets in any more", async () => {
  await go("account");
  await page.getByRole("heading", { name: "Cancel" }).first().waitFor();
  const form = page.locator("form").filter({ has: page.locator("button.danger") });
  await form.locator("input[type=password]").fill(ADA.password);
  await form.locator("button.danger").click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await fill("E-mail address", ADA.email);
  await fill("Password", ADA.password);
  await press("Log in");
  await page.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
});

test("the browser had nothing to complain of", () => assert.deepEqual(complaints, []));
