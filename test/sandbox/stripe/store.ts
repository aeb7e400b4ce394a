/**
 * All that the sandbox knows, and the unit of work that changes it.
 *
 * A `Work` gathers the records and movements of one request and applies them together: in memory at once, and
 * as one line of the journal, so that a request is remembered whole or not at all. A handler that throws
 * leaves nothing behind.
 */

import type { Movement, MovementKind } from "./book.ts";
import { IdempotencyKeys, type KeyedResult } from "./idempotency.ts";
import { Journal } from "./journal.ts";
import type {
  BalanceTransactionRecord,
  ChargeRecord,
  PaymentIntentRecord,
  PaymentMethodRecord,
  RefundRecord,
} from "./records.ts";
import { SearchIndex } from "./search-index.ts";
import type { Settings } from "./settings.ts";
import { Table } from "./table.ts";

export type Kinds = {
  paymentIntents: PaymentIntentRecord;
  charges: ChargeRecord;
  refunds: RefundRecord;
  paymentMethods: PaymentMethodRecord;
  balanceTransactions: BalanceTransactionRecord;
};

type StoredKey = Omit<KeyedResult, "body"> & { readonly key: string; readonly body: string };

/** One line of the journal. */
type JournalLine =
  | { put: { [K in keyof Kinds]?: Kinds[K][] }; moves: Movement[]; key?: StoredKey }
  | { reset: true }
  | { keysExpired: true };

export class Store {
  readonly paymentIntents = new Table<PaymentIntentRecord>();
  readonly charges = new Table<ChargeRecord>((charge) => [charge.paymentIntent]);
  readonly refunds = new Table<RefundRecord>((refund) => [refund.charge, refund.paymentIntent]);
  readonly paymentMethods = new Table<PaymentMethodRecord>();
  readonly balanceTransactions = new Table<BalanceTransactionRecord>((transaction) => [transaction.source]);
  readonly movements: Movement[] = [];
  readonly keys = new IdempotencyKeys();
  readonly search = new SearchIndex();
  #journal!: Journal;

  /** Opens the store, reading back what the journal at `path` holds; in memory only where `path` is null. */
  static async open(path: string | null): Promise<Store> {
    const store = new Store();
    store.#journal = await Journal.open(path, (line) => store.#replay(JSON.parse(line) as JournalLine));
    for (const intent of store.paymentIntents.values()) store.search.indexAtOnce(intent);
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
  apply(work: Work, key?: { readonly name: string; readonly result: KeyedResult }): void {
    const put = work.staged();
    for (const kind of Object.keys(put) as (keyof Kinds)[]) {
      for (const record of put[kind] ?? []) this[kind].put(record as never);
    }
    for (const intent of put.paymentIntents ?? []) {
      this.search.note(intent, work.nowMs, work.settings.searchLagMs);
    }
    this.movements.push(...work.moves);
    if (key !== undefined) this.keys.keep(key.name, key.result, work.settings.idempotencyKeyTtlMs);
    if (!this.#journal.keeps || (work.isEmpty() && key === undefined)) return;
    const stored = key && { ...key.result, key: key.name, body: key.result.body.toString("utf8") };
    this.#journal.append(JSON.stringify({ put, moves: work.moves, key: stored }));
  }

  expireKeys(): number {
    this.#journal.append(JSON.stringify({ keysExpired: true } satisfies JournalLine));
    return this.keys.expireAll();
  }

  /** Empties everything. */
  reset(): void {
    this.#journal.append(JSON.stringify({ reset: true } satisfies JournalLine));
    this.#empty();
  }

  #empty(): void {
    for (const table of [this.paymentIntents, this.charges, this.refunds]) table.clear();
    this.paymentMethods.clear();
    this.balanceTransactions.clear();
    this.movements.length = 0;
    this.keys.clear();
    this.search.clear();
  }

  #replay(line: JournalLine): void {
    if ("reset" in line) return this.#empty();
    if ("keysExpired" in line) return void this.keys.expireAll();
    for (const kind of Object.keys(line.put) as (keyof Kinds)[]) {
      for (const record of line.put[kind] ?? []) this[kind].put(record as never);
    }
    this.movements.push(...line.moves);
    if (line.key === undefined) return;
    const { key, body, ...result } = line.key;
    this.keys.keep(key, { ...result, body: Buffer.from(body, "utf8") }, Number.POSITIVE_INFINITY);
  }
}

export type WorkContext = {
  readonly nowMs: number;
  readonly settings: Settings;
  /** Where this sandbox listens, for the address of its authentication page. */
  readonly baseUrl: string;
  readonly idempotencyKey: string | null;
  /** The `Stripe-Version` that the client named, if any. */
  readonly apiVersion: string | null;
};

/** One request's (or one timer's) reads and writes. */
export class Work {
  readonly nowMs: number;
  readonly settings: Settings;
  readonly baseUrl: string;
  readonly idempotencyKey: string | null;
  readonly apiVersion: string | null;
  readonly store: Store;
  readonly moves: Movement[] = [];
  readonly #staged = new Map<keyof Kinds, Map<string, Kinds[keyof Kinds]>>();

  constructor(store: Store, context: WorkContext) {
    this.store = store;
    this.nowMs = context.nowMs;
    this.settings = context.settings;
    this.baseUrl = context.baseUrl;
    this.idempotencyKey = context.idempotencyKey;
    this.apiVersion = context.apiVersion;
  }

  /** Now in the wire format's unit. */
  get nowSeconds(): number {
    return Math.floor(this.nowMs / 1000);
  }

  find<K extends keyof Kinds>(kind: K, id: string): Kinds[K] | undefined {
    const staged = this.#staged.get(kind)?.get(id);
    const table = this.store[kind] as unknown as Table<Kinds[K]>;
    return (staged as Kinds[K] | undefined) ?? table.get(id);
  }

  /** A record that another record refers to; its absence would be a fault of the sandbox. */
  get<K extends keyof Kinds>(kind: K, id: string): Kinds[K] {
    const record = this.find(kind, id);
    if (record === undefined) throw new Error(`${kind} has no ${id}`);
    return record;
  }

  put<K extends keyof Kinds>(kind: K, record: Kinds[K]): Kinds[K] {
    let records = this.#staged.get(kind);
    if (records === undefined) {
      records = new Map();
      this.#staged.set(kind, records);
    }
    records.set(record.id, record);
    return record;
  }

  /** Writes a movement of money into the book. Nothing moves for an amount of zero. */
  move(kind: MovementKind, charge: ChargeRecord, amount: number, refund: RefundRecord | null = null): void {
    if (amount === 0) return;
    this.moves.push({
      sequence: this.store.movements.length + this.moves.length + 1,
      at: this.nowMs,
      kind,
      paymentIntent: charge.paymentIntent,
      charge: charge.id,
      refund: refund?.id ?? null,
      amount,
      currency: charge.currency,
      idempotencyKey: this.idempotencyKey,
      metadata: this.get("paymentIntents", charge.paymentIntent).metadata,
      refundMetadata: refund?.metadata ?? null,
      last4: this.get("paymentMethods", charge.paymentMethod).last4,
    });
  }

  isEmpty(): boolean {
    return this.#staged.size === 0;
  }

  staged(): { [K in keyof Kinds]?: Kinds[K][] } {
    const put: Record<string, unknown[]> = {};
    for (const [kind, records] of this.#staged) put[kind] = [...records.values()];
    return put;
  }
}
