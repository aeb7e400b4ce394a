import fc from "fast-check";
import { expect, it } from "vitest";
import { PlainLedger } from "../../test/support/plain-ledger.ts";
import { newId, transferId, uuidOf } from "../kernel/ids.ts";
import { moneyOf } from "../kernel/money.ts";
import type { AccountRef } from "./accounts.ts";
import type { Commit } from "./commit.ts";
import type { Transfer } from "./transfer.ts";
import { type Hold, settleHolds } from "./two-phase.ts";

const HOME = { region: 1, shard: 7 };
const AT = new Date("2026-11-22T12:00:00Z");
const merchant = newId("mer", HOME, AT);
const account = (code: string): AccountRef => ({
  book: uuidOf(merchant),
  merchant: uuidOf(merchant),
  code,
  currency: "EUR",
  normalSide: "credit",
  overdraft: true,
});
const sides = { debit: account("from"), credit: account("to"), currency: "EUR" } as const;

function commitOf(transfers: readonly Transfer[]): Commit {
  const opens = [sides.debit, sides.credit];
  return {
    id: newId("cmt", HOME, AT),
    merchant,
    at: AT,
    journal: { cause: "capture", payment: null, transfers, opens },
    events: [],
  };
}

const amounts = fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { minLength: 1, maxLength: 4 });
const captures = fc.array(fc.bigInt({ min: 0n, max: 900n }), { maxLength: 5 });

it("captures in parts, increments and an excess add up; after the final one nothing is held", () => {
  fc.assert(
    fc.property(amounts, captures, fc.bigInt({ min: 0n, max: 4_000n }), (authorized, parts, last) => {
      const ledger = new PlainLedger();
      const holds: Hold[] = authorized.map((minor) => {
        const hold = commitOf([
          { kind: "pending", amount: moneyOf(minor, "EUR"), debit: sides.debit, credit: sides.credit },
        ]);
        expect(ledger.apply(hold)).toBe("applied");
        return { pending: transferId(hold.id, 1), left: minor };
      });
      let captured = 0n;
      const left = (): Hold[] =>
        holds.map(({ pending }) => ({ pending, left: ledger.held.get(pending)?.left ?? 0n }));
      const take = (amount: bigint, final: boolean) => {
        const transfers = settleHolds(left(), sides, { amount, final });
        if (transfers.length > 0) expect(ledger.apply(commitOf(transfers))).toBe("applied");
        captured += amount;
        const total = authorized.reduce((sum, minor) => sum + minor, 0n);
        const held = final || captured > total ? 0n : total - captured;
        expect(ledger.balanceOf(sides.debit)).toEqual({
          debitsPosted: captured,
          creditsPosted: 0n,
          debitsPending: held,
          creditsPending: 0n,
        });
      };
      for (const amount of parts) take(amount, false);
      take(last, true);
      expect(left().every((hold) => hold.left === 0n)).toBe(true);
    }),
  );
});

it("a void posts nothing and releases everything", () => {
  const [one, two] = [1, 2].map((position) => transferId(newId("cmt", HOME, AT), position));
  const holds = [
    { pending: one, left: 60n },
    { pending: two, left: 0n },
  ] as Hold[];
  const transfers = settleHolds(holds, sides, { amount: 0n, final: true });
  expect(transfers.map(({ kind, amount }) => [kind, amount.minor])).toEqual([["release", 60n]]);
});
