// Tries again what may go well the next time: when nothing answered, when the server has a bad moment, when it asks for patience.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** How often a server that answers is asked. One that cannot be reached is waited for, however long. */
const ATTEMPTS = 8;

/**
 * Whether it may go well the next time.
 * @param {any} error has a `status`: 0 if nothing answered
 */
export function isPassing(error) {
  const { status } = error ?? {};
  return status === 0 || status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/**
 * How long to wait before the next attempt, in milliseconds: what the server asked for, else longer each time, and never the same for everybody.
 * @param {any} error
 * @param {number} attempt the number of attempts so far
 * @param {number} [chance] from 0 to 1
 */
export function waitAfter(error, attempt, chance = Math.random()) {
  if (error.retryAfter > 0) return error.retryAfter * 1000;
  const longest = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  return longest * (0.5 + chance / 2);
}

/**
 * Does something until it succeeds, or fails for good.
 * @template T
 * @param {() => Promise<T>} act
 * @param {{ signal: AbortSignal, waiting?: (error: any) => void, pause?: (ms: number, signal: AbortSignal) => Promise<void> }} options `waiting` is told
 * before each wait why there is one
 * @returns {Promise<T>}
 */
export async function withRetries(act, { signal, waiting, pause = untilThen }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      const isHopeless = /** @type {any} */ (error).status !== 0 && attempt >= ATTEMPTS;
      if (!isPassing(error) || isHopeless) throw error;
      waiting?.(error);
      await pause(waitAfter(error, attempt), signal);
    }
  }
}

/**
 * Waits, but no longer than until the connection is back.
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function untilThen(ms, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const end = (/** @type {() => void} */ then) => {
      clearTimeout(timer);
      over.abort();
      then();
    };
    const timer = setTimeout(() => end(resolve), ms);
    globalThis.addEventListener?.("online", () => end(resolve), { signal: over.signal });
    signal.addEventListener("abort", () => end(() => reject(signal.reason)), { signal: over.signal });
  });
}
