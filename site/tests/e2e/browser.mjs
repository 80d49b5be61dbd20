// A browser as the tests drive it, and what it has to complain of.

import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = (more = []) =>
  chromium.launch({ executablePath: process.env.GALLERY_TEST_BROWSER ?? "/usr/bin/chromium", args: [...ARGUMENTS, ...more] });

/**
 * A page of its own, with no cookies and nothing kept. What the browser complains of is gathered in `complaints`: errors in the console, errors that
 * nobody caught, and whatever the policy of the page refused.
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = watch(page);
  return { context, page, complaints };
}

/** @param {import("playwright-core").Page} page */
export function watch(page) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (line) => {
    const text = line.text();
    // An answer that says no is told by the page itself; the browser's own line about it is no complaint of the page.
    const isAnswer = text.startsWith("Failed to load resource");
    if ((line.type() === "error" && !isAnswer) || /Content Security Policy|TrustedScript|TrustedHTML/.test(text)) complaints.push(text);
  });
  return complaints;
}

/** What a person does, by the names that they read. @param {import("playwright-core").Page} page */
export function person(page) {
  const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
  const fill = (label, text) => page.getByLabel(label, { exact: true }).first().fill(text);
  return {
    press,
    fill,
    message: (text) => page.locator(".toast", { hasText: text }).first().waitFor(),
    /** Waits for a number of photos to be shown, each with its picture. */
    shown: (number) =>
      page.waitForFunction((count) => {
        const pictures = [...document.querySelectorAll("#content .tile img")];
        return pictures.length === count && pictures.every((picture) => picture.complete && picture.naturalWidth > 0);
      }, number),
    async logIn({ email, password }) {
      await fill("E-mail address", email);
      await fill("Password", password);
      await press("Log in");
      await page.locator("#nav a").first().waitFor();
    },
  };
}

/**
 * Drops files and folders onto a page, as a person does out of another window.
 * @param {import("playwright-core").Page} page
 * @param {string[]} files
 */
export async function drop(page, files) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  const send = (type) => session.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
  await send("dragEnter");
  await send("dragOver");
  // A browser drops nothing where the page has not said yet that it takes it.
  await page.locator("body.dropping").waitFor({ state: "attached" });
  await send("dragOver");
  await send("drop");
}
