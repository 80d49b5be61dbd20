// The site's texts, in the language that was chosen or that the browser asks for; and numbers and times as it writes them.

import { lookUp, phrase } from "./core/messages.js";
import { preference, setPreference } from "./preferences.js";

/** Each language by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch" };

/** @type {Record<string, any>} */
let messages = {};
let language = "en";
let plurals = new Intl.PluralRules("en");
let numbers = new Intl.NumberFormat("en");

/** The language that is shown. */
export const currentLanguage = () => language;

/** Loads the texts: has to end before anything is shown. */
export async function loadLanguage() {
  const wanted = [preference("language"), ...navigator.languages].map((tag) => tag.slice(0, 2));
  language = wanted.find((tag) => tag in LANGUAGES) ?? "en";
  const response = await fetch(new URL(`../i18n/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`The texts of the page could not be loaded (${response.status}). Load the page again.`);
  messages = await response.json();
  plurals = new Intl.PluralRules(language);
  numbers = new Intl.NumberFormat(language);
  document.documentElement.lang = language;
}

/**
 * Chooses the language, or with an empty one the browser's; the page starts anew with it.
 * @param {string} tag
 */
export function chooseLanguage(tag) {
  setPreference("language", tag);
  location.reload();
}

/**
 * A text. `count` among the parameters chooses between its plural forms; numbers are written as the language does.
 * @param {string} key such as `timeline.title`
 * @param {Record<string, string | number>} [parameters]
 */
export function t(key, parameters = {}) {
  return phrase(lookUp(messages, key), parameters, plurals, numbers) ?? key;
}

/**
 * Whether there is such a text.
 * @param {string} key
 */
export const hasText = (key) => lookUp(messages, key) !== undefined;

/** @param {number} value */
export const number = (value) => numbers.format(value);

/** A number of bytes, such as “2.4 MB”.
 * @param {number} bytes */
export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  const maximumFractionDigits = power && value < 10 ? 1 : 0;
  return value.toLocaleString(language, { style: "unit", unit: units[power], unitDisplay: power ? "short" : "long", maximumFractionDigits });
}

/** Ways to write dates, each made once: making one takes longer than using it. @type {Map<string, Intl.DateTimeFormat>} */
const dates = new Map();

/** @param {Date} date @param {Intl.DateTimeFormatOptions} options */
function written(date, options) {
  const key = JSON.stringify(options);
  const format = dates.get(key) ?? new Intl.DateTimeFormat(language, options);
  dates.set(key, format);
  return format.format(date);
}

/** A photo's time: what the camera's clock showed, wherever it was.
 * @param {string} text such as `2024-06-01T12:30:00+02:00` */
export const localTime = (text) => written(new Date(`${text.slice(0, 19)}Z`), { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

/** The day of a photo's time.
 * @param {string} text */
export const localDay = (text) =>
  written(new Date(`${text.slice(0, 10)}T00:00:00Z`), { weekday: "short", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** A month by name, such as “June 2024”.
 * @param {string} text begins with `2024-06` */
export const month = (text) => written(new Date(`${text.slice(0, 7)}-01T00:00:00Z`), { month: "long", year: "numeric", timeZone: "UTC" });

/** A moment, in the time of whoever reads it.
 * @param {string} text RFC 3339 */
export const moment = (text) => written(new Date(text), { dateStyle: "medium", timeStyle: "short" });
