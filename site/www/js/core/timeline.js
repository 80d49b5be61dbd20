// All photos by month, latest first. How many each month holds is known from the start; the photos come when they are looked at.

import { newSection, PhotoList, place, resize } from "./photo-list.js";

const PAGE = 100;

/** @typedef {import("./photo-list.js").Section & { next?: string | null, asked?: Promise<any> }} Month `next`: where to go on within it */

export class Timeline extends PhotoList {
  /** @param {(parameters: Record<string, any>) => Promise<{ items: any[], next: string | null }>} load a page of photos */
  constructor(load) {
    super();
    this.load = load;
    /** @type {Month[]} */
    this.sections = [];
  }

  /** Takes over the months and their counts. Months of the same count stay as they are. @param {{ month: string, photos: number }[]} months */
  setMonths(months) {
    const known = new Map(this.sections.map((section) => [section.key, section]));
    this.sections = months.map(({ month, photos }) => {
      const section = known.get(month);
      return section?.count === photos ? section : newSection(month, photos);
    });
    this.changed();
  }

  /** @param {import("./photo-list.js").Place} from @param {import("./photo-list.js").Place} to */
  async need(from, to) {
    for (let section = from.section; section <= to.section; section += 1) {
      /** @type {Month | undefined} */
      const month = this.sections[section];
      // While months change under way, the next look asks anew.
      if (!month) return;
      const last = section === to.section ? to.index : month.count - 1;
      while (month.photos.length <= Math.min(last, month.count - 1)) {
        month.asked ??= this.#loadNext(month).finally(() => {
          month.asked = undefined;
        });
        await month.asked;
        if (!this.sections.includes(month)) return;
      }
    }
  }

  /** Puts photos back that were taken out. @param {import("./photo-list.js").Photo[]} photos */
  insert(photos) {
    for (const photo of photos) {
      const key = standsAt(photo).slice(0, 7);
      let at = this.sections.findIndex((section) => section.key <= key);
      if (at < 0) at = this.sections.length;
      if (this.sections[at]?.key !== key) this.sections.splice(at, 0, newSection(key, 0));
      const month = this.sections[at];
      const later = month.photos.findIndex((other) => other !== undefined && isBefore(photo, other));
      // Behind all that are there, of a month that is there in part only, it comes with the rest.
      const index = later < 0 ? month.photos.length : later;
      const comesLater = later < 0 && month.photos.length < month.count;
      resize(month, month.count + 1);
      if (comesLater) continue;
      const behind = /** @type {import("./photo-list.js").Photo[]} */ (month.photos.splice(index));
      place(month, index, [photo, ...behind]);
    }
    this.changed();
  }

  /** @param {Month} month */
  async #loadNext(month) {
    const start = month.photos.length;
    /** @type {{ after?: string, before?: string }} */
    const where = start && month.next ? { after: month.next } : { before: monthAfter(month.key) };
    const page = await this.load({ ...where, limit: PAGE });
    // The month is gone, or what was there of it was let go meanwhile: then the next look begins anew.
    if (!this.sections.includes(month) || month.photos.length !== start) return;
    let left = this.sections.indexOf(month);
    for (const [key, photos] of byMonth(page.items)) {
      const at = this.sections.findIndex((section) => section.key === key);
      if (at < left) continue;
      // The page leads through these months: each that it leaves is whole.
      for (; left < at; left += 1) resize(this.sections[left], this.sections[left].photos.length);
      /** @type {Month} */
      const section = this.sections[at];
      const from = section === month && where.after ? start : 0;
      if (section.photos.length > from + photos.length) continue;
      place(section, from, photos);
      section.next = page.next;
    }
    const isOver = !page.next || month.photos.length === start;
    if (isOver) resize(this.sections[left], this.sections[left].photos.length);
    this.sections = this.sections.filter((section) => section.count > 0);
    this.changed();
  }

  /** @param {Month} section */
  letGo(section) {
    super.letGo(section);
    section.next = undefined;
  }
}

/** Where a photo stands in the timeline: by its local time, or by when it was added. @param {{ takenAt: string | null, createdAt: string }} photo */
export const standsAt = (photo) => (photo.takenAt ?? photo.createdAt).slice(0, 19);

/** The day before whose start the photos of a month begin: the next month's first. @param {string} key such as `2024-06` */
export function monthAfter(key) {
  const [year, month] = key.split("-").map(Number);
  return month === 12 ? `${String(year + 1).padStart(4, "0")}-01` : `${String(year).padStart(4, "0")}-${String(month + 1).padStart(2, "0")}`;
}

/** @param {any} photo @param {any} other */
function isBefore(photo, other) {
  const [mine, others] = [standsAt(photo), standsAt(other)];
  return mine === others ? photo.id > other.id : mine > others;
}

/** @param {any[]} photos @returns {Map<string, any[]>} */
function byMonth(photos) {
  const months = new Map();
  for (const photo of photos) {
    const key = standsAt(photo).slice(0, 7);
    if (!months.has(key)) months.set(key, []);
    months.get(key).push(photo);
  }
  return months;
}
