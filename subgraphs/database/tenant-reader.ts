import type { Sql } from "postgres";
import { type MerchantId, uuidOf } from "../kernel/ids.ts";
import { connectAs, type DatabaseRole, type DatabaseUrl } from "./pool.ts";

export type DatabaseRow = Readonly<Record<string, unknown>>;
export type Parameter = string | number | boolean | null | Date | bigint;

/** One SELECT, with its parameters in order. */
export type Query = { readonly text: string; readonly parameters: readonly Parameter[] };

/** Reads a merchant's rows and nobody else's. */
export interface TenantReader {
  /** Runs the queries in one read-only transaction scoped to `merchant`; their rows in order. */
  read(merchant: MerchantId, ...queries: readonly Query[]): Promise<DatabaseRow[][]>;
  close(): Promise<void>;
}

/**
 * A reader under row security. Each lane is one connection; `begin`, the merchant, the queries and `commit`
 * are sent together, so a read is one round trip, and the merchant is set for that transaction only: the next
 * read on the connection cannot see with it.
 */
export function createTenantReader(role: DatabaseRole, url: DatabaseUrl, connections: number): TenantReader {
  const lanes = Array.from({ length: connections }, () => connectAs(role, url, { connections: 1 }));
  let next = 0;
  return {
    async read(merchant, ...queries) {
      next = (next + 1) % lanes.length;
      return readOn(lanes[next] as Sql, uuidOf(merchant), queries);
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.end({ timeout: 2 })));
    },
  };
}

async function readOn(lane: Sql, merchant: string, queries: readonly Query[]): Promise<DatabaseRow[][]> {
  // Everything is queued in one tick, so no other read's statements can come between.
  const statements = [
    // One snapshot for all of them: a payment and its operation must not be of two moments.
    lane.unsafe("begin isolation level repeatable read read only", [], { prepare: true }),
    lane.unsafe("select set_config('tessera.merchant', $1, true)", [merchant], { prepare: true }),
    ...queries.map(({ text, parameters }) =>
      lane.unsafe(text, [...parameters] as never[], { prepare: true }),
    ),
    lane.unsafe("commit", [], { prepare: true }),
  ];
  const settled = await Promise.allSettled(statements);
  const failed = settled
    .slice(2, -1)
    .concat(settled[0] as never, settled[1] as never, settled.at(-1) as never);
  for (const result of failed) if (result.status === "rejected") throw result.reason;
  return settled
    .slice(2, -1)
    .map((result) => (result as PromiseFulfilledResult<unknown>).value as DatabaseRow[]);
}
