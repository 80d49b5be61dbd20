// Talks to the gallery's API.

let base = "/api";

/** Reads where the API is. */
export async function configure() {
  const response = await fetch("./config.json");
  if (response.ok) base = (await response.json()).api ?? base;
}

/** What the API answered instead of what was asked for: an RFC 9457 problem, or that nothing answered at all. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? "The gallery did not answer. Check your connection and try again.");
    this.status = status;
    this.type = body.type ?? "";
    /** @type {Record<string, string>} What is wrong with which field. */
    this.fields = Object.fromEntries((body.errors ?? []).map((e) => [String(e.pointer).replace(/^[#/]+/, ""), e.detail]));
  }
}

/**
 * Sends a request and answers with the parsed body, or throws a {@link Problem}.
 * @param {string} method
 * @param {string} path such as `/photos`
 * @param {{ body?: any, headers?: Record<string, string>, signal?: AbortSignal }} [options]
 */
export async function call(method, path, { body, headers = {}, signal } = {}) {
  let response;
  try {
    response = await fetch(base + path, {
      method,
      headers: { "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, {});
  }
  const text = response.status === 204 ? "" : await response.text();
  const answer = text ? JSON.parse(text) : {};
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body, options) => call("POST", path, { body, ...options });
export const patch = (path, body, options) => call("PATCH", path, { body, ...options });
export const put = (path, body, options) => call("PUT", path, { body, ...options });
export const remove = (path, body, options) => call("DELETE", path, { body, ...options });

/** The path with its query, leaving out what is not given. */
export function query(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
