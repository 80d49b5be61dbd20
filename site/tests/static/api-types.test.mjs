// The types of the API that the page is checked with are those of the program.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";

import openapiTS, { astToString } from "openapi-typescript";

test("types/api.d.ts is what the OpenAPI document says", async () => {
  const { stdout } = await promisify(execFile)(process.env.GALLERY_TEST_BINARY, ["openapi"], { maxBuffer: 1 << 24 });
  const types = astToString(await openapiTS(JSON.parse(stdout)));
  const committed = await readFile(new URL("../../types/api.d.ts", import.meta.url), "utf8");
  assert.ok(committed.endsWith(types), "it has drifted: `cargo run -- openapi | npx openapi-typescript -o types/api.d.ts` in site/ makes it anew");
});
