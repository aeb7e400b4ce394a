import type { KeyObject } from "node:crypto";
import { GENESIS, macOf } from "../chain.ts";
import type { ChainedBatch } from "../checkpoint.ts";
import type { AuditDatabase, Period } from "./database.ts";
import { type Findings, rangeText, timeText } from "./findings.ts";

/** A shard's first batch: its first row, and its time, or null if there is none yet. */
export type Beginning = { readonly seq: bigint; readonly atMicros: bigint | null };

export type Chains = {
  readonly batches: number;
  /** Of each shard, where its first batch begins: rows before it are in no batch. */
  readonly begins: ReadonlyMap<number, Beginning>;
  /** Batches at the end of the chains that are too young to be in a checkpoint yet. */
  readonly young: number;
};

export type ChainPass = {
  readonly database: AuditDatabase;
  readonly auditKey: KeyObject;
  readonly findings: Findings;
  readonly period: Period;
  readonly shard: number | null;
  readonly coveredTo: ReadonlyMap<number, bigint>;
};

/** A batch is in a checkpoint a second after it was made, or some more if the store is slow. */
const CHECKPOINT_WITHIN_MS = 10_000n;

const SHARDS = 256;

/** Goes along each shard's batches: numbers and rows without gaps, each MAC over the one before. */
export async function verifyChains(pass: ChainPass): Promise<Chains> {
  const { database, period, shard, findings } = pass;
  const begins = await beginnings(database);
  const heads = new Map((await database.heads(shard)).map((head) => [head.shard, head]));
  let batches = 0;
  let young = 0;
  let walk: Walk | null = null;
  const end = () => {
    if (walk === null) return;
    young += walk.end();
    const { header, mac } = walk.last;
    const head = heads.get(header.shard);
    heads.delete(header.shard);
    const lastSeq = header.firstSeq + BigInt(header.count) - 1n;
    if (period.to !== null) return;
    if (head?.batch !== header.number || head.seq !== lastSeq || !head.mac.equals(mac)) {
      const detail = `the chain ends in batch ${header.number}, row ${lastSeq}; the database says ${head === undefined ? "that it has none" : `batch ${head.batch}, row ${head.seq}`}`;
      findings.add({ kind: "head_wrong", shard: header.shard, batch: header.number, detail });
    }
  };
  for await (const page of database.batchesByNumber(period, shard)) {
    for (const batch of page) {
      batches += 1;
      if (walk?.last.header.shard === batch.header.shard) {
        walk.next(batch);
        continue;
      }
      end();
      walk = new Walk(pass, batch, await before(database, batch));
    }
  }
  end();
  for (const head of heads.values()) {
    if (head.batch > 0n && period.from === null && period.to === null) {
      const detail = `the database says that batch ${head.batch} is the last, and has none`;
      findings.add({ kind: "head_wrong", shard: head.shard, batch: head.batch, detail });
    }
  }
  return { batches, begins, young };
}

/** Where each shard's first batch begins, or will begin. */
async function beginnings(database: AuditDatabase): Promise<Map<number, Beginning>> {
  const begins = new Map<number, Beginning>();
  for (const { shard, batch, seq } of await database.heads(null)) {
    if (batch === 0n) begins.set(shard, { seq: seq + 1n, atMicros: null });
  }
  const firsts = Array.from({ length: SHARDS }, (_, shard) => ({ shard, from: 1n, to: 1n }));
  for (const [batch] of await database.batchesOf(firsts)) {
    if (batch === undefined) continue;
    const { shard, firstSeq: seq, atMicros } = batch.header;
    begins.set(shard, { seq, atMicros });
  }
  return begins;
}

/** The batch before the first of a period: what it continues. */
async function before(database: AuditDatabase, { header }: ChainedBatch): Promise<ChainedBatch | null> {
  const { shard, number } = header;
  if (number <= 1n) return null;
  const [[batch] = []] = await database.batchesOf([{ shard, from: number - 1n, to: number - 1n }]);
  return batch ?? null;
}

/** One shard's chain. Neighbours that are wrong in the same way are one finding. */
class Walk {
  last: ChainedBatch;
  readonly #pass: ChainPass;
  #wrongFrom: bigint | null = null;
  /** The first and last batch that no checkpoint has, and how many of them are young. */
  #open: { from: bigint; to: bigint; fromMicros: bigint; young: number; all: number } | null = null;

  constructor(pass: ChainPass, first: ChainedBatch, previous: ChainedBatch | null) {
    this.#pass = pass;
    this.last = previous ?? first;
    if (previous === null && first.header.number !== 1n) {
      this.#gap(first.header.shard, 1n, first.header.number - 1n);
    }
    this.#check(first, previous);
  }

  next(batch: ChainedBatch): void {
    this.#check(batch, this.last);
  }

  #gap(shard: number, from: bigint, to: bigint): void {
    if (from > to) return;
    const detail = `batches ${rangeText(from, to)} are not there`;
    this.#pass.findings.add({ kind: "batch_missing", shard, batch: from, detail });
  }

  #check(batch: ChainedBatch, previous: ChainedBatch | null): void {
    const { auditKey, findings } = this.#pass;
    const { shard, number, firstSeq, atMicros, root } = batch.header;
    if (previous !== null) {
      const { header } = previous;
      this.#gap(shard, header.number + 1n, number - 1n);
      const expected = header.firstSeq + BigInt(header.count);
      if (number <= header.number || (number === header.number + 1n && firstSeq !== expected)) {
        const detail = `begins with row ${firstSeq}; batch ${header.number}, before it, ends with ${expected - 1n}`;
        findings.add({ kind: "batch_inserted", shard, batch: number, detail });
      }
    }
    const mac = number === 1n ? GENESIS : previous?.mac;
    const right =
      mac?.length === 32 && root.length === 32 && macOf(auditKey, mac, batch.header).equals(batch.mac);
    if (!right) this.#wrongFrom ??= number;
    else this.#reportWrong(number - 1n);
    this.last = batch;
    this.#cover(number, atMicros);
  }

  #reportWrong(to: bigint): void {
    const from = this.#wrongFrom;
    this.#wrongFrom = null;
    if (from === null) return;
    const detail = `the MAC of batches ${rangeText(from, to)} was not made with the audit key over what is there`;
    this.#pass.findings.add({ kind: "mac_wrong", shard: this.last.header.shard, batch: from, detail });
  }

  #cover(number: bigint, atMicros: bigint): void {
    if (number <= (this.#pass.coveredTo.get(this.last.header.shard) ?? 0n)) return;
    const isYoung = BigInt(this.#pass.database.openedAtMs) - atMicros / 1_000n < CHECKPOINT_WITHIN_MS;
    this.#open ??= { from: number, to: number, fromMicros: atMicros, young: 0, all: 0 };
    this.#open.to = number;
    this.#open.all += 1;
    if (isYoung) this.#open.young += 1;
  }

  /** How many batches wait for a checkpoint; those that should have one by now are a finding. */
  end(): number {
    this.#reportWrong(this.last.header.number);
    if (this.#open === null) return 0;
    const { from, to, fromMicros, young, all } = this.#open;
    if (young < all) {
      const detail = `batches ${rangeText(from, to)}, since ${timeText(fromMicros)}, are in no checkpoint`;
      this.#pass.findings.add({
        kind: "not_in_checkpoint",
        shard: this.last.header.shard,
        batch: from,
        detail,
      });
    }
    return young;
  }
}
