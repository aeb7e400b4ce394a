import { type CanonicalTransfer, leafOf, NotCanonical } from "../canonical.ts";
import type { ChainedBatch } from "../checkpoint.ts";
import { splitLeaves } from "../leaves.ts";
import { rootOf } from "../merkle.ts";
import { DIGEST_BYTES } from "../sha256.ts";

/** What a row was found to be when it came: in its place, a second one there, of no batch here. */
export type Placement = "placed" | "taken" | "elsewhere";

type Slot = {
  readonly batch: ChainedBatch;
  readonly count: bigint;
  readonly leaves: Buffer;
  readonly present: Uint8Array;
  missing: number;
  /** A row came twice, or has no canonical form. */
  odd: boolean;
};

/** Rows that a batch can have; one that says more is not ours, and nothing is set aside for it. */
export const MOST_ROWS = 1_000_000;

/** The batches of a time and the leaves of their rows, which come in any order. */
export class Window {
  readonly #shards = new Map<number, Slot[]>();
  readonly #slots: Slot[] = [];
  /** The slot that the last row of each shard fell into: the next one's, most of the time. */
  readonly #last = new Map<number, Slot>();
  rows = 0;

  add(batch: ChainedBatch): void {
    const { shard, count } = batch.header;
    const whole = count > 0 && count <= MOST_ROWS && batch.header.root.length === DIGEST_BYTES ? count : 0;
    const slot: Slot = {
      batch,
      count: BigInt(whole),
      leaves: Buffer.allocUnsafe(whole * DIGEST_BYTES),
      present: new Uint8Array(whole),
      missing: whole,
      odd: whole === 0,
    };
    this.#slots.push(slot);
    const known = this.#shards.get(shard);
    if (known === undefined) this.#shards.set(shard, [slot]);
    else known.push(slot);
    this.rows += whole;
  }

  /** To be called when all batches are there. */
  ready(): void {
    for (const slots of this.#shards.values()) {
      slots.sort((a, b) => (a.batch.header.firstSeq < b.batch.header.firstSeq ? -1 : 1));
    }
  }

  place(row: CanonicalTransfer): Placement {
    const slot = this.#slotOf(row);
    if (slot === undefined || slot.batch.header.atMicros !== row.atMicros) return "elsewhere";
    const index = Number(row.seq - slot.batch.header.firstSeq);
    if (slot.present[index] === 1) {
      slot.odd = true;
      return "taken";
    }
    slot.present[index] = 1;
    slot.missing -= 1;
    try {
      leafOf(row).copy(slot.leaves, index * DIGEST_BYTES);
    } catch (error) {
      if (!(error instanceof NotCanonical)) throw error;
      slot.odd = true;
    }
    return "placed";
  }

  /** Batches that are not what their root says. */
  *wrong(): Generator<ChainedBatch> {
    for (const { batch, missing, odd, leaves } of this.#slots) {
      if (odd || missing > 0 || !rootOf(splitLeaves(leaves)).equals(batch.header.root)) yield batch;
    }
  }

  #slotOf({ shard, seq }: CanonicalTransfer): Slot | undefined {
    const last = this.#last.get(shard);
    if (last !== undefined && has(last, seq)) return last;
    const slots = this.#shards.get(shard);
    if (slots === undefined) return undefined;
    let [low, high] = [0, slots.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((slots[middle] as Slot).batch.header.firstSeq <= seq) low = middle + 1;
      else high = middle;
    }
    const slot = slots[low - 1];
    if (slot === undefined || !has(slot, seq)) return undefined;
    this.#last.set(shard, slot);
    return slot;
  }
}

const has = ({ batch, count }: Slot, seq: bigint): boolean =>
  seq >= batch.header.firstSeq && seq < batch.header.firstSeq + count;
