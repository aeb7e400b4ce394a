import type { CanonicalTransfer } from "../canonical.ts";
import type { MissingRows } from "./explain.ts";
import { type Findings, rangeText, timeText } from "./findings.ts";

const KEPT = 1_000;

/** Rows that no batch has and rows that are gone: one may be the other, with another time. */
export class Strays {
  readonly #rows: CanonicalTransfer[] = [];
  readonly #missing: MissingRows[] = [];
  #more = 0;

  add(row: CanonicalTransfer): void {
    if (this.#rows.length < KEPT) this.#rows.push(row);
    else this.#more += 1;
  }

  miss(ranges: readonly MissingRows[]): void {
    this.#missing.push(...ranges);
  }

  report(findings: Findings): void {
    for (const row of this.#rows) {
      const { shard, seq, id: transfer, atMicros } = row;
      const home = this.#missing.find(({ shard: of, from, to }) => of === shard && seq >= from && seq <= to);
      if (home === undefined) {
        const detail = `no batch has it; it says that it was made at ${timeText(atMicros)}`;
        findings.add({ kind: "row_inserted", shard, seq, transfer, detail });
        continue;
      }
      const detail = `its time, ${timeText(atMicros)}, is not its batch's`;
      findings.add({ kind: "row_altered", shard, batch: home.batch, seq, transfer, detail });
      this.#missing.splice(this.#missing.indexOf(home), 1, ...without(home, seq));
    }
    if (this.#more > 0)
      findings.add({ kind: "row_inserted", detail: `${this.#more} more rows that no batch has` });
    for (const { shard, batch, from, to } of this.#missing) {
      const detail = from === to ? "it is gone" : `rows ${rangeText(from, to)} are gone`;
      findings.add({ kind: "row_missing", shard, batch, seq: from, detail });
    }
  }
}

function without({ shard, batch, from, to }: MissingRows, seq: bigint): MissingRows[] {
  const parts: MissingRows[] = [];
  if (from < seq) parts.push({ shard, batch, from, to: seq - 1n });
  if (seq < to) parts.push({ shard, batch, from: seq + 1n, to });
  return parts;
}
