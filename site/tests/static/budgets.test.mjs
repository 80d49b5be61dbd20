// What the page makes a browser load, compressed as a server sends it: each file by itself, with Brotli.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";

const WWW = new URL("../../www/", import.meta.url);
const KB = 1024;

/** A module and all that it imports at once; what it imports only when it is needed is not part of it. */
async function withImports(...names) {
  const found = new Map();
  const visit = async (url) => {
    if (found.has(url.href)) return;
    const source = await readFile(url, "utf8");
    found.set(url.href, brotliCompressSync(source).length);
    for (const [, name] of source.matchAll(/^(?:import|export)\s(?:[^;"]*?\sfrom\s)?"(\.[^"]+)"/gm)) await visit(new URL(name, url));
  };
  for (const name of names) await visit(new URL(name, WWW));
  return found;
}

const sum = (sizes) => [...sizes.values()].reduce((total, size) => total + size, 0);

async function sizeOf(...names) {
  let total = 0;
  for (const name of names) total += brotliCompressSync(await readFile(new URL(name, WWW))).length;
  return total;
}

function within(what, size, budget) {
  console.log(`${what}: ${size} of ${budget} bytes`);
  assert.ok(size <= budget, `${what} has ${size} bytes, and may have ${budget}`);
}

test("the first load of a visitor, and of somebody who is logged in", async () => {
  within("scripts up to logging in", sum(await withImports("js/main.js", "js/views/login.js")), 25 * KB);
  within("scripts up to the timeline", sum(await withImports("js/main.js", "js/views/timeline.js")), 31 * KB);
});

test("the styles of the first load", async () => {
  const page = await readFile(new URL("index.html", WWW), "utf8");
  const names = [...page.matchAll(/<link rel="stylesheet" href="\.\/([^"]+)"/g)].map(([, name]) => name);
  assert.ok(names.length > 0);
  within("styles", await sizeOf(...names), 6 * KB);
});

test("the lightbox, which is loaded with the first photo that is opened", async () => {
  const first = await withImports("js/main.js", "js/views/timeline.js");
  const all = await withImports("js/parts/lightbox.js");
  const own = [...all].filter(([name]) => !first.has(name));
  within("scripts of the lightbox", sum(new Map(own)), 20 * KB);
});

test("texts in one language", async () => {
  for (const language of ["en", "de"]) within(language, await sizeOf(`i18n/${language}.json`), 8 * KB);
});
