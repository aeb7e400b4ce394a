import type { Sql } from "postgres";
import { z } from "zod";
import { type CacheCounts, type Codec, createCache } from "../cache/cache.ts";
import type { SharedTier } from "../cache/shared-tier.ts";
import { connectAs, type DatabaseRole, type DatabaseUrl } from "../database/pool.ts";
import { type RateTable, rateTable } from "./domain/rate-table.ts";
import { type ReferenceRate, referenceRate } from "./domain/reference-rate.ts";

export type { Converted, RateTable } from "./domain/rate-table.ts";
export { parseReferenceRates, type ReferenceRate } from "./domain/reference-rate.ts";

/** Reference rates' door. */
export interface ReferenceRates {
  /**
   * The rates as they were within the last 60 s. Reads the database at most once in that time, and rejects where that
   * fails: rates do not live longer because there are no newer ones.
   */
  latest(): Promise<RateTable>;
  /** What the cache did; for metrics. */
  cacheCounts(): CacheCounts;
  close(): Promise<void>;
}

const RATES_TTL_MS = 60_000;
/** One table, for everybody. */
const MEMORY = { entries: 1, bytes: 1024 * 1024 };

export function openReferenceRates(options: {
  readonly url: DatabaseUrl;
  /** Who reads them: any role that may. */
  readonly role?: Extract<DatabaseRole, "tessera_payments" | "tessera_risk">;
  /** The region's Redis, if it has one. */
  readonly shared?: SharedTier | null;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}): ReferenceRates {
  const { url, role = "tessera_payments", shared = null, now } = options;
  const sql = connectAs(role, url, { connections: 1 });
  const tables = createCache<RateTable>({
    name: "reference rates",
    codec: tableCodec,
    ttlMs: RATES_TTL_MS,
    memory: MEMORY,
    // Never: there is always a table, if an empty one.
    absence: { ttlMs: 1, entries: 1 },
    shared,
    ...(now === undefined ? {} : { now }),
  });
  return {
    async latest() {
      return (await tables.get("", "latest", () => readTable(sql))) ?? rateTable([]);
    },
    cacheCounts: () => tables.counts(),
    close: () => sql.end({ timeout: 2 }),
  };
}

const tableForm = z.array(referenceRate);

const tableCodec: Codec<RateTable> = {
  version: 1,
  encode: ({ rates }) => JSON.stringify(rates),
  decode: (text) => rateTable(tableForm.parse(JSON.parse(text))),
};

async function readTable(sql: Sql): Promise<RateTable> {
  const rows = await sql.unsafe("select base, quote, rate, source, as_of from rates.reference_rate", [], {
    prepare: true,
  });
  return rateTable(
    rows.map((row) =>
      referenceRate.parse({
        base: row["base"],
        quote: row["quote"],
        rate: row["rate"],
        source: row["source"],
        asOf: (row["as_of"] as Date).toISOString(),
      }),
    ),
  );
}

/** A rate may be this much of the future: whoever publishes it has another clock. Beyond it, it would shut later ones out. */
const MAX_AHEAD_MS = 60 * 60_000;

/**
 * Stores rates; of each pair the youngest stays. For the operator: takes a connection that owns the schema. Processes
 * see them within 60 s. Throws, and stores none, if one is of the future.
 */
export async function storeReferenceRates(
  owner: Sql,
  rates: readonly ReferenceRate[],
  at: Date,
): Promise<void> {
  const ahead = rates.find(({ asOf }) => asOf.getTime() > at.getTime() + MAX_AHEAD_MS);
  if (ahead !== undefined)
    throw new Error(`the rate of ${ahead.base}/${ahead.quote} is of the future: ${ahead.asOf.toISOString()}`);
  await owner.begin(async (sql) => {
    for (const { base, quote, rate, source, asOf } of rates) {
      await sql`
        insert into rates.reference_rate (base, quote, rate, source, as_of)
        values (${base}, ${quote}, ${rate}, ${source}, ${asOf})
        on conflict (base, quote) do update
        set rate = excluded.rate, source = excluded.source, as_of = excluded.as_of
        where reference_rate.as_of <= excluded.as_of`;
    }
  });
}
