// Numbers and times as people read them.

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

export function size(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 && unit ? 1 : 0 })} ${UNITS[unit]}`;
}

export const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** A photo's time: what the camera's clock showed, wherever it was. */
export function localTime(text) {
  const date = new Date(`${text.slice(0, 19)}Z`);
  return date.toLocaleString("en", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
}

export function month(text) {
  const date = new Date(`${text.slice(0, 7)}-01T00:00:00Z`);
  return date.toLocaleString("en", { month: "long", year: "numeric", timeZone: "UTC" });
}

export const moment = (text) => new Date(text).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
