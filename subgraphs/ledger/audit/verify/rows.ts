import type { CanonicalTransfer } from "../canonical.ts";
import type { ChainedBatch } from "../checkpoint.ts";
import { findCheckpoint } from "../find-checkpoint.ts";
import type { VerifyingKeys } from "../keys.ts";
import { type BatchLeaves, openLeaves, splitLeaves } from "../leaves.ts";
import { leavesName, type ObjectStore } from "../object-store.ts";
import type { Chains } from "./chains.ts";
import { batchKey } from "./checkpoints.ts";
import type { AuditDatabase, Period } from "./database.ts";
import { explainBatch, type Original } from "./explain.ts";
import type { Findings } from "./findings.ts";
import { Strays } from "./strays.ts";
import { Window } from "./window.ts";

export type RowPass = {
  readonly database: AuditDatabase;
  readonly store: ObjectStore;
  readonly keys: VerifyingKeys;
  readonly findings: Findings;
  readonly period: Period;
  readonly shard: number | null;
  readonly begins: Chains["begins"];
  readonly originals: ReadonlyMap<string, BatchLeaves>;
  readonly windowRows: number;
  readonly onProgress: (rows: number) => void;
};

export type RowCounts = { readonly rows: number; readonly beforeChains: number };

/** Wrong batches of a window whose rows are looked at one by one. */
const MOST_EXPLAINED = 200;

/**
 * Holds every row against its batch, some ten thousand rows at a time: batches in order of time make windows, and
 * rows are read by time, since nothing else than the BRIN index on it finds them. Together the windows are the
 * whole period, so that a row which no batch has is seen too.
 */
export async function verifyRows(pass: RowPass): Promise<RowCounts> {
  const { period } = pass;
  const strays = new Strays();
  const counts = { rows: 0, before: new Map<number, bigint>() };
  let after = period.from === null ? null : period.from - 1n;
  for await (const { window, to } of windows(pass)) {
    await readWindow(pass, window, after, to, strays, counts);
    after = to;
  }
  // What is later than every batch, or all if there is none.
  await readWindow(pass, new Window(), after, period.to, strays, counts);
  strays.report(pass.findings);
  const beforeChains = compareBefore(pass, counts.before);
  return { rows: counts.rows, beforeChains };
}

/** Batches of some ten thousand rows, and all that are of the last one's time. */
async function* windows({ database, period, shard, originals, windowRows }: RowPass) {
  let window = new Window();
  let to: bigint | null = null;
  for await (const page of database.batchesByTime(period, shard)) {
    for (const stored of page) {
      const { shard: of, number, atMicros } = stored.header;
      if (to !== null && atMicros > to && window.rows >= windowRows) {
        yield { window, to };
        window = new Window();
      }
      if (to === null || atMicros > to) to = atMicros;
      // Rows are held against what the batch was, if that is known to be something else.
      const original = originals.get(batchKey(of, number));
      window.add(original?.header.atMicros === atMicros ? original : stored);
    }
  }
  if (to !== null) yield { window, to };
}

async function readWindow(
  pass: RowPass,
  window: Window,
  after: bigint | null,
  to: bigint | null,
  strays: Strays,
  counts: { rows: number; before: Map<number, bigint> },
): Promise<void> {
  window.ready();
  for await (const row of pass.database.rows(after, to, pass.shard)) {
    counts.rows += 1;
    if (window.place(row) !== "elsewhere") continue;
    if (isBefore(pass.begins, row)) counts.before.set(row.shard, (counts.before.get(row.shard) ?? 0n) + 1n);
    else strays.add(row);
  }
  pass.onProgress(counts.rows);
  let explained = 0;
  for (const batch of window.wrong()) {
    const { shard, number } = batch.header;
    if (explained++ >= MOST_EXPLAINED) {
      pass.findings.add({
        kind: "root_wrong",
        shard,
        batch: number,
        detail: "not looked at row by row: too many are",
      });
    } else
      strays.miss(
        explainBatch(batch, await rowsOf(pass, batch), await originalOf(pass, batch), pass.findings),
      );
  }
}

/** Rows that were there before the shard had batches. */
function isBefore(begins: Chains["begins"], { shard, seq, atMicros }: CanonicalTransfer): boolean {
  const begin = begins.get(shard);
  if (begin === undefined || seq < 1n || seq >= begin.seq) return false;
  return begin.atMicros === null || atMicros <= begin.atMicros;
}

/** There are as many rows before a chain as its first batch says; no more can be said of them. */
function compareBefore(
  { begins, findings, period, shard: only }: RowPass,
  before: ReadonlyMap<number, bigint>,
): number {
  let all = 0n;
  for (const [shard, { seq, atMicros }] of begins) {
    const found = before.get(shard) ?? 0n;
    all += found;
    const seen = period.from === null && (period.to === null || (atMicros !== null && period.to >= atMicros));
    if (seen && (only === null || only === shard) && found !== seq - 1n) {
      const detail = `before the chain there are ${found} rows, and were ${seq - 1n}`;
      findings.add({ kind: found < seq - 1n ? "row_missing" : "row_inserted", shard, seq: 0n, detail });
    }
  }
  return Number(all);
}

async function rowsOf({ database }: RowPass, { header }: ChainedBatch): Promise<CanonicalTransfer[]> {
  const rows: CanonicalTransfer[] = [];
  for await (const row of database.rows(header.atMicros - 1n, header.atMicros, header.shard)) rows.push(row);
  return rows;
}

/** The batch's leaves as they were written, from beside the checkpoint that has the batch. */
async function originalOf({ store, keys, originals }: RowPass, { header }: ChainedBatch): Promise<Original> {
  const { shard, number, root } = header;
  const known = originals.get(batchKey(shard, number));
  if (known !== undefined) return { leaves: known.leaves === null ? null : splitLeaves(known.leaves) };
  const atMs = Number(header.atMicros / 1_000n);
  const has = ({ from, to }: { from: bigint; to: bigint }) => from <= number && number <= to;
  const found = await findCheckpoint(store, keys, { shard, atMs, has });
  const bytes = found === null ? null : await store.get(leavesName(found.stem));
  const batches = found === null || bytes === null ? null : openLeaves(bytes, found.checkpoint.root);
  const original = batches?.find((one) => one.header.shard === shard && one.header.number === number);
  if (original === undefined || original.leaves === null || !original.header.root.equals(root))
    return { leaves: null };
  return { leaves: splitLeaves(original.leaves) };
}
