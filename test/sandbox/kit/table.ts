/**
 * Records of one kind in memory: by id, in order of creation, and by what they belong to.
 */

/** What every record has: an id, and when it was made in the unit of the wire format. */
export type Identified = { readonly id: string; readonly created: number };

export class Table<T extends Identified> {
  readonly #entries = new Map<string, { record: T; readonly position: number }>();
  readonly #order: string[] = [];
  readonly #byOwner = new Map<string, string[]>();
  readonly #ownersOf: (record: T) => readonly string[];

  /** `ownersOf` names the ids that a record can be listed by; they must not change over its life. */
  constructor(ownersOf: (record: T) => readonly string[] = () => []) {
    this.#ownersOf = ownersOf;
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.record;
  }

  put(record: T): void {
    const entry = this.#entries.get(record.id);
    if (entry !== undefined) {
      entry.record = record;
      return;
    }
    this.#entries.set(record.id, { record, position: this.#order.length });
    this.#order.push(record.id);
    for (const owner of this.#ownersOf(record)) {
      const owned = this.#byOwner.get(owner);
      if (owned === undefined) this.#byOwner.set(owner, [record.id]);
      else owned.push(record.id);
    }
  }

  /** Ids from the oldest to the newest; of one owner where it is given. Not to be changed by the caller. */
  ids(owner?: string): readonly string[] {
    return owner === undefined ? this.#order : (this.#byOwner.get(owner) ?? []);
  }

  /** Where a record stands in `ids(owner)`, or -1. */
  indexOf(id: string, owner?: string): number {
    if (owner !== undefined) return this.ids(owner).indexOf(id);
    return this.#entries.get(id)?.position ?? -1;
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries.values()) yield entry.record;
  }

  clear(): void {
    this.#entries.clear();
    this.#order.length = 0;
    this.#byOwner.clear();
  }
}
