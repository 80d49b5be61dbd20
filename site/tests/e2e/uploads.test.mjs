// Uploads that go wrong in every way there is: each photo arrives exactly once, and what does not says why.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";

import { drop, launch, newPage, person } from "./browser.mjs";
import { ADA, photoFiles, startGallery } from "./gallery.mjs";

const MANY = 300;
const HEAP_GROWTH = 30e6;

let browser;
let gallery;
let api;
/** Different real photos, none of them large, in a folder within a folder. */
let folder;
let hashes;

before(async () => {
  [browser, gallery] = await Promise.all([launch(), startGallery()]);
  await gallery.createUser(ADA);
  api = await gallery.client(ADA);
  folder = await mkdtemp(join(tmpdir(), "gallery-drop-"));
  hashes = await fill(folder, MANY);
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
  if (folder) await rm(folder, { recursive: true });
});

test("300 real photos in one drop, the server cut off, the line cut off, the page reloaded: each arrives exactly once", async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page);
  const heap = await heapOf(page);
  const sending = countSending(page);

  await drop(page, [folder]);
  await uploaded(page, 20);
  await gallery.cut();
  await page.locator(".upload-notice", { hasText: "No connection" }).waitFor();
  await gallery.restore();
  await uploaded(page, 60);
  await context.setOffline(true);
  await page.locator(".upload-notice", { hasText: "No connection" }).waitFor();
  await context.setOffline(false);
  await uploaded(page, 100);
  await heap.look();
  // Whoever leaves before the browser has copied the files is asked whether they mean it.
  await page.waitForFunction(() => dispatchEvent(new Event("beforeunload", { cancelable: true })), undefined, { timeout: 60_000 });
  await page.reload();
  await page.locator("#uploads:not([hidden])").waitFor();
  await page.locator(".upload-title", { hasText: /^(\d+) of \1 uploaded$/ }).waitFor({ timeout: 120_000 });
  await heap.look();

  const photos = await allPhotos();
  assert.deepEqual(photos.map((photo) => photo.sha256).sort(), hashes.toSorted());
  assert.deepEqual((await api("GET", "/photos?unfinished=true&limit=100")).items, []);
  assert.equal(sending.most(), 4, "four at a time");
  assert.ok(heap.growth() < HEAP_GROWTH, `the heap grew by ${heap.growth()} bytes`);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("what is there already is not sent, and said", async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page);
  const sending = countSending(page);
  await drop(page, [folder]);
  await page.locator("#uploads", { hasText: `${MANY} you had already` }).waitFor({ timeout: 60_000 });
  await page.locator(".upload-rows li", { hasText: "you have this one already" }).first().waitFor();
  assert.equal(sending.most(), 0);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a server with bad moments, and one that asks for patience, are tried again", async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page);
  const answers = { announce: [503, 429, 502], check: [500], send: [503, "abort", 500] };
  const failFirst = (kind) => (route) => {
    const status = route.request().method() === "GET" ? undefined : answers[kind].shift();
    if (status === undefined) return route.fallback();
    if (status === "abort") return route.abort("connectionreset");
    const headers = status === 429 ? { "retry-after": "1" } : {};
    return route.fulfill({ status, headers, contentType: "application/problem+json", body: JSON.stringify({ detail: "a bad moment" }) });
  };
  await page.route("**/api/photos", failFirst("announce"));
  await page.route("**/api/photos/check", failFirst("check"));
  await page.route("**/api/blobs/**", failFirst("send"));
  const before = (await allPhotos()).length;
  await page.setInputFiles(
    "#upload-files",
    ["one", "two", "three"].map((name) => madeUp(name)),
  );
  await page.locator("#uploads", { hasText: "3 added" }).waitFor({ timeout: 60_000 });
  assert.deepEqual(Object.values(answers), [[], [], []], "every answer was given");
  assert.equal((await allPhotos()).length, before + 3);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("what fails names the file and the reason, and a retry goes well once the reason is gone", async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page);
  let isBroken = true;
  await page.route("**/api/photos", (route) => {
    if (!isBroken || route.request().method() !== "POST") return route.fallback();
    const body = JSON.stringify({ type: "urn:gallery:problem:over-quota", detail: "full" });
    return route.fulfill({ status: 413, contentType: "application/problem+json", body });
  });
  const diary = { name: "dïary 🎈 <b>.jpg", mimeType: "image/jpeg", buffer: Buffer.from("Dear diary, this is no photo.") };
  await page.setInputFiles("#upload-files", [madeUp("four"), diary, { name: "phone.heic", mimeType: "image/heic", buffer: Buffer.from("heic") }]);
  const row = (name) => page.locator(".upload-rows li.failed", { hasText: name });
  await row("four.png").filter({ hasText: "account is full" }).waitFor();
  await row("phone.heic").filter({ hasText: "no JPEG, PNG, WebP or GIF" }).waitFor();
  assert.equal(
    await row("phone.heic")
      .getByRole("button", { name: /^Try again/ })
      .count(),
    0,
    "another attempt would change nothing",
  );
  isBroken = false;
  await page.getByRole("button", { name: "Try again: four.png" }).click();
  await page.locator(".upload-rows li.done", { hasText: "four.png" }).waitFor();
  await page.getByRole("button", { name: `Try again: ${diary.name}` }).click();
  await row(diary.name).filter({ hasText: "There is no photo in this file" }).waitFor();
  await page.getByRole("button", { name: `Remove from the list: ${diary.name}` }).click();
  await row(diary.name).waitFor({ state: "detached" });
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a pause stops the bytes, going on sends them, and cancelling leaves nothing behind", async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page);
  let isHeld = true;
  await page.route("**/api/blobs/**", async (route) => {
    while (isHeld && route.request().method() === "PUT") await new Promise((resolve) => setTimeout(resolve, 50));
    await route.fallback().catch(() => {});
  });
  await page.setInputFiles(
    "#upload-files",
    ["five", "six"].map((name) => madeUp(name)),
  );
  await page.locator(".upload-rows li.sending").nth(1).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator(".upload-title", { hasText: "Paused: 0 of 2 uploaded" }).waitFor();
  isHeld = false;
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await page.locator("#uploads", { hasText: "2 added" }).waitFor();
  isHeld = true;
  await page.setInputFiles("#upload-files", [madeUp("seven")]);
  await page.locator(".upload-rows li.sending").waitFor();
  await page.getByRole("button", { name: "Cancel the rest" }).click();
  await page.locator("#uploads", { hasText: "2 of 2 uploaded" }).waitFor();
  isHeld = false;
  await page.waitForFunction(async () => (await (await fetch("/api/photos?unfinished=true")).json()).items.length === 0);
  await page.reload();
  await page.getByRole("link", { name: "Photos" }).waitFor();
  await page.waitForTimeout(500);
  assert.ok(await page.locator("#uploads").isHidden(), "nothing is taken up again");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("uploads outlast the end of a session, and whoever logs out leaves none of them behind", async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page);
  let isHeld = true;
  await page.route("**/api/blobs/**", async (route) => {
    while (isHeld && route.request().method() === "PUT") await new Promise((resolve) => setTimeout(resolve, 50));
    await route.fallback().catch(() => {});
  });
  await page.setInputFiles("#upload-files", [madeUp("eight")]);
  await page.locator(".upload-rows li.sending").waitFor();
  const another = await gallery.client(ADA);
  const { items } = await another("GET", "/sessions");
  for (const { id, current, client } of items) if (!current && client.startsWith("Mozilla")) await another("DELETE", `/sessions/${id}`);
  isHeld = false;
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.getByRole("button", { name: "Not now" }).click();
  await page.locator(".upload-title", { hasText: "Paused" }).waitFor();
  await person(page).fill("Password", ADA.password);
  await page.keyboard.press("Enter");
  await page.locator(".upload-rows li.done", { hasText: "eight.png" }).waitFor();

  isHeld = true;
  await page.setInputFiles("#upload-files", [madeUp("nine")]);
  await page.locator(".upload-rows li.sending").waitFor();
  await page.goto(`${gallery.address}#/account`);
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await page.getByRole("dialog", { name: "Log out now?" }).getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  isHeld = false;
  const left = await page.evaluate(async () => {
    const request = indexedDB.open("gallery", 1);
    await new Promise((resolve) => (request.onsuccess = resolve));
    const files = request.result.transaction("files").objectStore("files").count();
    return new Promise((resolve) => (files.onsuccess = () => resolve(files.result)));
  });
  assert.equal(left, 0, "no photo stays in the browser");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a picture that is pasted is uploaded", async () => {
  const { page, context, complaints } = await newPage(browser);
  await logIn(page);
  await page.evaluate(() => {
    const canvas = new OffscreenCanvas(40, 30);
    canvas.getContext("2d").fillRect(5, 5, 20, 20);
    return canvas.convertToBlob({ type: "image/png" }).then((blob) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([blob], "pasted.png", { type: "image/png" }));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    });
  });
  await page.locator(".upload-rows li.done", { hasText: "pasted.png" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

async function logIn(page) {
  await page.goto(gallery.address);
  await person(page).logIn(ADA);
}

/** Waits until so many are uploaded. */
const uploaded = (page, number) =>
  page.waitForFunction((least) => Number(/\d+/.exec(document.querySelector(".upload-title")?.textContent ?? "")?.[0]) >= least, number, { timeout: 60_000 });

async function allPhotos() {
  const photos = [];
  let after = "";
  do {
    const page = await api("GET", `/photos?limit=100${after && `&after=${encodeURIComponent(after)}`}`);
    photos.push(...page.items);
    after = page.next;
  } while (after);
  return photos;
}

/** How many uploads were under way at the same time, at most. */
function countSending(page) {
  const now = new Set();
  let most = 0;
  page.on("request", (request) => {
    if (request.method() === "PUT") most = Math.max(most, now.add(request).size);
  });
  for (const event of ["requestfinished", "requestfailed"]) page.on(event, (request) => now.delete(request));
  // What a page was sending ends with it, and nobody tells.
  page.on("framenavigated", (frame) => frame === page.mainFrame() && now.clear());
  return { most: () => most };
}

/** The heap of the page, in bytes, after what nobody needs is thrown away. */
async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  const look = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };
  const first = await look();
  let most = first;
  return { look: async () => (most = Math.max(most, await look())), growth: () => most - first };
}

/** Fills a folder with different photos, and some files that are none, as folders have; the hashes of the photos. */
async function fill(target, count) {
  const found = new Map();
  for (const path of await photoFiles(undefined)) {
    if ((await stat(path)).size > 700_000) continue;
    const hash = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    if (!found.has(hash)) found.set(hash, path);
    if (found.size === count) break;
  }
  assert.equal(found.size, count, "there are enough photos");
  let at = 0;
  for (const path of found.values()) {
    const inner = join(target, `part ${Math.floor(at / 120)}`);
    await mkdir(inner, { recursive: true });
    await copyFile(path, join(inner, `${at}${extname(path)}`));
    at += 1;
  }
  await writeFile(join(target, "notes.txt"), "no photo");
  assert.equal((await readdir(target)).length, Math.ceil(count / 120) + 1);
  return [...found.keys()];
}

/** A file like no other: a PNG of 1 × 1 with a text in it. @param {string} name */
function madeUp(name) {
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  return { name: `${name}.png`, mimeType: "image/png", buffer: Buffer.concat([png, Buffer.from(name)]) };
}
