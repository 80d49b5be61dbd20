// The photos themselves: the timeline and its place, the lightbox, selecting, undoing, albums, search, trash.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { launch, newPage, person } from "./browser.mjs";
import { ADA, photoFiles, startGallery } from "./gallery.mjs";

const PHOTOS = 60;

let gallery;
let browser;
let page;
let api;
let complaints;
let her;

before(async () => {
  gallery = await startGallery();
  await gallery.createUser(ADA);
  await gallery.importFolder(...(await photoFiles(PHOTOS)));
  api = await gallery.client(ADA);
  browser = await launch();
  ({ page, complaints } = await newPage(browser));
  her = person(page);
  await page.goto(gallery.address);
  await her.logIn(ADA);
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
});

beforeEach(async () => {
  // Messages of the test before would stand in the way.
  await page.evaluate(() => document.querySelector("#toasts").replaceChildren());
  await go("trash");
  await go("");
});

/** Goes to a view, as by a link. @param {string} place */
async function go(place) {
  await page.evaluate((hash) => {
    if ((location.hash || "#/") === hash) return;
    document.querySelector("#content").firstElementChild?.setAttribute("data-left", "");
    location.hash = hash;
  }, `#/${place}`);
  await page.locator("#content > [data-left]").waitFor({ state: "detached" });
  if (place === "") await tiles().first().waitFor();
}
const tiles = () => page.locator("#content .tile[data-id]");
const selected = () => page.locator(".selection-bar strong");
const undo = () => page.locator(".toast").last().getByRole("button", { name: "Undo" }).click();
const lightbox = () => page.locator(".lightbox");
const idOf = (locator) => locator.getAttribute("data-id");
const everyPhoto = async (parameters = "") => (await api("GET", `/photos?limit=100${parameters}`)).items;
const until = async (holds, what) => {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(what);
};
/** The photos that can be seen, in their order, and how far the page is scrolled. */
const sight = () =>
  page.evaluate(() => {
    const seen = [...document.querySelectorAll(".tile[data-id]")].filter((tile) => {
      const box = tile.getBoundingClientRect();
      return box.bottom > 70 && box.top < innerHeight;
    });
    return [Math.round(scrollY), ...seen.map((tile) => tile.getAttribute("data-id"))];
  });
/** Presses a photo in the middle of the window. */
async function openInSight() {
  const at = await page.evaluate(() => {
    const tile = [...document.querySelectorAll(".tile[data-id]")].find((one) => one.getBoundingClientRect().top > 200);
    const box = tile.getBoundingClientRect();
    return [box.left + box.width / 2, Math.min(box.top + box.height / 2, innerHeight - 10)];
  });
  await page.mouse.click(at[0], at[1]);
  await lightbox().waitFor();
}

test("the place in the timeline survives the lightbox, Back, a reload and other views", async () => {
  await page.evaluate(() => scrollTo(0, 1_500));
  await page.waitForTimeout(300);
  await until(async () => (await page.locator(".tile.skeleton").count()) === 0, "all that is in sight is loaded");
  const before = await sight();
  assert.ok(before[0] > 1_000, "there is enough to scroll");
  await openInSight();
  await page.goBack();
  await lightbox().waitFor({ state: "detached" });
  assert.deepEqual(await sight(), before, "after Back");
  const same = async () => JSON.stringify(await sight()) === JSON.stringify(before);
  await page.waitForTimeout(300);
  await page.reload();
  await until(same, "after a reload");
  await page.getByRole("link", { name: "Albums", exact: true }).click();
  await page.getByRole("heading", { name: "Albums", exact: true }).waitFor();
  await page.goBack();
  await until(same, "after another view");
  await openInSight();
  const address = await page.evaluate(() => location.hash);
  await page.reload();
  await lightbox().waitFor();
  assert.equal(await page.evaluate(() => location.hash), address, "the same photo after a reload");
  await page.keyboard.press("Escape");
  await lightbox().waitFor({ state: "detached" });
  await until(same, "below it, too");
});

test("a photo's address opens it with the timeline below", async () => {
  const last = (await everyPhoto()).at(-1);
  await page.goto(`${gallery.address}#/photos/${last.id}`);
  await lightbox().waitFor();
  await page.keyboard.press("Escape");
  await page.locator(`.tile[data-id="${last.id}"] a:focus`).waitFor();
  assert.equal(await page.evaluate(() => location.hash), "#/");
});

test("keys move, select, extend and clear", async () => {
  await page.keyboard.press("ArrowRight");
  const first = await idOf(page.locator(".tile:has(a:focus)"));
  await page.keyboard.press("ArrowRight");
  const second = await idOf(page.locator(".tile:has(a:focus)"));
  assert.notEqual(first, second);
  await page.keyboard.press("x");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await selected().filter({ hasText: "3 selected" }).waitFor();
  await page.keyboard.press("Control+a");
  await selected()
    .filter({ hasText: `${PHOTOS} selected` })
    .waitFor();
  await page.keyboard.press("Escape");
  await selected().waitFor({ state: "hidden" });
  await page.keyboard.press("Enter");
  await lightbox().waitFor();
  await page.waitForTimeout(400);
  const opened = await page.evaluate(() => location.hash);
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await page.evaluate(() => location.hash), opened);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.evaluate(() => location.hash), opened);
  await page.keyboard.press("Escape");
  await lightbox().waitFor({ state: "detached" });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "search");
  await page.keyboard.type("beach");
  assert.equal(await page.locator("#search").inputValue(), "beach", "letters are letters in a field");
  await page.locator("#search").fill("");
});

test("a mouse selects by checks, with Shift and with Ctrl, and a month at once", async () => {
  await tiles().nth(0).locator("input").click();
  await tiles()
    .nth(3)
    .locator("input")
    .click({ modifiers: ["Shift"] });
  await selected().filter({ hasText: "4 selected" }).waitFor();
  await tiles()
    .nth(1)
    .locator("a")
    .click({ modifiers: ["ControlOrMeta"] });
  await selected().filter({ hasText: "3 selected" }).waitFor();
  await her.press("Clear selection");
  const month = page.locator(".month").first();
  const inMonth = (await api("GET", "/photos/timeline")).items[0].photos;
  await month.locator("input").check();
  await selected()
    .filter({ hasText: `${inMonth} selected` })
    .waitFor();
  await month.locator("input").uncheck();
  await selected().waitFor({ state: "hidden" });
});

test("favourites, tags, albums and the trash can each be undone", async () => {
  const two = [await idOf(tiles().nth(0)), await idOf(tiles().nth(1))];
  const choose = async () => {
    for (const id of two) await page.locator(`.tile[data-id="${id}"] input`).check();
  };
  const favourites = async () => (await everyPhoto("&favourite=true")).map((photo) => photo.id).sort();
  await choose();
  await her.press("Favourite");
  await page.locator(".tile .mark").nth(1).waitFor();
  assert.deepEqual(await favourites(), [...two].sort());
  await undo();
  await until(async () => (await favourites()).length === 0, "no favourites after undo");

  await choose();
  await page.keyboard.press("t");
  await her.fill("Add tags", "Été 😀");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await her.message("Tags of 2 photos changed");
  const tagged = async () => (await api("GET", "/tags")).items;
  assert.deepEqual(
    (await tagged()).map(({ tag, photos }) => [tag, photos]),
    [["Été 😀", 2]],
  );
  await undo();
  await until(async () => (await tagged()).length === 0, "no tags after undo");

  await choose();
  await page.keyboard.press("l");
  await her.fill("New album", "<i>Été</i> \u202Eאבג");
  await her.press("Make album and add");
  await her.message("2 photos added");
  const [album] = (await api("GET", "/albums")).items;
  assert.equal(album.photoCount, 2);
  await undo();
  await until(async () => (await api("GET", `/albums/${album.id}`)).photoCount === 0, "an empty album after undo");

  await choose();
  await page.keyboard.press("Delete");
  await her.message("2 photos moved to the trash");
  await until(async () => !(await page.locator(`.tile[data-id="${two[0]}"]`).count()), "gone from the timeline");
  assert.equal((await everyPhoto("&trashed=true")).length, 2);
  await undo();
  await page.locator(`.tile[data-id="${two[0]}"]`).waitFor();
  assert.equal(await idOf(tiles().nth(0)), two[0], "back where it was");
  assert.equal(await idOf(tiles().nth(1)), two[1]);
  assert.equal((await everyPhoto()).length, PHOTOS);
});

test("a photo is edited in place, and a change made elsewhere is not overwritten unasked", async () => {
  await tiles().first().locator("a").click();
  await lightbox().waitFor();
  await page.waitForTimeout(400);
  await page.keyboard.press("e");
  await her.fill("Title", "Mine");
  const [photo] = await everyPhoto();
  await api("PATCH", `/photos/${photo.id}`, { title: "Theirs" });
  await her.press("Save");
  const conflict = page.locator(".conflict");
  await conflict.filter({ hasText: "Theirs" }).waitFor();
  await her.press("Save mine");
  await her.message("Saved");
  assert.equal((await api("GET", `/photos/${photo.id}`)).title, "Mine");
  await undo();
  await until(async () => (await api("GET", `/photos/${photo.id}`)).title === "Theirs", "undo gives back what it replaced");
  await page.locator(".panel-title", { hasText: "Theirs" }).waitFor();
  await her.press("Edit");
  await her.fill("Title", "");
  await her.fill("Description", "<img src=x onerror=alert(1)>");
  await her.press("Save");
  await page.locator(".lightbox-panel .description", { hasText: "<img src=x" }).waitFor();
  await page.keyboard.press("i");
  await page.keyboard.press("Escape");
  await lightbox().waitFor({ state: "detached" });
});

test("a photo that is deleted in the lightbox gives way to the next one", async () => {
  const [first, second] = await everyPhoto();
  await tiles().first().locator("a").click();
  await lightbox().waitFor();
  await page.waitForTimeout(400);
  await page.keyboard.press("Delete");
  await page.waitForFunction((id) => location.hash.endsWith(id), second.id);
  await undo();
  await page.locator(".lightbox [role=status]", { hasText: "Photo 2 of" }).first().waitFor({ state: "attached" });
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction((id) => location.hash.endsWith(id), first.id);
  await page.keyboard.press("Escape");
  await lightbox().waitFor({ state: "detached" });
});

test("an album is made, named, ordered, given a cover, and deleted after saying what that does", async () => {
  await go("albums");
  await her.press("New album");
  await page.getByRole("dialog").getByLabel("Title").fill("Order");
  await page.getByRole("dialog").getByRole("button", { name: "New album" }).click();
  await page.getByRole("heading", { name: "Order", exact: true }).waitFor();
  await page.getByText("This album is empty").waitFor();
  const album = (await api("GET", "/albums")).items.find((one) => one.title === "Order");
  const five = (await everyPhoto()).slice(0, 5).map((photo) => photo.id);
  await api("PUT", `/albums/${album.id}/photos`, { photoIds: five });
  await page.reload();
  await tiles().nth(4).waitFor();
  const order = async () => (await everyPhoto(`&albumId=${album.id}`)).map((photo) => photo.id);
  const shown = () => tiles().evaluateAll((all) => all.map((tile) => tile.dataset.id));

  await tiles().nth(4).locator("input").check();
  await her.press("Move to the start");
  await until(async () => (await order())[0] === five[4], "first in the album");
  assert.deepEqual(await shown(), await order());
  await undo();
  await until(async () => JSON.stringify(await order()) === JSON.stringify(five), "in the old order after undo");
  await tiles()
    .nth(0)
    .dragTo(tiles().nth(2), { targetPosition: { x: 5, y: 50 } });
  await until(async () => JSON.stringify(await order()) === JSON.stringify([five[1], five[0], ...five.slice(2)]), "dragged before the third");
  await until(async () => JSON.stringify(await shown()) === JSON.stringify(await order()), "shown in that order");

  await tiles().nth(3).locator("input").check();
  await her.press("Make it the cover");
  await her.message("It is the cover now");
  assert.equal((await api("GET", `/albums/${album.id}`)).cover.id, five[3]);
  const before = await order();
  await tiles().nth(1).locator("input").check();
  await tiles().nth(2).locator("input").check();
  await her.press("Take out of album");
  await her.message("2 photos taken out");
  assert.equal((await order()).length, 3);
  await undo();
  await until(async () => JSON.stringify(await order()) === JSON.stringify(before), "back in their places");

  await her.press("More about this album");
  await page.getByRole("menuitem", { name: "Edit album" }).click();
  await page.getByRole("dialog").getByLabel("Title").fill("N".repeat(200));
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "N".repeat(200) }).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "a long name breaks nothing");

  await her.press("More about this album");
  await page.getByRole("menuitem", { name: "Delete album" }).click();
  await page.getByRole("dialog").getByText("5 photos are in it.").waitFor();
  await her.press("Keep the photos");
  await her.message("moved to the trash");
  await undo();
  await tiles().nth(4).waitFor();
  await her.press("More about this album");
  await page.getByRole("menuitem", { name: "Delete album" }).click();
  await her.press("Delete 5 photos too");
  await until(async () => (await everyPhoto("&trashed=true")).length === 5, "its photos are in the trash");
  await go("trash");
  await page.getByRole("button", { name: /^Restore album/ }).click();
  await until(async () => (await everyPhoto()).length === PHOTOS, "all are back");
  await api("DELETE", `/albums/${album.id}?photos=keep`);
});

test("a search is completed by tags, shown by its parts, and says what is wrong with it", async () => {
  const [one] = await everyPhoto();
  await api("PATCH", `/photos/${one.id}`, { tags: ["new york", "night"] });
  await page.locator("#search").pressSequentially("n");
  await page.getByRole("option", { name: /tag:new york/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const chosen = await page.locator("[role=option][aria-selected=true] bdi").textContent();
  await page.keyboard.press("Enter");
  await page
    .locator(".search-chips .chip")
    .filter({ hasText: chosen.split(" ")[0] })
    .waitFor();
  await tiles().first().waitFor();
  assert.equal(await tiles().count(), 1);
  await page.locator(".search-chips .chip").click();
  await page.waitForFunction(() => location.hash === "#/");
  await go(`search?q=${encodeURIComponent('tag:"open')}`);
  await page.getByText("This search is not understood").waitFor();
  await go("search?q=nothinglikethis");
  await page.getByText("Nothing found").waitFor();
});

test("the trash is emptied only after a question", async () => {
  const [one, two, three] = (await everyPhoto()).slice(-3);
  await api("POST", "/photos/bulk", { ids: [one.id, two.id, three.id], action: "trash" });
  await go("trash");
  await tiles().nth(2).waitFor();
  await page.locator(`.tile[data-id="${one.id}"] input`).check();
  await her.press("Delete for good");
  await page.getByRole("dialog").getByText("This cannot be undone.").waitFor();
  await her.press("Cancel");
  assert.equal((await everyPhoto("&trashed=true")).length, 3);
  await her.press("Restore");
  await until(async () => (await everyPhoto("&trashed=true")).length === 2, "one is restored");
  await her.press("Empty trash");
  await page.getByRole("dialog", { name: "Delete 2 photos for good?" }).getByRole("button", { name: "Empty trash" }).click();
  // The album that was deleted before is still there.
  await page.getByText("No photos in the trash.").waitFor();
  assert.equal((await everyPhoto("&trashed=true")).length, 0);
});

test("what is not there says so, and leads on", async () => {
  await go("nowhere");
  await page.getByText("This is not here").waitFor();
  await page.getByRole("link", { name: "To your photos" }).click();
  await tiles().first().waitFor();
  await go("albums/01a2137a-0000-7000-8000-000000000000");
  await page.getByText("This is not here").waitFor();
});

test("the browser had nothing to complain of", () => assert.deepEqual(complaints, []));
