// The page in another browser: what every visit needs works in Firefox, too. Chromium runs everything else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import puppeteer from "puppeteer-core";

import { ADA, photoFiles, startGallery } from "./gallery.mjs";

let browser;
let gallery;
let page;
const complaints = [];

before(async () => {
  gallery = await startGallery();
  await gallery.createUser(ADA);
  browser = await puppeteer.launch({ browser: "firefox", executablePath: process.env.GALLERY_TEST_FIREFOX ?? "/usr/bin/firefox-esr", headless: true });
  page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
});

const button = (name) => page.locator(`::-p-aria(${name}[role="button"])`).click();
const shown = (count) =>
  page.waitForFunction(
    (wanted) => {
      const pictures = [...document.querySelectorAll("#content .tile img")];
      return pictures.length === wanted && pictures.every((picture) => picture.complete && picture.naturalWidth > 0);
    },
    {},
    count,
  );

test("somebody logs in, uploads, opens a photo, edits it, searches, deletes, undoes and logs out", async () => {
  await page.goto(gallery.address);
  await page.locator("[name=email]").fill(ADA.email);
  await page.locator("[name=password]").fill(ADA.password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#upload-files");
  await (await page.$("#upload-files")).uploadFile(...(await photoFiles(4)));
  await shown(4);

  await page.locator("#content .tile a").click();
  await page.waitForSelector(".lightbox");
  await button("Edit");
  await page.locator(".lightbox [name=title]").fill("Zeppelin over the fjord");
  await button("Save");
  await page.waitForSelector(".toast");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector(".lightbox"));

  await page.locator("#search").fill("zeppelin");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash.startsWith("#/search"));
  await shown(1);
  await page.locator("#content .tile input").click();
  await button("Move to trash");
  await page.waitForFunction(() => document.querySelectorAll("#content .tile").length === 0);
  await page.locator(".toast:last-child button.text").click();
  await shown(1);

  await page.goto(`${gallery.address}#/account`);
  await button("Log out");
  await page.waitForSelector("[name=password]");
});

test("Firefox had nothing to complain of", () => assert.deepEqual(complaints, []));
