// How a text comes out of a dictionary of texts.

/**
 * @param {any} messages nested by area
 * @param {string} key such as `timeline.title`
 * @returns {string | Record<string, string> | undefined} a text, or its plural forms
 */
export function lookUp(messages, key) {
  return key.split(".").reduce((part, name) => part?.[name], messages);
}

/**
 * A text with its `{parameters}` filled in.
 * @param {string | Record<string, string> | undefined} message
 * @param {Record<string, string | number>} parameters `count` chooses between plural forms
 * @param {Intl.PluralRules} plurals
 * @param {Intl.NumberFormat} numbers
 */
export function phrase(message, parameters, plurals, numbers) {
  if (message === undefined) return undefined;
  const text = typeof message === "string" ? message : (message[plurals.select(Number(parameters.count))] ?? message.other);
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers.format(value) : value;
  });
}
