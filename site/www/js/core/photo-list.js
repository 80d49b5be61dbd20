// A list of photos in sections, of which only a part is there: what the grid shows and the lightbox leads through.

import { tileRatio, USUAL_RATIO } from "./layout.js";

/**
 * A photo as the lists keep it: what the API says of it, without what only its own page needs.
 * @typedef {object} Photo
 * @property {string} id
 * @property {string} fileName
 * @property {string} title
 * @property {string[]} tags
 * @property {boolean} favourite
 * @property {string | null} takenAt
 * @property {string} createdAt
 * @property {string} contentType
 * @property {number} size
 * @property {number} [width]
 * @property {number} [height]
 * @property {string} [placeholder]
 * @property {{ thumbnail: string, preview: string, original: string }} [urls]
 */

/**
 * @typedef {object} Section
 * @property {string} key such as `2024-06`
 * @property {number} count how many photos it holds
 * @property {(Photo | undefined)[]} photos those that are there, at their places
 * @property {Float32Array} ratios of all, once they are known
 * @property {number} version grows with every change
 * @property {number} seen when it was last looked at
 */

/** @typedef {{ section: number, index: number }} Place */

/** The most photos that are kept: those of sections that were not looked at for longest give way. */
const MOST_KEPT = 4_000;

export class PhotoList extends EventTarget {
  constructor() {
    super();
    /** @type {Section[]} */
    this.sections = [];
    /** Whether more sections or photos may come at the end. */
    this.isOpen = false;
    this.clock = 0;
  }

  /**
   * Asks for photos; `change` is told once some have come.
   * @param {Place} _from
   * @param {Place} _to the last one that is wanted
   * @returns {Promise<any>}
   */
  async need(_from, _to) {
    throw new Error("a list says how its photos are loaded");
  }

  get total() {
    return this.sections.reduce((sum, section) => sum + section.count, 0);
  }

  /** @param {Place} place @returns {Photo | undefined} */
  at({ section, index }) {
    return this.sections[section]?.photos[index];
  }

  /** How many photos stand before a place. @param {Place} place */
  flatten({ section, index }) {
    let before = 0;
    for (let at = 0; at < section; at += 1) before += this.sections[at].count;
    return before + index;
  }

  /** The place that so many photos stand before. @param {number} before @returns {Place} */
  unflatten(before) {
    let left = before;
    for (let section = 0; section < this.sections.length; section += 1) {
      const { count } = this.sections[section];
      if (left < count) return { section, index: left };
      left -= count;
    }
    return { section: this.sections.length - 1, index: (this.sections.at(-1)?.count ?? 0) - 1 };
  }

  /** Where a photo is, if it is there. @param {string} id @returns {Place | undefined} */
  find(id) {
    for (let section = 0; section < this.sections.length; section += 1) {
      const index = this.sections[section].photos.findIndex((photo) => photo?.id === id);
      if (index >= 0) return { section, index };
    }
    return undefined;
  }

  /** The photos from one place to another, both included, loaded if they are not there. @param {Place} from @param {Place} to */
  async range(from, to) {
    await this.need(from, to);
    /** @type {Photo[]} */
    const photos = [];
    for (let section = from.section; section <= to.section; section += 1) {
      const { photos: there, count } = this.sections[section];
      const first = section === from.section ? from.index : 0;
      const last = section === to.section ? Math.min(to.index, count - 1) : count - 1;
      for (let index = first; index <= last; index += 1) {
        const photo = there[index];
        if (photo) photos.push(photo);
      }
    }
    return photos;
  }

  /** Puts what is known of a photo in the place of what was. @param {Photo} changed */
  update(changed) {
    const place = this.find(changed.id);
    if (!place) return;
    const section = this.sections[place.section];
    Object.assign(/** @type {Photo} */ (section.photos[place.index]), slim(changed));
    this.dispatchEvent(new CustomEvent("photo", { detail: changed.id }));
  }

  /** Takes photos out. @param {Iterable<string>} ids @returns {Photo[]} those that were there */
  remove(ids) {
    const gone = new Set(ids);
    /** @type {Photo[]} */
    const removed = [];
    for (const section of this.sections) {
      if (!section.photos.some((photo) => photo && gone.has(photo.id))) continue;
      /** @type {number[]} */
      const stay = [];
      for (let index = 0; index < section.count; index += 1) {
        const photo = section.photos[index];
        if (photo && gone.has(photo.id)) removed.push(photo);
        else stay.push(index);
      }
      section.ratios = Float32Array.from(stay, (index) => section.ratios[index]);
      const there = section.photos.length;
      section.photos = stay.filter((index) => index < there).map((index) => section.photos[index]);
      section.count = stay.length;
      section.version += 1;
    }
    // An open list may be empty now and get more.
    this.sections = this.sections.filter((section) => section.count > 0 || this.isOpen);
    if (removed.length) this.changed();
    return removed;
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** Notes which sections are looked at, and lets go of the photos of others if there are too many. @param {number} first @param {number} last */
  touch(first, last) {
    this.clock += 1;
    for (let at = first; at <= last; at += 1) if (this.sections[at]) this.sections[at].seen = this.clock;
    let kept = this.sections.reduce((sum, section) => sum + section.photos.length, 0);
    if (kept <= MOST_KEPT) return;
    const longestUnseen = this.sections.filter((section) => section.photos.length && section.seen !== this.clock).sort((a, b) => a.seen - b.seen);
    for (const section of longestUnseen) {
      if (kept <= MOST_KEPT) break;
      kept -= section.photos.length;
      this.letGo(section);
    }
  }

  /** Forgets a section's photos, but not their proportions: nothing moves. @param {Section} section */
  letGo(section) {
    section.photos = [];
  }
}

/**
 * @param {string} key
 * @param {number} count
 * @returns {Section}
 */
export function newSection(key, count) {
  return { key, count, photos: [], ratios: new Float32Array(count).fill(USUAL_RATIO), version: 0, seen: 0 };
}

/**
 * Notes photos of a section from a place on. The section grows if they are more than it was thought to hold.
 * @param {Section} section
 * @param {number} from
 * @param {Photo[]} photos
 */
export function place(section, from, photos) {
  resize(section, Math.max(section.count, from + photos.length));
  photos.forEach((photo, at) => {
    section.photos[from + at] = slim(photo);
    section.ratios[from + at] = tileRatio(photo.width, photo.height);
  });
  section.version += 1;
}

/**
 * Makes a section as long as it turned out to be.
 * @param {Section} section
 * @param {number} count
 */
export function resize(section, count) {
  if (count === section.count) return;
  const ratios = new Float32Array(count).fill(USUAL_RATIO);
  ratios.set(section.ratios.subarray(0, Math.min(count, section.count)));
  section.photos.length = Math.min(section.photos.length, count);
  Object.assign(section, { ratios, count, version: section.version + 1 });
}

/** What lists keep of a photo. @param {any} photo @returns {Photo} */
export function slim({ id, fileName, title, tags, favourite, takenAt, createdAt, contentType, size, width, height, placeholder, urls }) {
  return { id, fileName, title, tags, favourite, takenAt, createdAt, contentType, size, width, height, placeholder, urls };
}

/** What a photo is called. @param {{ title: string, fileName: string }} photo */
export const nameOf = (photo) => photo.title || photo.fileName;
