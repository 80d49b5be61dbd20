// The texts of the page: every one that is asked for is there, in every language.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";

import { lookUp, phrase } from "../../www/js/core/messages.js";

const WWW = new URL("../../www/", import.meta.url);
const languages = (await readdir(new URL("i18n/", WWW))).map((name) => name.slice(0, 2));
const texts = Object.fromEntries(
  await Promise.all(languages.map(async (language) => [language, JSON.parse(await readFile(new URL(`i18n/${language}.json`, WWW), "utf8"))])),
);

/** Every key with its text, or with its plural forms. */
function entries(messages, prefix = "") {
  return Object.entries(messages).flatMap(([name, value]) =>
    typeof value === "object" && !("other" in value) ? entries(value, `${prefix}${name}.`) : [[prefix + name, value]],
  );
}
const forms = (message) => (typeof message === "string" ? [message] : Object.values(message));
const parameters = (message) => [...new Set(forms(message).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();

test("all languages have the same texts with the same parameters", () => {
  assert.ok(languages.length >= 2);
  const [first, ...others] = languages;
  const known = new Map(entries(texts[first]));
  for (const language of others) {
    const its = new Map(entries(texts[language]));
    assert.deepEqual([...its.keys()].sort(), [...known.keys()].sort());
    for (const [key, message] of its) assert.deepEqual(parameters(message), parameters(known.get(key)), `${key} in ${language}`);
  }
});

test("plural texts have the forms that their language needs", () => {
  for (const language of languages) {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, message] of entries(texts[language])) {
      if (typeof message === "object") assert.deepEqual(Object.keys(message).sort(), [...needed].sort(), `${key} in ${language}`);
    }
  }
});

test("every text that the page asks for is there, and none is there in vain", async () => {
  const sources = (await readdir(new URL("js/", WWW), { recursive: true })).filter((name) => name.endsWith(".js"));
  const code = (await Promise.all(sources.map((name) => readFile(new URL(`js/${name}`, WWW), "utf8")))).join("\n");
  const asked = new Set([...code.matchAll(/\bt\(\s*"([\w.]+)"/g)].map((match) => match[1]));
  assert.ok(asked.size > 50);
  for (const key of asked) assert.notEqual(lookUp(texts.en, key), undefined, key);
  for (const [key] of entries(texts.en)) {
    const area = key.split(".").slice(0, -1).join(".");
    const isNamed = code.includes(`"${key}"`) || code.includes(`\`${area}.\${`);
    assert.ok(isNamed, `${key} is not used`);
  }
});

test("numbers are written as the language does, and the plural form fits", () => {
  const german = [new Intl.PluralRules("de"), new Intl.NumberFormat("de")];
  assert.equal(phrase({ one: "{count} Foto", other: "{count} Fotos" }, { count: 1 }, ...german), "1 Foto");
  assert.equal(phrase({ one: "{count} Foto", other: "{count} Fotos" }, { count: 12_345 }, ...german), "12.345 Fotos");
  assert.equal(phrase("Hallo {name}, {other}", { name: "{count} <b>" }, ...german), "Hallo {count} <b>, {other}");
});
