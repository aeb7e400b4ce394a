/** What is not as it was written. */
export type FindingKind =
  /** A column of a row is not what it was. */
  | "row_altered"
  /** Rows are gone. */
  | "row_missing"
  /** A row that no batch has. */
  | "row_inserted"
  /** A row stands where another stood. */
  | "row_reordered"
  /** A batch's rows do not hash to its root, and which of them cannot be told. */
  | "root_wrong"
  /** A batch is not what a checkpoint has of it. */
  | "batch_altered"
  /** A batch is gone. */
  | "batch_missing"
  /** A batch does not follow from the one before it. */
  | "batch_inserted"
  /** A MAC was not made with the audit key, over this batch and the one before. */
  | "mac_wrong"
  /** The chain's end is not where the database says it is. */
  | "head_wrong"
  /** A file among the checkpoints is not one, or was not signed with our key. */
  | "checkpoint_forged"
  /** A checkpoint is gone. */
  | "checkpoint_missing"
  /** Batches that no checkpoint has. */
  | "not_in_checkpoint";

export type Finding = {
  readonly kind: FindingKind;
  readonly shard?: number;
  readonly batch?: bigint;
  /** The row's position in its shard. */
  readonly seq?: bigint;
  /** The transfer's UUID, of a row that is there. */
  readonly transfer?: string;
  /** The object's name in the store. */
  readonly object?: string;
  readonly detail: string;
};

const KEPT = 1_000;

/** Collects what was found, each once; keeps the first thousand and counts the rest. */
export class Findings {
  readonly list: Finding[] = [];
  total = 0;
  readonly #seen = new Set<string>();

  add(finding: Finding): void {
    const { kind, shard, batch, seq, transfer, object } = finding;
    const key = [kind, shard, batch, seq, transfer, object].join("/");
    if (this.#seen.has(key)) return;
    this.total += 1;
    if (this.list.length >= KEPT) return;
    this.#seen.add(key);
    this.list.push(finding);
  }
}

/** One line for people: where, then what. */
export function lineOf({ kind, shard, batch, seq, transfer, object, detail }: Finding): string {
  const where = [
    object,
    shard === undefined ? undefined : `shard ${shard}`,
    batch === undefined ? undefined : `batch ${batch}`,
    seq === undefined ? undefined : `row ${seq}`,
    transfer === undefined ? undefined : `(${transfer})`,
  ].filter((part) => part !== undefined);
  return `${kind}: ${where.join(" ")}: ${detail}`;
}

/** 3 or 3 to 7. */
export const rangeText = (first: bigint, last: bigint): string =>
  first === last ? `${first}` : `${first} to ${last}`;

export const timeText = (micros: bigint): string => {
  const ms = Number(micros / 1_000n);
  return Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : "no time";
};
