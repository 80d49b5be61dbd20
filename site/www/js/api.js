// Talks to the gallery's API, which is at this page's own origin or, as `config.json` says, at another.
//
// At its own origin the session is a cookie that no script can read. A browser sends no such cookie to another origin: there the session is a token
// that this page keeps.

import { preference, setPreference } from "./preferences.js";

let base = new URL("/api", location.href);
/** @type {undefined | (() => Promise<boolean>)} */
let logInAgain;
/** @type {Promise<boolean> | undefined} */
let loggingIn;

/** Reads where the API is. */
export async function configure() {
  const response = await fetch("./config.json");
  if (response.ok) base = new URL((await response.json()).api ?? "/api", location.href);
}

/** Whether the API is at another origin than this page. */
export const isElsewhere = () => base.origin !== location.origin;

/**
 * What to do when the session has ended in the middle of work: the request is sent once more if it answers true.
 * @param {() => Promise<boolean>} ask
 */
export function whenSessionEnds(ask) {
  logInAgain = ask;
}

/** What the API answered instead of what was asked for: an RFC 9457 problem, or that nothing answered at all. */
export class Problem extends Error {
  /**
   * @param {number} status 0 if nothing answered
   * @param {any} body
   * @param {number} [retryAfter] seconds to wait before it is tried again
   */
  constructor(status, body, retryAfter = 0) {
    super(body.detail ?? body.title ?? "The gallery did not answer. Check your connection and try again.");
    this.status = status;
    this.retryAfter = retryAfter;
    /** The kind of problem, such as `stale`. */
    this.kind =
      String(body.type ?? "")
        .split(":")
        .pop() ?? "";
    /** @type {Record<string, string>} What is wrong with which field. */
    this.fields = Object.fromEntries((body.errors ?? []).map((/** @type {any} */ e) => [String(e.pointer).replace(/^[#/]+/, ""), e.detail]));
  }
}

/**
 * Sends a request and answers with the parsed body, or throws a {@link Problem}.
 * @param {string} method
 * @param {string} path such as `/photos`
 * @param {{ body?: any, headers?: Record<string, string>, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, options = {}) {
  try {
    return await send(method, path, options);
  } catch (error) {
    if (!(error instanceof Problem) || error.kind !== "unauthenticated" || !logInAgain) throw error;
    // Whatever fails for the same reason meanwhile waits for the same answer.
    loggingIn ??= logInAgain().finally(() => (loggingIn = undefined));
    if (!(await loggingIn)) throw error;
    options.signal?.throwIfAborted();
    return send(method, path, options);
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: any, headers?: Record<string, string>, signal?: AbortSignal }} options
 */
async function send(method, path, { body, headers = {}, signal }) {
  const token = isElsewhere() && preference("session");
  let response;
  let text = "";
  try {
    response = await fetch(base.href.replace(/\/$/, "") + path, {
      method,
      headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal,
    });
    if (response.status !== 204) text = await response.text();
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw new Problem(0, {});
  }
  const answer = parse(text);
  if (!response.ok) throw new Problem(response.status, answer ?? {}, Number(response.headers.get("retry-after")) || 0);
  // What stands between page and gallery may answer in its place, such as a hotel's page to log in.
  if (answer === undefined) throw new Problem(0, {});
  return isElsewhere() ? withWholeUrls(answer) : answer;
}

/** @param {string} text */
function parse(text) {
  if (!text) return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The URLs of photos and uploads may be relative to the API's origin. @param {any} answer @returns {any} */
function withWholeUrls(answer) {
  if (Array.isArray(answer)) return answer.map(withWholeUrls);
  if (typeof answer !== "object" || answer === null) return answer;
  const whole = (/** @type {any} */ value) => (typeof value === "string" ? new URL(value, base).href : value);
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => {
      if (key === "urls" && value) return [key, Object.fromEntries(Object.entries(value).map(([kind, url]) => [kind, whole(url)]))];
      if (key === "upload" && value) return [key, { .../** @type {any} */ (value), url: whole(/** @type {any} */ (value).url) }];
      return [key, withWholeUrls(value)];
    }),
  );
}

/** Opens a session. @param {Record<string, any>} credentials */
export async function logIn(credentials) {
  const { token = "" } = await send("POST", "/login", { body: { ...credentials, cookie: !isElsewhere() } });
  setPreference("session", token);
}

/** Ends the session. */
export async function logOut() {
  try {
    await send("POST", "/logout", { body: {} });
  } catch (error) {
    // One that has ended already is as good.
    if (!(error instanceof Problem) || error.kind !== "unauthenticated") throw error;
  }
  forgetSession();
}

export const forgetSession = () => setPreference("session", "");

/** @typedef {{ headers?: Record<string, string>, signal?: AbortSignal }} Options */
export const get = (/** @type {string} */ path, /** @type {Options} */ options = {}) => call("GET", path, options);
export const post = (/** @type {string} */ path, /** @type {any} */ body, /** @type {Options} */ options = {}) => call("POST", path, { body, ...options });
export const patch = (/** @type {string} */ path, /** @type {any} */ body, /** @type {Options} */ options = {}) => call("PATCH", path, { body, ...options });
export const put = (/** @type {string} */ path, /** @type {any} */ body, /** @type {Options} */ options = {}) => call("PUT", path, { body, ...options });
export const remove = (/** @type {string} */ path, /** @type {any} */ body = undefined, /** @type {Options} */ options = {}) =>
  call("DELETE", path, { body, ...options });

/** The path with its query, leaving out what is not given. @param {string} path @param {Record<string, any>} parameters */
export function query(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
