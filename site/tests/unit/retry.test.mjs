// What is tried again, how often, and how long after.

import assert from "node:assert/strict";
import test from "node:test";

import { isPassing, untilThen, waitAfter, withRetries } from "../../www/js/core/retry.js";

const problem = (status, retryAfter = 0) => Object.assign(new Error(`status ${status}`), { status, retryAfter });
const { signal } = new AbortController();

/** Fails as often as there are statuses, then answers; and how long was waited each time. */
function failing(...statuses) {
  const waits = [];
  let attempts = 0;
  const act = async () => {
    attempts += 1;
    if (statuses.length) throw problem(statuses.shift());
    return "done";
  };
  const pause = async (ms) => void waits.push(ms);
  return { act, pause, waits, attempts: () => attempts };
}

test("what may go well the next time is tried again", async () => {
  for (const status of [0, 408, 429, 500, 502, 503]) assert.ok(isPassing(problem(status)), String(status));
  for (const status of [400, 401, 403, 404, 412, 413, 415, 501]) assert.ok(!isPassing(problem(status)), String(status));
  const { act, pause, attempts } = failing(503, 0, 429);
  assert.equal(await withRetries(act, { signal, pause }), "done");
  assert.equal(attempts(), 4);
});

test("what will fail again is given up at once, and a server that keeps failing after a while", async () => {
  const refused = failing(413);
  await assert.rejects(withRetries(refused.act, { signal, pause: refused.pause }), /413/);
  assert.equal(refused.attempts(), 1);
  const broken = failing(...Array(100).fill(500));
  await assert.rejects(withRetries(broken.act, { signal, pause: broken.pause }), /500/);
  assert.equal(broken.attempts(), 8);
});

test("a connection is waited for however long it takes", async () => {
  const { act, pause, attempts } = failing(...Array(100).fill(0));
  assert.equal(await withRetries(act, { signal, pause }), "done");
  assert.equal(attempts(), 101);
});

test("each wait is longer than the one before, up to a limit, and never the same for everybody", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 20].map((attempt) => waitAfter(problem(503), attempt, 1));
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.equal(waitAfter(problem(503), 3, 0), 1000);
  assert.equal(waitAfter(problem(429, 7), 1, 0), 7000, "a server that says how long is believed");
});

test("what is broken off while it waits ends with the reason", async () => {
  const stop = new AbortController();
  const waiting = withRetries(async () => Promise.reject(problem(503)), { signal: stop.signal });
  stop.abort(new Error("broken off"));
  await assert.rejects(waiting, /broken off/);
  await assert.rejects(untilThen(10_000, AbortSignal.timeout(1)), /timeout/i);
});
