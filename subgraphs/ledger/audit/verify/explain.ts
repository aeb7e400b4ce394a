import { type CanonicalTransfer, leafOf, NotCanonical } from "../canonical.ts";
import type { ChainedBatch } from "../checkpoint.ts";
import { type Findings, rangeText } from "./findings.ts";
import { MOST_ROWS } from "./window.ts";

/** Rows of a batch that are gone, to be held against rows that belong nowhere. */
export type MissingRows = {
  readonly shard: number;
  readonly batch: bigint;
  readonly from: bigint;
  readonly to: bigint;
};

/** What a batch was by what is beside its checkpoint: leaf hashes in order, or null if they were not kept. */
export type Original = { readonly leaves: readonly Buffer[] | null };

/** Rows that may have changed places with each other; more are only said to be altered. */
const MOST_REORDERED = 200;

/**
 * Says which rows of a batch are not what they were. Without the original leaves only missing and surplus rows can
 * be told; a changed one is known to be among the batch's.
 *
 * @param rows those that the database has at the batch's time
 */
export function explainBatch(
  { header }: ChainedBatch,
  rows: readonly CanonicalTransfer[],
  original: Original,
  findings: Findings,
): MissingRows[] {
  const { shard, number: batch, firstSeq, count } = header;
  const { leaves } = original;
  if (count < 1 || count > MOST_ROWS) {
    findings.add({ kind: "root_wrong", shard, batch, detail: `it says that it has ${count} rows` });
    return [];
  }
  const byPlace = new Map<number, CanonicalTransfer[]>();
  for (const row of rows) {
    const index = Number(row.seq - firstSeq);
    if (index >= 0 && index < count) byPlace.set(index, [...(byPlace.get(index) ?? []), row]);
  }
  const before = findings.total;
  const changed: { index: number; row: CanonicalTransfer }[] = [];
  for (const [index, candidates] of byPlace) {
    const leaf = leaves?.[index];
    const mine = candidates.findIndex((row) => leaf !== undefined && isLeaf(row, leaf));
    const kept = candidates[Math.max(mine, 0)] as CanonicalTransfer;
    for (const row of candidates) {
      if (row === kept) continue;
      const which = mine === -1 ? `; which of the two was there first cannot be told` : "";
      const detail = `another row is in this place: ${kept.id}${which}`;
      findings.add({ kind: "row_inserted", shard, batch, seq: row.seq, transfer: row.id, detail });
    }
    if (leaf !== undefined && mine === -1) changed.push({ index, row: kept });
  }
  const missing = missingRanges(count, byPlace).map(
    ([from, to]): MissingRows => ({ shard, batch, from: firstSeq + BigInt(from), to: firstSeq + BigInt(to) }),
  );
  const empty = Array.from({ length: count }, (_, i) => i).filter((index) => !byPlace.has(index));
  const places = [...changed.map(({ index }) => index), ...empty];
  for (const { row } of changed) {
    const stood = places.length > MOST_REORDERED ? undefined : placeOf(row, places, firstSeq, leaves ?? []);
    const at = { shard, batch, seq: row.seq, transfer: row.id };
    if (stood === undefined)
      findings.add({ kind: "row_altered", ...at, detail: "not the row that was written here" });
    else findings.add({ kind: "row_reordered", ...at, detail: `this row was written as row ${stood}` });
  }
  if (findings.total === before && missing.length === 0) {
    const all = rangeText(firstSeq, firstSeq + BigInt(count) - 1n);
    const why = leaves === null ? "their leaves are not kept, so that which is not the one written" : "which";
    findings.add({
      kind: "root_wrong",
      shard,
      batch,
      detail: `rows ${all} do not have the batch's root; ${why} cannot be told`,
    });
  }
  return missing;
}

function isLeaf(row: CanonicalTransfer, leaf: Buffer): boolean {
  try {
    return leafOf(row).equals(leaf);
  } catch (error) {
    if (error instanceof NotCanonical) return false;
    throw error;
  }
}

/** The place in which this row, but for its position, was written. */
function placeOf(
  row: CanonicalTransfer,
  places: readonly number[],
  firstSeq: bigint,
  leaves: readonly Buffer[],
) {
  for (const index of places) {
    const seq = firstSeq + BigInt(index);
    const leaf = leaves[index];
    if (seq !== row.seq && leaf !== undefined && isLeaf({ ...row, seq }, leaf)) return seq;
  }
  return undefined;
}

function missingRanges(count: number, present: ReadonlyMap<number, unknown>): [number, number][] {
  const ranges: [number, number][] = [];
  for (let index = 0; index < count; index++) {
    if (present.has(index)) continue;
    const open = ranges.at(-1);
    if (open?.[1] === index - 1) open[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}
