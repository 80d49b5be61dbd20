// What a browser or program is, out of how it calls itself.

/** @type {[RegExp, string][]} The first that fits: most browsers also claim to be others. */
const CLIENTS = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\b(?:Headless)?Chrom(?:e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
];
/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "Mac"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

/**
 * @param {string} client such as a browser's `User-Agent`
 * @returns {{ name: string, system: string }} empty where it is not known; a program's name is its first word
 */
export function clientName(client) {
  const of = (/** @type {[RegExp, string][]} */ list) => list.find(([pattern]) => pattern.test(client))?.[1] ?? "";
  const name = of(CLIENTS);
  return { name: name || (client.startsWith("Mozilla/") ? "" : client.split(/[\s/]/)[0]), system: of(SYSTEMS) };
}
