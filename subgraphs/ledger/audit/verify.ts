import type { KeyObject } from "node:crypto";
import type { VerifyingKeys } from "./keys.ts";
import { newestCheckpoint, type ObjectStore, timePrefix } from "./object-store.ts";
import { verifyChains } from "./verify/chains.ts";
import { verifyCheckpoints } from "./verify/checkpoints.ts";
import { openAuditDatabase, type Period } from "./verify/database.ts";
import { type Finding, Findings } from "./verify/findings.ts";
import { verifyRows } from "./verify/rows.ts";

export { type Finding, type FindingKind, lineOf } from "./verify/findings.ts";

export type VerifyOptions = {
  readonly databaseUrl: string;
  readonly store: ObjectStore;
  readonly auditKey: KeyObject;
  readonly keys: VerifyingKeys;
  /** Of one shard only. */
  readonly shard?: number | undefined;
  /** Batches made from then on. */
  readonly from?: Date | undefined;
  /** Batches made until then. */
  readonly to?: Date | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Rows whose leaves are in memory at a time. */
  readonly windowRows?: number;
};

export type Progress = { readonly phase: "checkpoints" | "chains" | "rows"; readonly rows: number };

export type Verdict = {
  readonly rows: number;
  /** Rows that were there before the chains began: they are counted, and nothing proves them. */
  readonly beforeChains: number;
  readonly batches: number;
  readonly checkpoints: number;
  /** Batches that are too young to be in a checkpoint. */
  readonly young: number;
  /** The first thousand. Empty: everything is as it was written. */
  readonly findings: readonly Finding[];
  readonly found: number;
  readonly seconds: { readonly checkpoints: number; readonly chains: number; readonly rows: number };
};

/** A checkpoint of a period's last batches may have been written late. */
const LATE_MS = 3_600_000;

/**
 * Checks that the books are as they were written. Phases, each over the same snapshot of the database and none
 * holding more than a window of it:
 *   1 checkpoints: signed, complete, and the database has what they have
 *   2 chains: every batch follows from the one before it, under the audit key
 *   3 rows: every batch's rows have its root, and no row is outside of a batch
 */
export async function verifyAudit(options: VerifyOptions): Promise<Verdict> {
  const { store, keys, auditKey, shard = null, onProgress = () => {} } = options;
  const findings = new Findings();
  const period: Period = { from: microsOf(options.from), to: microsOf(options.to) };
  // Looked up before the snapshot is taken: what these have is committed, so the snapshot must have it.
  const newest = await newestCheckpoint(store, Date.now());
  const database = await openAuditDatabase(options.databaseUrl);
  try {
    const watch = stopwatch();
    onProgress({ phase: "checkpoints", rows: 0 });
    const { checkpoints, coveredTo, originals } = await verifyCheckpoints({
      store,
      keys,
      database,
      findings,
      from: options.from === undefined ? null : timePrefix(options.from.getTime()),
      to: lastName(newest, options.to),
    });
    const checkpointSeconds = watch();
    onProgress({ phase: "chains", rows: 0 });
    const chains = await verifyChains({ database, auditKey, findings, period, shard, coveredTo });
    const chainSeconds = watch();
    const { rows, beforeChains } = await verifyRows({
      database,
      store,
      keys,
      findings,
      period,
      shard,
      begins: chains.begins,
      originals,
      windowRows: options.windowRows ?? 100_000,
      onProgress: (seen) => onProgress({ phase: "rows", rows: seen }),
    });
    return {
      rows,
      beforeChains,
      batches: chains.batches,
      checkpoints,
      young: chains.young,
      findings: findings.list,
      found: findings.total,
      seconds: { checkpoints: checkpointSeconds, chains: chainSeconds, rows: watch() },
    };
  } finally {
    await database.close();
  }
}

const microsOf = (date: Date | undefined): bigint | null =>
  date === undefined ? null : BigInt(date.getTime()) * 1_000n;

/** File name up to which checkpoints are looked at; below all names if there is none. */
function lastName(newest: string | null, to: Date | undefined): string {
  const name = newest === null ? "" : newest.slice(newest.indexOf("/") + 1);
  const late = to === undefined ? name : timePrefix(to.getTime() + LATE_MS);
  return late < name ? late : name;
}

function stopwatch(): () => number {
  let from = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - from) / 1_000;
    from = now;
    return seconds;
  };
}
