import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import type { Bench } from "./bench.ts";
import { ClosedLoop } from "./closed-loop.ts";
import { databaseUrl } from "./databases.ts";
import { countRoundTrips, type RoundTripCounter } from "./round-trips.ts";
import type { OpenGroup, Row } from "./row.ts";
import { CORE_DATABASE } from "./rows/payment-core.ts";
import { forgetStatements, readStatements, type Statement, trackStatements } from "./statements.ts";
import { sumOf } from "./statistics.ts";

/** What one unit asks of Postgres. */
export type Counts = {
  /** Sent by clients, transaction statements included. */
  readonly statements: number;
  /** Run inside functions, in addition. */
  readonly statementsInside: number;
  /** Null where the row's way to Postgres cannot be counted. */
  readonly roundTrips: number | null;
  /** By application name. */
  readonly roundTripsBy: Readonly<Record<string, number>>;
  /** The statements that take the server longest, per unit. */
  readonly longest: readonly Statement[];
};

const WARM_UP_SECONDS = 1;
const SECONDS = 1.5;
const LIMIT_SECONDS = 30;
/** Databases whose outbox a relay empties, by name. */
const RELAYED: ReadonlySet<string> = new Set(["tessera", CORE_DATABASE]);
const LONGEST = 16;

export type CountedGroup = { readonly open: OpenGroup; readonly rows: readonly Row[] };

/**
 * Counts statements and round trips, after the rounds, since both counters cost time. The groups are taken one by one
 * and closed when they are done: each has work that goes on by itself (an outbox relay, sweeps), which must
 * not be counted as another's. Groups that go through the platform come last.
 */
export async function countAll(
  bench: Bench,
  groups: readonly CountedGroup[],
): Promise<ReadonlyMap<string, Counts>> {
  const counts = new Map<string, Counts>();
  const counter = await countRoundTrips(new URL(bench.postgres.url));
  await trackStatements(bench.admin, true);
  try {
    const alone = groups.filter(({ open }) => open.reconnect !== undefined);
    const platform = await bench.startedPlatform();
    await platform?.stack.region.stop();
    for (const group of alone) {
      await group.open.reconnect?.(counter.url);
      for (const row of group.rows) counts.set(row.name, await countRow(bench, row, counter));
      await group.open.close();
    }
    const rest = groups.filter((group) => !alone.includes(group));
    if (platform !== null && rest.some(({ rows }) => rows.some(({ database }) => database !== null)))
      await platform.stack.restartRegion({ DATABASE_URL: counter.url.href });
    for (const group of rest) {
      for (const row of group.rows) {
        if (row.database !== null) counts.set(row.name, await countRow(bench, row, counter));
      }
    }
    return counts;
  } finally {
    await trackStatements(bench.admin, false);
    // Without its way to Postgres it could not end in order; whoever needs it again starts it again.
    await (await bench.startedPlatform())?.stack.region.stop();
    await counter.close();
  }
}

async function countRow(bench: Bench, row: Row, counter: RoundTripCounter): Promise<Counts> {
  bench.signal.throwIfAborted();
  const database = row.database ?? "";
  await load(bench, row, WARM_UP_SECONDS);
  await eventsPublished(bench, database);
  await forgetStatements(bench.admin);
  counter.take();
  const units = await load(bench, row, SECONDS);
  await eventsPublished(bench, database);
  const roundTrips = counter.take();
  // What looks into the outbox here is the bench itself.
  const own = RELAYED.has(database) ? ["postgres"] : [];
  const statements = await readStatements(bench.admin, database, own);
  const each = (total: number) => total / units;
  const calls = (sent: boolean) =>
    each(statements.filter((one) => one.sent === sent).reduce((sum, one) => sum + one.calls, 0));
  const counted = sumOf(roundTrips) > 0;
  return {
    statements: calls(true),
    statementsInside: calls(false),
    roundTrips: counted ? each(sumOf(roundTrips)) : null,
    roundTripsBy: Object.fromEntries(Object.entries(roundTrips).map(([name, total]) => [name, each(total)])),
    longest: statements
      .slice(0, LONGEST)
      .map((one) => ({ ...one, calls: each(one.calls), ms: each(one.ms) })),
  };
}

/** From rest to rest, so that all that these units cause is counted. Gives how many there were. */
async function load(bench: Bench, row: Row, seconds: number): Promise<number> {
  const loop = new ClosedLoop(row.clients, seconds + LIMIT_SECONDS, row.run);
  try {
    await sleep(seconds * 1_000, undefined, { signal: bench.signal });
  } finally {
    await loop.stop();
  }
  const { units, failures, firstFailure } = loop.counted();
  if (units === 0) throw new Error(`${row.name}: no unit succeeded while counting: ${firstFailure}`);
  if (failures > 0) bench.log(`${row.name}: ${failures} units failed while counting: ${firstFailure}`);
  return units;
}

const PUBLISHED_WITHIN_MS = 5_000;

/** Waits until the relay has moved what is in the outbox. */
async function eventsPublished(bench: Bench, database: string): Promise<void> {
  if (!RELAYED.has(database)) return;
  const owner = postgres(databaseUrl(bench.postgres.url, database).href, { max: 1, onnotice: () => {} });
  const deadline = performance.now() + PUBLISHED_WITHIN_MS;
  try {
    for (;;) {
      const [row] = await owner<{ waiting: boolean }[]>`
        select exists (select 1 from payments.unpublished) as waiting`;
      if (row?.waiting !== true || performance.now() > deadline) return;
      await sleep(20, undefined, { signal: bench.signal });
    }
  } finally {
    await owner.end({ timeout: 1 });
  }
}
