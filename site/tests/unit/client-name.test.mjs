// What browsers and programs call themselves, and what people call them.

import assert from "node:assert/strict";
import test from "node:test";

import { clientName } from "../../www/js/core/client-name.js";

const CLIENTS = [
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "Edge", "Windows"],
  ["Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36", "Chrome", "Android"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Safari",
    "iPhone",
  ],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15", "Safari", "Mac"],
  ["curl/8.5.0", "curl", ""],
  ["Mozilla/5.0 (unheard of)", "", ""],
  ["", "", ""],
];

test("a browser has the name that people know it by, and a program its own", () => {
  for (const [client, name, system] of CLIENTS) assert.deepEqual(clientName(client), { name, system }, client);
});
