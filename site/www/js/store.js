// What the site knows between views: who is logged in, and where they wanted to go.

import { get, Problem } from "./api.js";

export const store = {
  /** @type {any} The account that is logged in. */
  account: null,
  /** Where to go after logging in. */
  wanted: "#/",
  /** The address that is being confirmed, or logged in with. */
  email: "",
};

/** Asks who is logged in. */
export async function loadAccount() {
  try {
    store.account = await get("/account");
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    store.account = null;
  }
}
