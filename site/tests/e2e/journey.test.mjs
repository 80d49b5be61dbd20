// What a person does with the page, from signing up to cancelling the account, in a real browser against the real program.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { drop, launch, newPage, person } from "./browser.mjs";
import { ADA, folderOf, photoFiles, startGallery } from "./gallery.mjs";

let gallery;
let browser;
let page;
let complaints;
let me;

before(async () => {
  [gallery, browser] = await Promise.all([startGallery(), launch()]);
  ({ page, complaints } = await newPage(browser, { viewport: { width: 1280, height: 2400 } }));
  me = person(page);
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
});

const press = (name) => me.press(name);
const fill = (label, text) => me.fill(label, text);
const message = (text) => me.message(text);
const shown = (number) => me.shown(number);
const tiles = () => page.locator("#content .tile").count();
const go = async (place) => {
  await page.goto(`${gallery.address}#/${place}`);
  await page.reload();
};

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

test("20 photos and a folder are uploaded and shown, and what is none says why", async () => {
  const files = await photoFiles(26);
  await page.setInputFiles("#upload-files", files.slice(0, 20));
  await page.locator("#uploads", { hasText: "20 of 20 uploaded" }).waitFor();
  await shown(20);
  const folder = await folderOf(files.slice(20), { "notes.txt": "no photo" });
  await drop(page, [folder.path]);
  await page.locator("#uploads", { hasText: "26 of 26 uploaded" }).waitFor();
  await message("1 file in there is no photo and was left out");
  await shown(26);
  await folder.remove();
  await page.setInputFiles("#upload-files", [files[0]]);
  await page.locator("#uploads", { hasText: "1 you had already" }).waitFor();
  const text = { name: "holiday.jpg", mimeType: "image/jpeg", buffer: Buffer.from("Dear diary, this is no photo.") };
  await page.setInputFiles("#upload-files", [text]);
  await page.locator("#uploads .failed", { hasText: "no photo in this file" }).waitFor();
  await page.locator("#uploads [role=status]", { hasText: "27 of 28 uploaded 26 added · 1 you had already · 1 failed" }).waitFor({ state: "attached" });
  await press("Close");
  await page.locator("#uploads").waitFor({ state: "hidden" });

  await go("");
  await page.getByRole("link", { name: "See which, and why" }).click();
  await page.locator(".unfinished li", { hasText: "holiday.jpg" }).filter({ hasText: "text file" }).waitFor();
  await press("Remove holiday.jpg");
  await page.getByText("Every upload has become a photo").waitFor();
});

test("a photo is described, found, sorted into an album, deleted and brought back", async () => {
  await go("");
  await shown(26);
  await page.locator(".tile a").first().click();
  await page.locator(".lightbox").waitFor();
  await press("Edit");
  await fill("Title", "Zeppelin <b>over</b> the fjord");
  for (const tag of ["holiday", "東京"]) {
    await fill("Tags", tag);
    await page.keyboard.press("Enter");
  }
  await press("Save");
  await message("Saved");
  await page.locator(".lightbox-panel .chip", { hasText: "東京" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".lightbox").waitFor({ state: "detached" });
  for (const words of ["zeppelin", "tag:東京", "fjor"]) {
    await page.locator("#search").fill(words);
    await page.keyboard.press("Enter");
    await page.locator(".search-chips .chip", { hasText: words }).waitFor();
    await shown(1);
  }
  assert.equal(await page.locator("#content .tile img").getAttribute("alt"), "Zeppelin <b>over</b> the fjord");

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
  await shown(26);
  assert.equal(await tiles(), 26);
});

test("the account is cancelled with the password, and nobody gets in any more", async () => {
  await go("account");
  // The file that was no photo may still count, until nothing can come of its upload any more.
  await page.getByText(/^2[67] photos .* and 1 album are deleted for good/).waitFor();
  await press("Cancel account …");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("This cannot be undone").waitFor();
  await dialog.getByLabel("Password").fill("not the password at all");
  await dialog.getByRole("button", { name: "Delete everything" }).click();
  await dialog.getByRole("alert").filter({ hasText: "not your password" }).waitFor();
  await dialog.getByLabel("Password").fill(ADA.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await fill("E-mail address", ADA.email);
  await fill("Password", ADA.password);
  await press("Log in");
  await page.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
});

test("the browser had nothing to complain of", () => assert.deepEqual(complaints, []));
