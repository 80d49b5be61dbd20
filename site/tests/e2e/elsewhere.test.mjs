// The same pages from another origin than the API's, as from a bucket: a token instead of a cookie, asked for by the rules for other origins. Nothing
// is intercepted, so that the browser's own questions reach the program.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";

import { launch, newPage, person } from "./browser.mjs";
import { ADA, photoFiles, startGallery } from "./gallery.mjs";

const WWW = new URL("../../www/", import.meta.url).pathname;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml" };

let browser;
let site;
/** Another server of the same files, whose origin the API does not know. */
let strange;
let gallery;
let siteAddress;
let apiAddress;

before(async () => {
  [site, strange] = await Promise.all([serveFiles(), serveFiles()]);
  siteAddress = addressOf(site);
  [browser, gallery] = await Promise.all([launch(), startGallery({ options: ["--allow-origin", siteAddress] })]);
  apiAddress = `${gallery.address}api`;
  await gallery.createUser(ADA);
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
  site?.close();
  strange?.close();
});

/** A static server that knows nothing but files, and the one file that is written anew for it. */
async function serveFiles() {
  const server = createServer(async (request, response) => {
    const name = normalize(new URL(request.url, "http://site").pathname).replace(/\/$/, "/index.html");
    try {
      const body = name === "/config.json" ? JSON.stringify({ api: apiAddress }) : await readFile(join(WWW, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const addressOf = (server) => `http://127.0.0.1:${server.address().port}`;

test("somebody logs in, uploads, looks, edits, reloads and logs out, all at another origin than the API's", async () => {
  const { page, context, complaints } = await newPage(browser);
  const me = person(page);
  const asked = new Set();
  page.on("request", (request) => asked.add(`${request.method()} ${new URL(request.url()).origin}`));
  await page.goto(siteAddress);
  await me.logIn(ADA);
  await page.setInputFiles("#upload-files", await photoFiles(3));
  await page.locator("#uploads", { hasText: "3 of 3 uploaded" }).waitFor();
  await me.shown(3);
  await page.locator(".tile a").first().click();
  await me.press("Edit");
  await me.fill("Title", "From afar");
  await me.press("Save");
  await me.message("Saved");
  await page.keyboard.press("Escape");
  await page.locator(".lightbox").waitFor({ state: "detached" });
  await page.reload();
  await me.shown(3);
  assert.deepEqual(await context.cookies(), [], "there are no cookies");
  const api = new URL(apiAddress).origin;
  for (const method of ["GET", "POST", "PUT", "PATCH"]) assert.ok(asked.has(`${method} ${api}`), `${method} goes to the API`);
  for (const request of asked) assert.ok(request.endsWith(api) || request === `GET ${siteAddress}`, request);
  await page.goto(`${siteAddress}/#/account`);
  await me.press("Log out");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("session")), false, "the token is forgotten");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the page itself brings what its policy says wherever it is, with no header", async () => {
  const { page, context } = await newPage(browser);
  await page.goto(siteAddress);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  const outcome = await page.evaluate(() => {
    const script = document.createElement("script");
    const inline = () => {
      script.textContent = "globalThis.wasRun = true";
      document.body.append(script);
    };
    try {
      inline();
    } catch (error) {
      return error.name;
    }
    return globalThis.wasRun ? "run" : "refused";
  });
  assert.ok(["TypeError", "refused"].includes(outcome), outcome);
  await context.close();
});

test("a page that the API does not know gets nothing from it, and says that nothing answers", async () => {
  const { page, context } = await newPage(browser);
  await page.goto(addressOf(strange));
  await page.getByText("No connection").waitFor();
  await context.close();
});
