/**
 * One request's (or one decision's) reads and writes. They are gathered here and applied together, so that a
 * request is remembered whole or not at all; an execution that throws leaves nothing behind.
 */

import type { Movement, NewMovement } from "./book.ts";
import type { Store } from "./store.ts";
import type { World } from "./world.ts";

export type WorkContext<T extends World> = {
  readonly nowMs: number;
  readonly settings: T["settings"];
  /** Where this sandbox listens, for addresses that it gives out. */
  readonly baseUrl: string;
  readonly idempotencyKey: string | null;
  /** Null where no request makes the change. */
  readonly request: T["request"] | null;
};

/** The records that a unit of work has changed, by kind. */
export type Staged<T extends World> = { [K in keyof T["kinds"]]?: T["kinds"][K][] };

export class Work<T extends World> {
  readonly store: Store<T>;
  readonly nowMs: number;
  readonly settings: T["settings"];
  readonly baseUrl: string;
  readonly idempotencyKey: string | null;
  readonly request: T["request"] | null;
  readonly moves: T["movement"][] = [];
  readonly events: T["event"][] = [];
  readonly #staged = new Map<keyof T["kinds"], Map<string, T["kinds"][keyof T["kinds"]]>>();

  constructor(store: Store<T>, context: WorkContext<T>) {
    this.store = store;
    this.nowMs = context.nowMs;
    this.settings = context.settings;
    this.baseUrl = context.baseUrl;
    this.idempotencyKey = context.idempotencyKey;
    this.request = context.request;
  }

  /** Now in seconds since 1970. */
  get nowSeconds(): number {
    return Math.floor(this.nowMs / 1000);
  }

  find<K extends keyof T["kinds"] & string>(kind: K, id: string): T["kinds"][K] | undefined {
    const staged = this.#staged.get(kind)?.get(id);
    return (staged as T["kinds"][K] | undefined) ?? this.store.tables[kind].get(id);
  }

  /** A record that another record refers to; its absence would be a fault of the sandbox. */
  get<K extends keyof T["kinds"] & string>(kind: K, id: string): T["kinds"][K] {
    const record = this.find(kind, id);
    if (record === undefined) throw new Error(`${kind} has no ${id}`);
    return record;
  }

  put<K extends keyof T["kinds"] & string>(kind: K, record: T["kinds"][K]): T["kinds"][K] {
    let records = this.#staged.get(kind);
    if (records === undefined) {
      records = new Map();
      this.#staged.set(kind, records);
    }
    records.set(record.id, record);
    return record;
  }

  /** Writes a movement of money into the book. Nothing moves for an amount of zero. */
  move(movement: NewMovement<T["movement"]>): void {
    const { amount } = movement as Pick<Movement, "amount">;
    if (!Number.isSafeInteger(amount) || amount < 0) throw new Error(`not an amount: ${amount}`);
    if (amount === 0) return;
    const sequence = this.store.movements.length + this.moves.length + 1;
    const { nowMs: at, idempotencyKey } = this;
    this.moves.push({ sequence, at, ...movement, idempotencyKey } as unknown as T["movement"]);
  }

  /** Tells the merchant by a webhook, once this work is applied; nobody where no address is known. */
  announce(event: T["event"]): void {
    if (event.url !== undefined || this.settings.webhooks.url !== null) this.events.push(event);
  }

  isEmpty(): boolean {
    return this.#staged.size === 0 && this.moves.length === 0 && this.events.length === 0;
  }

  staged(): Staged<T> {
    const put: Staged<T> = {};
    for (const [kind, records] of this.#staged) put[kind] = [...records.values()];
    return put;
  }
}
