import { createSecretKey } from "node:crypto";
import { expect, it } from "vitest";
import { GENESIS, macOf } from "../audit/chain.ts";
import { rootOf } from "../audit/merkle.ts";
import type { Entry } from "./entry.ts";
import { type Head, headAfter, seal } from "./seal.ts";

const KEY = createSecretKey(Buffer.alloc(32, "k"));
const NOW = new Date("2026-11-22T12:00:00Z");
const nowMicros = BigInt(NOW.getTime()) * 1_000n;

const transfer = (id: string) => ({
  id: `01900000-0000-7000-8000-0000000${id}`,
  kind: 0,
  debit: 1n,
  credit: 2n,
  amount: 3n,
  currency: "EUR",
  pending: null,
  expiresAt: null,
});
const entry = (shard: number, ...ids: string[]): Entry => ({
  id: "",
  shard,
  merchant: "",
  content: 9n,
  cause: 2,
  transfers: ids.map(transfer),
  opens: [],
  payment: null,
  parts: {},
  guards: [],
  keys: [],
  finds: [],
  leaves: [],
});
const START: Head = { seq: 0n, batch: 0n, mac: GENESIS, atMicros: 0n };

it("numbers each shard's transfers without gaps, in the order of the queue, and links its chain", () => {
  const heads = new Map<number, Head>([
    [1, { seq: 41n, batch: 7n, mac: Buffer.alloc(32, "m"), atMicros: 5n }],
    [2, START],
  ]);
  const headOf = (shard: number) => heads.get(shard) as Head;
  const sealed = seal(
    [entry(1, "00001", "00002"), entry(2, "00003"), entry(3), entry(1, "00004")],
    headOf,
    NOW,
    KEY,
  );
  expect(sealed.transfers.map(({ shard, seq, ordinal }) => [shard, seq, ordinal])).toEqual([
    [1, 42n, 1],
    [1, 43n, 1],
    [2, 1n, 2],
    [1, 44n, 4],
  ]);
  expect(
    sealed.batches.map(({ header: { root, ...rest }, leaves }) => [rest, rootOf(leaves).equals(root)]),
  ).toEqual([
    [{ shard: 1, number: 8n, firstSeq: 42n, count: 3, atMicros: nowMicros }, true],
    [{ shard: 2, number: 1n, firstSeq: 1n, count: 1, atMicros: nowMicros }, true],
  ]);
  for (const { header, mac, previous } of sealed.batches) {
    expect(previous).toBe(headOf(header.shard).mac);
    expect(mac).toEqual(macOf(KEY, previous, header));
  }
  const [first] = sealed.batches;
  expect(first && headAfter(first)).toEqual({ seq: 44n, batch: 8n, mac: first?.mac, atMicros: nowMicros });
});

it("never goes back in time, whatever the clock does", () => {
  const ahead = nowMicros + 5_000_000n;
  const heads: Record<number, Head> = { 1: { ...START, atMicros: ahead }, 2: START };
  const sealed = seal([entry(2, "00001"), entry(1, "00002")], (shard) => heads[shard] as Head, NOW, KEY);
  expect(sealed.batches.map(({ header }) => header.atMicros)).toEqual([ahead, ahead]);
  expect(sealed.at.getTime()).toBe(NOW.getTime() + 5_000);
});
