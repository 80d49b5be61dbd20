// Which photos are selected, by id: they stay so when they are scrolled away.

export class Selection extends EventTarget {
  constructor() {
    super();
    /** @type {Set<string>} */
    this.ids = new Set();
    /** The photo that a range goes from: the one that was chosen last. @type {string | undefined} */
    this.anchor = undefined;
  }

  get size() {
    return this.ids.size;
  }

  /** @param {string} id */
  has(id) {
    return this.ids.has(id);
  }

  /** @param {string} id */
  toggle(id) {
    this.set([id], !this.ids.has(id));
    this.anchor = id;
  }

  /** @param {Iterable<string>} ids @param {boolean} chosen */
  set(ids, chosen) {
    for (const id of ids) {
      if (chosen) this.ids.add(id);
      else this.ids.delete(id);
    }
    this.dispatchEvent(new Event("change"));
  }

  clear() {
    this.ids.clear();
    this.anchor = undefined;
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Ids in parts that the API takes at once.
 * @param {string[]} ids
 * @param {number} size
 */
export function inParts(ids, size) {
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, at) => ids.slice(at * size, (at + 1) * size));
}
