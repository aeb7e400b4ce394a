import type { Sql } from "postgres";
import { idFromUuid } from "../../subgraphs/kernel/ids.ts";
import type { Problems } from "./problems.ts";
import type { PaymentRecord } from "./records.ts";

/** How long operations stayed without an outcome while their provider answered. */
export type Waits = {
  /** Operations that their own request did not settle. */
  readonly unknown: number;
  /** In ms, of those. */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
  /** How many took longer than 30 s. */
  readonly over30s: number;
  /** Those that took longest. */
  readonly slowest: readonly string[];
};

const MOST_MS = 60_000;
const NEARLY_ALL_MS = 30_000;
const SLOWEST = 5;
const LOOK_EVERY_MS = 300;

export type WatchOptions = {
  /** Whether this provider cannot be reached at the moment, or the region is away. */
  readonly isAway: (provider: string) => boolean;
  /** Whether the payer has done their part: before that, a payment may wait for them. */
  readonly payerIsDone: (payment: string) => boolean;
};

/**
 * Looks again and again which operations have no outcome, and remembers of each since when it could have had one: since it
 * was claimed, since its provider or the region is back, or since its payer was done, whichever is last.
 */
export class Watch {
  readonly #read: Sql;
  readonly #options: WatchOptions;
  /** By operation, in ms since 1970. */
  readonly #since = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #over = false;

  constructor(owner: Sql, options: WatchOptions) {
    this.#read = owner;
    this.#options = options;
    this.#next();
  }

  async stop(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** @param settledByItselfMs an operation that took no longer was not unknown, in ms */
  waits(
    problems: Problems,
    payments: ReadonlyMap<string, PaymentRecord>,
    { settledByItselfMs }: { readonly settledByItselfMs: number },
  ): Waits {
    const waits: { readonly waited: number; readonly line: string }[] = [];
    let operations = 0;
    for (const { id: payment, number, operations: own } of payments.values()) {
      operations += own.length;
      for (const { id, kind, provider, state, claimedAt, resolvedAt } of own) {
        const since = this.#since.get(id);
        if (resolvedAt === null || since === undefined) continue;
        if (resolvedAt.getTime() - claimedAt.getTime() <= settledByItselfMs) continue;
        const waited = Math.max(0, resolvedAt.getTime() - since);
        const what = `${id} of ${payment}, a ${kind} at ${provider} (${state}), had no outcome for ${seconds(waited)}`;
        waits.push({ waited, line: `${what} (payment ${number})` });
        if (waited > MOST_MS) problems.add("waited too long", what, number);
      }
    }
    waits.sort((a, b) => a.waited - b.waited);
    const over30s = waits.filter(({ waited }) => waited > NEARLY_ALL_MS).length;
    // One in a thousand; of few operations two may.
    if (over30s > Math.max(2, operations / 1_000))
      problems.add(
        "waited too long",
        `${over30s} of ${operations} operations had no outcome for more than 30 s`,
      );
    const at = (share: number) =>
      waits[Math.min(waits.length - 1, Math.ceil(waits.length * share) - 1)]?.waited ?? 0;
    return {
      unknown: waits.length,
      median: at(0.5),
      p99: at(0.99),
      longest: at(1),
      over30s,
      slowest: waits.slice(-SLOWEST).map(({ line }) => line),
    };
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch(() => {})
        .then(() => {
          if (!this.#over) this.#next();
        });
    }, LOOK_EVERY_MS);
  }

  async #look(): Promise<void> {
    const sql = this.#read;
    const rows = await sql`
      select o.id, o.payment, o.provider, o.state, o.claimed_at
      from payments.in_flight f
      join payments.operation o
        on o.shard = f.shard and o.merchant = f.merchant and o.payment = f.payment and o.id = f.operation`;
    const now = Date.now();
    for (const row of rows) {
      const id = idFromUuid("op", row["id"] as string) as string;
      const payment = idFromUuid("pay", row["payment"] as string) as string;
      const waitsForPayer = row["state"] === "requires_action" && !this.#options.payerIsDone(payment);
      if (waitsForPayer || this.#options.isAway(row["provider"] as string)) this.#since.set(id, now);
      else if (!this.#since.has(id)) this.#since.set(id, (row["claimed_at"] as Date).getTime());
    }
  }
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
