// Every text is there in every language, and nothing that is shown lacks one.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

const WWW = new URL("../../www/", import.meta.url);
const texts = async (language) => JSON.parse(await readFile(new URL(`i18n/${language}.json`, WWW), "utf8"));

/** All keys of texts; of one with plural forms, the key alone. */
function* keys(messages, prefix = "") {
  for (const [name, value] of Object.entries(messages)) {
    if (typeof value === "string" || "other" in value) yield `${prefix}${name}`;
    else yield* keys(value, `${prefix}${name}.`);
  }
}

const parameters = (text) => [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
const at = (messages, key) => key.split(".").reduce((part, name) => part?.[name], messages);

test("both languages have the same texts, with the same parameters", async () => {
  const [english, german] = [await texts("en"), await texts("de")];
  assert.deepEqual([...keys(german)].sort(), [...keys(english)].sort());
  for (const key of keys(english)) {
    assert.deepEqual([...new Set(parameters(at(german, key)))].sort(), [...new Set(parameters(at(english, key)))].sort(), key);
  }
});

test("every text that the page names is there, and none is there for nothing", async () => {
  const english = await texts("en");
  const known = new Set(keys(english));
  let source = "";
  for (const entry of await readdir(new URL("js/", WWW), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) source += await readFile(`${entry.parentPath}/${entry.name}`, "utf8");
  }
  const named = [...source.matchAll(/\bt\("([\w.-]+)"/g)].map(([, key]) => key);
  assert.deepEqual(named.filter((key) => !known.has(key)), [], "texts that are missing");
  const made = [...source.matchAll(/`([\w.]+)\.\$\{/g)].map(([, prefix]) => prefix);
  const isUsed = (key) => source.includes(`"${key}"`) || made.some((prefix) => key.startsWith(`${prefix}.`));
  assert.deepEqual([...known].filter((key) => !isUsed(key)), [], "texts that nothing shows");
});
