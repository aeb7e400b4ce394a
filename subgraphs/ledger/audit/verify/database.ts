import postgres from "postgres";
import type { CanonicalTransfer } from "../canonical.ts";
import type { ChainedBatch } from "../checkpoint.ts";
import { COPIED_COLUMNS, copiedRows } from "./copied-rows.ts";

/** Microseconds since the Unix epoch, both included; null: no end on that side. */
export type Period = { readonly from: bigint | null; readonly to: bigint | null };

export type BatchSpan = { readonly shard: number; readonly from: bigint; readonly to: bigint };

export type StoredHead = {
  readonly shard: number;
  readonly seq: bigint;
  readonly batch: bigint;
  readonly mac: Buffer;
};

/** One moment's view of the database, for the auditor. Nothing of it is believed. */
export interface AuditDatabase {
  /** By this machine's clock. */
  readonly openedAtMs: number;
  /** Batches of the period by shard and number, in pages. */
  batchesByNumber(period: Period, shard: number | null): AsyncIterable<readonly ChainedBatch[]>;
  /** Batches of the period by time, in pages. */
  batchesByTime(period: Period, shard: number | null): AsyncIterable<readonly ChainedBatch[]>;
  /** The batches of each span, in order. */
  batchesOf(spans: readonly BatchSpan[]): Promise<ChainedBatch[][]>;
  heads(shard: number | null): Promise<StoredHead[]>;
  /** Rows after `after` up to `to`, in whatever order they lie. */
  rows(after: bigint | null, to: bigint | null, shard: number | null): AsyncIterable<CanonicalTransfer>;
  close(): Promise<void>;
}

const PAGE = 2_000;
/** A time that nothing of ours has (`infinity`, the year 12000) becomes 0. */
const MICROS = `case when at between '0001-01-01Z' and '9999-12-31Z' then (extract(epoch from at) * 1000000)::bigint
  else 0 end`;
const BATCH = `shard, number, first_seq, count, ${MICROS} as micros, root, mac`;

/** Opens a snapshot as `tessera_auditor`, of which the URL's login user must be a member. */
export async function openAuditDatabase(url: string): Promise<AuditDatabase> {
  // One connection, never replaced: the snapshot is its transaction's.
  const sql = postgres(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    fetch_types: false,
    types: { bigint: postgres.BigInt },
    onnotice: () => {},
    connection: {
      role: "tessera_auditor",
      application_name: "audit-verify",
      statement_timeout: 0,
      work_mem: "64MB",
    },
  } as postgres.Options<{ bigint: postgres.PostgresType<bigint> }>);
  await sql.unsafe("select ledger.sum_up_times()");
  await sql.unsafe("begin isolation level repeatable read read only");
  await sql.unsafe("select 1 from ledger.chain limit 1"); // the snapshot is taken now
  let cursors = 0;

  async function* paged(query: string): AsyncGenerator<readonly ChainedBatch[]> {
    // Declared, not a portal of the driver's: other statements run between its pages.
    const cursor = `batches_${++cursors}`;
    await sql.unsafe(`declare ${cursor} no scroll cursor for ${query}`);
    try {
      for (;;) {
        const page = await sql.unsafe(`fetch forward ${PAGE} from ${cursor}`);
        if (page.length === 0) return;
        yield page.map(batchFrom);
      }
    } finally {
      await sql.unsafe(`close ${cursor}`);
    }
  }

  return {
    openedAtMs: Date.now(),
    batchesByNumber: (period, shard) =>
      paged(`select ${BATCH} from ledger.batch where ${within(period, shard)} order by shard, number`),
    batchesByTime: (period, shard) =>
      paged(`select ${BATCH} from ledger.batch where ${within(period, shard)} order by at, shard, number`),

    async batchesOf(spans) {
      const found: ChainedBatch[][] = spans.map(() => []);
      const values = spans.map(
        ({ shard, from, to }, i) => `(${i}, ${shard}::smallint, ${from}::bigint, ${to}::bigint)`,
      );
      const rows = await sql.unsafe(
        // Span by span along the primary key: as a plain join it may become one of all batches of a shard with all spans.
        `select s.i, b.* from (values ${values.join(", ")}) as s (i, of_shard, low, high)
         cross join lateral (
           select ${BATCH} from ledger.batch where shard = s.of_shard and number between s.low and s.high
           order by number offset 0
         ) b order by s.i, b.number`,
      );
      for (const row of rows) found[row["i"] as number]?.push(batchFrom(row));
      return found;
    },

    async heads(shard) {
      const rows = await sql.unsafe(
        `select shard, seq, batch, mac from ledger.chain where ${ofShard(shard)}`,
      );
      return rows.map((row) => ({
        shard: row["shard"] as number,
        seq: row["seq"] as bigint,
        batch: row["batch"] as bigint,
        mac: row["mac"] as Buffer,
      }));
    },

    async *rows(after, to, shard) {
      const later = after === null ? "true" : `at > ${literal(after)}`;
      const query = `select ${COPIED_COLUMNS} from ledger.transfer
        where ${later} and ${within({ from: null, to }, shard)}`;
      yield* copiedRows(await sql.unsafe(`copy (${query}) to stdout (format binary)`).readable());
    },

    async close() {
      await sql.end({ timeout: 2 });
    },
  };
}

const ofShard = (shard: number | null): string => (shard === null ? "true" : `shard = ${shard}::smallint`);

function within({ from, to }: Period, shard: number | null): string {
  const parts = [ofShard(shard)];
  if (from !== null) parts.push(`at >= ${literal(from)}`);
  if (to !== null) parts.push(`at <= ${literal(to)}`);
  return parts.join(" and ");
}

/** A time as SQL, to the microsecond; COPY takes no parameters. */
function literal(micros: bigint): string {
  const part = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const iso = new Date(Number((micros - part) / 1_000n)).toISOString().slice(0, 19);
  return `'${iso}.${String(part).padStart(6, "0")}Z'::timestamptz`;
}

function batchFrom(row: Readonly<Record<string, unknown>>): ChainedBatch {
  return {
    header: {
      shard: row["shard"] as number,
      number: row["number"] as bigint,
      firstSeq: row["first_seq"] as bigint,
      count: row["count"] as number,
      atMicros: row["micros"] as bigint,
      root: row["root"] as Buffer,
    },
    mac: row["mac"] as Buffer,
  };
}
