// What the page translates of the API's words is what the API says.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

const ROOT = new URL("../../../", import.meta.url);
const CRATES = ["gallery-domain", "gallery-adapters", "gallery-lambda"];

/** The source of the program, in one piece. */
async function source() {
  let all = "";
  for (const crate of CRATES) {
    for (const entry of await readdir(new URL(`${crate}/src/`, ROOT), { recursive: true, withFileTypes: true })) {
      if (entry.name.endsWith(".rs")) all += await readFile(`${entry.parentPath}/${entry.name}`, "utf8");
    }
  }
  return all;
}

test("the reasons for which the page has words of its own are given by the program", async () => {
  const page = await readFile(new URL("../../www/js/problems.js", import.meta.url), "utf8");
  const reasons = [...page.matchAll(/\["(is [^"]+)", "reasons\./g)].map(([, reason]) => reason);
  assert.ok(reasons.length >= 4);
  const program = (await source()).replace("{LONGEST}", "99");
  for (const reason of reasons) assert.ok(program.includes(reason), reason);
});

test("the kinds of problems for which the page has words are the program's", async () => {
  const { problems } = JSON.parse(await readFile(new URL("../../www/i18n/en.json", import.meta.url), "utf8"));
  const program = await source();
  // One that the page finds by itself, before the program is asked.
  const own = new Set(["unreadable"]);
  const failures = /enum FailureKind \{[^}]*\}/.exec(program)?.[0] ?? "";
  const inCode = (kind) => kind.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
  const isKnown = (kind) => program.includes(`urn:gallery:problem:${kind}"`) || failures.includes(`${inCode(kind)},`);
  assert.deepEqual(
    Object.keys(problems).filter((kind) => !own.has(kind) && !isKnown(kind)),
    [],
  );
});
