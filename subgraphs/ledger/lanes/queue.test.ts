import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry, EntryTransfer } from "./entry.ts";
import { CommitQueue } from "./queue.ts";

type Item = { readonly name: string; readonly entry: Entry };
const EMPTY: Entry = {
  id: "",
  shard: 0,
  merchant: "",
  content: 0n,
  cause: 0,
  transfers: [],
  opens: [],
  payment: null,
  parts: {},
  guards: [],
  keys: [],
  finds: [],
  leaves: [],
};
const TRANSFER: EntryTransfer = {
  id: "",
  kind: 0,
  debit: 1n,
  credit: 2n,
  amount: 1n,
  currency: "EUR",
  pending: null,
  expiresAt: null,
};
const item = (name: string, entry: Partial<Entry>): Item => ({ name, entry: { ...EMPTY, ...entry } });
const LIMITS = { commits: 100, transfers: 100 };

function drain(items: readonly Item[], limits = LIMITS): string[][] {
  const queue = new CommitQueue<Item>();
  for (const one of items) queue.push(one);
  const batches: string[][] = [];
  while (queue.length > 0) batches.push(queue.take(limits).map(({ name }) => name));
  return batches;
}

describe("a batch", () => {
  it("takes what came first, up to its limits", () => {
    const three = Array.from({ length: 3 }, () => TRANSFER);
    const items = ["a", "b", "c", "d"].map((name) => item(name, { keys: [name], transfers: three }));
    expect(drain(items, { commits: 3, transfers: 100 })).toEqual([["a", "b", "c"], ["d"]]);
    expect(drain(items, { commits: 3, transfers: 7 })).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
    expect(drain(items, { commits: 3, transfers: 1 })).toEqual([["a"], ["b"], ["c"], ["d"]]);
  });

  it("has one commit of a payment, and lets others overtake the next", () => {
    const items = [
      item("a1", { keys: ["a"] }),
      item("a2", { keys: ["a", "b"] }),
      item("b1", { keys: ["b"] }),
      item("c1", { keys: ["c"] }),
      item("a3", { keys: ["a"] }),
    ];
    expect(drain(items)).toEqual([["a1", "c1"], ["a2"], ["b1", "a3"]]);
  });

  it("does not let a commit overtake one whose money it needs", () => {
    const items = [
      item("a1", { keys: ["a"] }),
      item("a2, which covers 7", { keys: ["a"], finds: [7n], leaves: [7n] }),
      item("takes from 7", { keys: ["b"], finds: [7n], leaves: [7n] }),
      item("takes from 8", { keys: ["c"], finds: [8n], leaves: [8n] }),
    ];
    expect(drain(items)).toEqual([
      ["a1", "takes from 8"],
      ["a2, which covers 7", "takes from 7"],
    ]);
  });

  it("is never empty, and what touches the same stays in order", () => {
    const entry = fc.record({
      keys: fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 2 }),
      account: fc.option(fc.constantFrom(1n, 2n)),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (entries, commits) => {
        const items = entries.map(({ keys, account }, index) => {
          const accounts = account === null ? [] : [account];
          return item(String(index), { keys, finds: accounts, leaves: accounts });
        });
        const batches = drain(items, { commits, transfers: 100 });
        expect(batches.every(({ length }) => length > 0 && length <= commits)).toBe(true);
        const order = batches.flat().map(Number);
        expect([...order].sort((a, b) => a - b)).toEqual(entries.map((_, index) => index));
        for (const about of ["a", "b", "c", "d", 1n, 2n] as const) {
          const touching = order.filter((at) => {
            const { keys, account } = entries[at] as (typeof entries)[number];
            return typeof about === "string" ? keys.includes(about) : account === about;
          });
          expect(touching).toEqual([...touching].sort((a, b) => a - b));
        }
        for (const batch of batches) {
          const keys = batch.flatMap((name) => [...new Set(entries[Number(name)]?.keys)]);
          expect(new Set(keys).size).toBe(keys.length);
        }
      }),
    );
  });
});
