// Makes the pictures of the page in a folder: each main view, light and dark, on a desktop and on a phone, of a gallery with real photos.

import { mkdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";

import { launch, newPage, person } from "../tests/e2e/browser.mjs";
import { ADA, photoFiles, startGallery } from "../tests/e2e/gallery.mjs";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("say where to: node tools/screenshots.mjs FOLDER");

const SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true },
};
const TITLES = ["Harbour at dusk", "First snow", "On the way up", "Market day", "The old bridge", "A quiet morning"];
const TAGS = [["sea", "evening"], ["winter"], ["mountains", "hiking"], ["city"], ["city", "walk"], ["garden"]];

/** @type {[string, (page: any, shown: any) => Promise<void>][]} */
const VIEWS = [
  ["timeline", async (page) => page.locator(".tile img").nth(5).waitFor()],
  [
    "photo",
    async (page) => {
      await page.locator(".tile a").nth(1).click();
      await page.locator(".lightbox").waitFor();
      if (page.viewportSize().width > 700 && !(await page.locator(".lightbox-panel").isVisible())) await page.keyboard.press("i");
    },
  ],
  ["albums", async (page) => page.locator("main a[href^='#/albums/'] img").nth(2).waitFor()],
  ["search", async (page) => page.locator(".tile img").first().waitFor()],
  ["account", async (page) => page.locator(".sessions li").first().waitFor()],
];
const ADDRESSES = { timeline: "", photo: "", albums: "albums", search: "search?q=tag:city", account: "account" };

const gallery = await startGallery();
const browser = await launch();
try {
  await mkdir(folder, { recursive: true });
  await fill();
  for (const [screen, options] of Object.entries(SCREENS)) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      const { page, context } = await newPage(browser, { ...options, colorScheme, reducedMotion: "reduce" });
      await page.goto(gallery.address);
      await person(page).logIn(ADA);
      for (const [view, prepare] of VIEWS) {
        await page.goto("about:blank");
        await page.goto(`${gallery.address}#/${ADDRESSES[view]}`);
        await prepare(page);
        await settled(page);
        await page.screenshot({ path: join(folder, `${view}-${screen}-${colorScheme}.jpg`), type: "jpeg", quality: 72 });
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await gallery.stop();
}

/** Real photos with the details that people give them, in albums. */
async function fill() {
  await gallery.createUser(ADA);
  await gallery.importFolder(...(await goodPhotos()));
  const api = await gallery.client(ADA);
  const { items } = await api("GET", "/photos?limit=60");
  for (const [at, photo] of items.entries()) {
    const takenAt = `${2026 - Math.floor(at / 16)}-0${8 - (Math.floor(at / 4) % 4)}-${String(28 - (at % 20)).padStart(2, "0")}T1${at % 10}:20:00`;
    await api("PATCH", `/photos/${photo.id}`, { title: TITLES[at % TITLES.length], tags: TAGS[at % TAGS.length], favourite: at % 5 === 0, takenAt });
  }
  for (const [at, title] of ["Summer by the sea", "Mountains", "At home"].entries()) {
    const album = await api("POST", "/albums", { title });
    await api("PUT", `/albums/${(album.album ?? album).id}/photos`, { photoIds: items.slice(at * 9, at * 9 + 9).map(({ id }) => id) });
  }
}

/** Of the photos for tests those that are photographs, and large enough to look at. */
async function goodPhotos() {
  const files = await photoFiles(undefined);
  const sized = await Promise.all(files.map(async (file) => ({ file, size: (await stat(file)).size })));
  const isPhotograph = ({ file, size }) => /\.(?:jpg|webp)$/.test(file) && size > 150_000 && size < 8_000_000;
  // Of many that are nearly the same, one will do.
  const different = new Map(sized.filter(isPhotograph).map(({ file }) => [basename(file).slice(0, 5).toLowerCase(), file]));
  return [...different.values()].slice(0, 60);
}

/** Waits until all pictures in sight are there. @param {any} page */
async function settled(page) {
  await page.waitForFunction(() => {
    const isInSight = (image) => image.getBoundingClientRect().top < innerHeight && image.getBoundingClientRect().bottom > 0;
    return [...document.images].filter(isInSight).every((image) => image.complete);
  });
  await page.waitForTimeout(400);
}
