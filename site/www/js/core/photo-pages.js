// Photos that come page by page: of an album, of a search, favourites, the trash. How many there are shows at the end.

import { newSection, PhotoList, place } from "./photo-list.js";

const PAGE = 100;

export class PhotoPages extends PhotoList {
  /** @param {(parameters: Record<string, any>) => Promise<{ items: any[], next: string | null }>} load a page of photos */
  constructor(load) {
    super();
    this.load = load;
    this.sections = [newSection("", 0)];
    this.isOpen = true;
    /** @type {string | undefined} */
    this.next = undefined;
    /** @type {Promise<any> | undefined} */
    this.asked = undefined;
  }

  /** @param {import("./photo-list.js").Place} _from @param {import("./photo-list.js").Place} to */
  async need(_from, to) {
    while (this.isOpen && (this.sections[0]?.photos.length ?? 0) <= to.index) {
      this.asked ??= this.#loadNext().finally(() => {
        this.asked = undefined;
      });
      await this.asked;
    }
  }

  /** Loads all. */
  async all() {
    await this.need({ section: 0, index: 0 }, { section: 0, index: Number.POSITIVE_INFINITY });
  }

  /** Puts photos back that were taken out, each before the one that it stood before. @param {import("./photo-list.js").Photo[]} photos @param {Map<string, string | undefined>} before */
  insert(photos, before = new Map()) {
    const section = this.#section();
    const all = /** @type {import("./photo-list.js").Photo[]} */ ([...section.photos]);
    for (const photo of [...photos].reverse()) {
      const follower = before.get(photo.id);
      const index = all.findIndex((other) => other.id === follower);
      all.splice(index < 0 ? (before.has(photo.id) ? all.length : 0) : index, 0, photo);
    }
    place(section, 0, all);
    this.changed();
  }

  /** Moves photos before another one, or to the end. @param {string[]} ids @param {string | undefined} before */
  move(ids, before) {
    const section = this.#section();
    const all = /** @type {import("./photo-list.js").Photo[]} */ (section.photos);
    const moved = all.filter((photo) => ids.includes(photo.id));
    const rest = all.filter((photo) => !ids.includes(photo.id));
    const index = before === undefined ? rest.length : rest.findIndex((photo) => photo.id === before);
    place(section, 0, [...rest.slice(0, index), ...moved, ...rest.slice(index)]);
    this.changed();
  }

  /** A list that is read by cursors keeps what it has: it is long only for those who scrolled it all. */
  letGo() {}

  #section() {
    if (!this.sections.length) this.sections = [newSection("", 0)];
    return this.sections[0];
  }

  async #loadNext() {
    const page = await this.load({ limit: PAGE, after: this.next });
    const section = this.#section();
    place(section, section.photos.length, page.items);
    this.next = page.next ?? undefined;
    // A page may be short, even empty, and not be the last.
    this.isOpen = page.next !== null && page.next !== undefined;
    if (page.items.length || !this.isOpen) this.changed();
  }
}
