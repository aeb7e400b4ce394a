/**
 * All that a sandbox knows: its records, its book, its idempotency keys and the webhooks that are still to be
 * delivered. A unit of work is applied in memory at once, and as one line of the journal.
 */

import { IdempotencyKeys, type KeyedResult } from "./idempotency.ts";
import { Journal } from "./journal.ts";
import type { Table } from "./table.ts";
import type { Staged, Work } from "./work.ts";
import type { World } from "./world.ts";

type StoredKey = Omit<KeyedResult, "body"> & { readonly key: string; readonly body: string };

/** One line of the journal. */
type JournalLine<T extends World> =
  | { put: Staged<T>; moves: T["movement"][]; events?: T["event"][]; key?: StoredKey }
  | { eventDone: string }
  | { reset: true }
  | { keysExpired: true };

export type Tables<T extends World> = { readonly [K in keyof T["kinds"]]: Table<T["kinds"][K]> };

/** A provider's empty memory, and how what follows from the records is kept up. */
export type Memory<T extends World> = {
  readonly tables: Tables<T>;
  readonly indexes: T["indexes"];
  /** After the journal was read back. */
  readonly opened?: () => void;
  readonly applied?: (put: Staged<T>, work: Work<T>) => void;
  readonly emptied?: () => void;
};

export class Store<T extends World> {
  readonly tables: Tables<T>;
  readonly indexes: T["indexes"];
  readonly movements: T["movement"][] = [];
  readonly keys = new IdempotencyKeys();
  /** Events that are neither delivered nor given up, oldest first. */
  readonly undelivered = new Map<string, T["event"]>();
  readonly #memory: Memory<T>;
  #journal!: Journal;

  private constructor(memory: Memory<T>) {
    this.#memory = memory;
    this.tables = memory.tables;
    this.indexes = memory.indexes;
  }

  /** Opens the store, reading back what the journal at `path` holds; in memory only where `path` is null. */
  static async open<T extends World>(path: string | null, memory: Memory<T>): Promise<Store<T>> {
    const store = new Store(memory);
    store.#journal = await Journal.open(path, (line) => store.#replay(JSON.parse(line) as JournalLine<T>));
    memory.opened?.();
    return store;
  }

  /** Resolves once everything applied so far is written down; null where nothing is waiting. */
  settled(): Promise<void> | null {
    return this.#journal.settled();
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  /** Applies a finished unit of work together with the result that its key remembers. */
  apply(work: Work<T>, key?: { readonly name: string; readonly result: KeyedResult }): void {
    const put = work.staged();
    const { moves, events } = work;
    this.#take(put, moves, events);
    this.#memory.applied?.(put, work);
    if (key !== undefined) this.keys.keep(key.name, key.result, work.settings.idempotencyKeyTtlMs);
    if (!this.#journal.keeps || (work.isEmpty() && key === undefined)) return;
    const stored = key && { ...key.result, key: key.name, body: key.result.body.toString("utf8") };
    const told = events.length > 0 ? events : undefined;
    this.#journal.append(JSON.stringify({ put, moves, events: told, key: stored }));
  }

  /** Notes that an event needs no more delivering. */
  eventDone(id: string): void {
    if (this.undelivered.delete(id)) this.#append({ eventDone: id });
  }

  expireKeys(): number {
    this.#append({ keysExpired: true });
    return this.keys.expireAll();
  }

  /** Empties everything. */
  reset(): void {
    this.#append({ reset: true });
    this.#empty();
  }

  #append(line: JournalLine<T>): void {
    this.#journal.append(JSON.stringify(line));
  }

  #take(put: Staged<T>, moves: readonly T["movement"][], events: readonly T["event"][] | undefined): void {
    for (const kind of Object.keys(put) as (keyof T["kinds"])[]) {
      for (const record of put[kind] ?? []) this.tables[kind].put(record);
    }
    this.movements.push(...moves);
    for (const event of events ?? []) this.undelivered.set(event.id, event);
  }

  #empty(): void {
    for (const table of Object.values<Table<World["kinds"][string]>>(this.tables as never)) table.clear();
    this.movements.length = 0;
    this.undelivered.clear();
    this.keys.clear();
    this.#memory.emptied?.();
  }

  #replay(line: JournalLine<T>): void {
    if ("reset" in line) return this.#empty();
    if ("keysExpired" in line) return void this.keys.expireAll();
    if ("eventDone" in line) return void this.undelivered.delete(line.eventDone);
    this.#take(line.put, line.moves, line.events);
    if (line.key === undefined) return;
    const { key, body, ...result } = line.key;
    this.keys.keep(key, { ...result, body: Buffer.from(body, "utf8") }, Number.POSITIVE_INFINITY);
  }
}
