// Forms and sessions: what is wrong is said where it is wrong, passwords can be kept and forgotten, and a session that ends costs nobody their work.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, newPage, person } from "./browser.mjs";
import { ADA, photoFiles, startGallery } from "./gallery.mjs";

let browser;
let gallery;

before(async () => {
  [browser, gallery] = await Promise.all([launch(), startGallery()]);
  await gallery.createUser(ADA);
});

after(async () => {
  await browser?.close();
  await gallery?.stop();
});

/** A page, and the promise that the browser had nothing to complain of. */
async function visit(place, run, options) {
  const { page, context, complaints } = await newPage(browser, options);
  await page.goto(`${gallery.address}#/${place}`);
  await run(page, person(page), context);
  assert.deepEqual(complaints, []);
  await context.close();
}

/** The field that has the focus, and what a screen reader says about it. */
const focused = (page) =>
  page.evaluate(() => {
    const field = document.activeElement;
    const texts = (field?.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent);
    return { name: field?.getAttribute("name"), isInvalid: field?.getAttribute("aria-invalid"), says: texts.join(" ") };
  });

test("what is missing is said at each field, and the first of them has the focus", () =>
  visit("signup", async (page, me) => {
    await me.fill("Name", "Grace");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("[aria-invalid=true]").count(), 2);
    const field = await focused(page);
    assert.equal(field.name, "email");
    assert.match(field.says, /filled in/);
    await me.fill("E-mail address", "grace");
    await me.fill("Password", "0123456789");
    await page.keyboard.press("Enter");
    assert.match((await focused(page)).says, /no e-mail address/);
    await me.fill("E-mail address", "grace@example.org");
    await page.keyboard.press("Enter");
    assert.match((await focused(page)).says, /at least 15/);
    // What only the gallery knows is said at its field, too.
    await me.fill("Password", "passwordpassword");
    await page.keyboard.press("Enter");
    await page.locator("[name=password][aria-invalid=true]").waitFor();
    assert.equal((await focused(page)).name, "password");
  }));

test("whoever keeps passwords finds out what each field is for", async () => {
  const kinds = async (page) => {
    await page.locator("main form").waitFor();
    return page.locator("main form input").evaluateAll((inputs) => inputs.map((input) => `${input.type} ${input.autocomplete}`));
  };
  await visit("login", async (page) => assert.deepEqual(await kinds(page), ["email username", "password current-password"]));
  await visit("signup", async (page) => assert.deepEqual(await kinds(page), ["text name", "email username", "password new-password"]));
  await visit("confirm", async (page) => assert.deepEqual(await kinds(page), ["email username", "text one-time-code"]));
  await visit("reset?email=a@example.org&token=x", async (page) => assert.deepEqual(await kinds(page), ["text username", "password new-password"]));
});

test("a code is pasted as it was copied, and that is all there is to do", () =>
  visit("signup", async (page, me) => {
    await me.fill("Name", "Grace");
    await me.fill("E-mail address", "grace@example.org");
    await me.fill("Password", "seventeen yellow umbrellas");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Confirm your address" }).waitFor();
    const code = /\b\d{8}\b/.exec(await gallery.mail(1))[0];
    await page.getByLabel("Code", { exact: true }).focus();
    await page.evaluate(
      (text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text", text);
        document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
      },
      `Code: ${code.slice(0, 4)} ${code.slice(4)}\n`,
    );
    await me.message("Your address is confirmed");
    assert.equal((await focused(page)).name, "password", "the address is filled in already");
  }));

test("a forgotten password is set anew with the link out of the mail", () =>
  visit("forgot", async (page, me) => {
    await me.fill("E-mail address", "grace@example.org");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Look into your mail" }).waitFor();
    const mail = (await gallery.mail(2)).replace(/=\r?\n/g, "").replace(/=3D/g, "=");
    const link = /http:\S+reset\S+/.exec(mail)[0];
    await page.goto(link);
    await me.fill("New password", "a horse of course it is");
    await page.keyboard.press("Enter");
    await me.message("Your new password is set");
    await me.fill("Password", "a horse of course it is");
    await page.keyboard.press("Enter");
    await page.getByText("Your photos will be here").waitFor();
    await page.goto(`${gallery.address}#/reset?email=grace@example.org`);
    await page.getByText("This link is not whole").waitFor();
  }));

test("a session that ends in the middle of an edit: logged in again, the edit is saved, and everything is where it was", () =>
  visit("login", async (page, me) => {
    await me.logIn(ADA);
    await page.setInputFiles("#upload-files", await photoFiles(2));
    await me.shown(2);
    await page.locator(".tile a").first().click();
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await me.fill("Title", "Half a thought");
    await endAllSessions();
    await me.press("Save");
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.getByLabel("Password").fill("not the password at all");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
    await dialog.getByLabel("Password").fill(ADA.password);
    await page.keyboard.press("Enter");
    await me.message("Saved");
    await page.locator(".lightbox-panel", { hasText: "Half a thought" }).waitFor();
    await page.keyboard.press("Escape");
  }));

test("whoever does not log in again is asked to later, and comes back to where they were", () =>
  visit("login", async (page, me) => {
    await me.logIn(ADA);
    await page.goto(`${gallery.address}#/albums`);
    await page.getByText("No albums yet").waitFor();
    await endAllSessions();
    await page.goto(`${gallery.address}#/search?q=thought`);
    await page.getByRole("dialog").getByRole("button", { name: "Not now" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await me.fill("Password", ADA.password);
    await page.keyboard.press("Enter");
    await me.shown(1);
    assert.match(page.url(), /#\/search\?q=thought$/);
  }));

test("an account is renamed, shown in German, and dark; it says what it holds and where it is logged in", () =>
  visit("login", async (page, me) => {
    await gallery.client(ADA);
    await me.logIn(ADA);
    await page.goto(`${gallery.address}#/account`);
    await page.getByText(/2 photos, .* of 107 GB/).waitFor();
    await me.fill("Name", "Ada Lovelace");
    await me.press("Save");
    await me.message("Saved");
    await page
      .locator(".sessions li", { hasText: "This one" })
      .getByText(/^Chrome on/)
      .waitFor();
    const before = await page.locator(".sessions li").count();
    assert.ok(before >= 2);
    await page.getByRole("button", { name: "Log out everywhere else" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".sessions li").length === 1);
    await page.getByLabel("Colours").selectOption("dark");
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("heading", { name: "Wo du angemeldet bist" }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    await page.getByRole("button", { name: "Abmelden", exact: true }).click();
    await page.getByRole("heading", { name: "Anmelden" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Anmelden" }).waitFor();
  }));

test("a changed password ends the other sessions and is good from then on", () =>
  visit("login", async (page, me) => {
    await me.logIn(ADA);
    await page.goto(`${gallery.address}#/account`);
    await me.fill("Old password", "that was never it, was it");
    await me.fill("New password", "eighteen green umbrellas");
    await me.press("Change password");
    await page.getByRole("alert").filter({ hasText: "not your password" }).waitFor();
    await me.fill("Old password", ADA.password);
    await me.press("Change password");
    await me.message("Your password is changed");
    await gallery.client({ ...ADA, password: "eighteen green umbrellas" });
    await assert.rejects(gallery.client(ADA), /401/);
  }));

test("where nothing can be kept, and where the clock is wrong, the page works all the same", async () => {
  const ada = { ...ADA, password: "eighteen green umbrellas" };
  const spoil = () => {
    for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
      Object.defineProperty(globalThis, name, {
        get() {
          throw new DOMException("switched off", "SecurityError");
        },
      });
    }
    const now = Date.now;
    Date.now = () => now() - 40 * 365 * 86_400_000;
  };
  const { page, context, complaints } = await newPage(browser);
  await page.addInitScript(spoil);
  await page.goto(gallery.address);
  await person(page).logIn(ada);
  await page.setInputFiles("#upload-files", (await photoFiles(3)).slice(1));
  await page.locator("#uploads", { hasText: "2 of 2 uploaded" }).waitFor();
  await page.goto(`${gallery.address}#/account`);
  await page.getByLabel("Colours").selectOption("dark");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  assert.deepEqual(complaints, []);
  await context.close();
});

/** Ends every session of Ada's, as a server does after a week. */
async function endAllSessions() {
  const api = await gallery.client(ADA);
  const { items } = await api("GET", "/sessions");
  for (const { id } of items.toSorted((a, b) => Number(a.current) - Number(b.current))) await api("DELETE", `/sessions/${id}`);
}
