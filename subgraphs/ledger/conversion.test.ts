import { expect, it } from "vitest";
import { PlainLedger } from "../../test/support/plain-ledger.ts";
import { newId } from "../kernel/ids.ts";
import { moneyOf } from "../kernel/money.ts";
import { type AccountCode, accountOf } from "./accounts.ts";
import { convert } from "./conversion.ts";

const HOME = { region: 1, shard: 7 };
const AT = new Date("2026-11-22T12:00:00Z");
const merchant = newId("mer", HOME, AT);

it("moves each currency between accounts of that currency, and the position shows both sides", () => {
  const ledger = new PlainLedger();
  const transfers = convert(
    merchant,
    "merchant_payable",
    moneyOf(10_000n, "EUR"),
    moneyOf(1_632_000n, "JPY"),
  );
  const opens = transfers.flatMap(({ debit, credit }) => [debit, credit]);
  const journal = { cause: "conversion", payment: null, transfers, opens } as const;
  expect(ledger.apply({ id: newId("cmt", HOME, AT), merchant, at: AT, journal, events: [] })).toBe("applied");
  const balance = (code: AccountCode, currency: "EUR" | "JPY") => {
    const { creditsPosted = 0n, debitsPosted = 0n } =
      ledger.balanceOf(accountOf(code, merchant, currency)) ?? {};
    return creditsPosted - debitsPosted;
  };
  expect([balance("merchant_payable", "EUR"), balance("merchant_payable", "JPY")]).toEqual([
    -10_000n,
    1_632_000n,
  ]);
  expect([balance("fx_position", "EUR"), balance("fx_position", "JPY")]).toEqual([10_000n, -1_632_000n]);
});

it("is between two currencies", () => {
  expect(() => convert(merchant, "merchant_payable", moneyOf(1n, "EUR"), moneyOf(1n, "EUR"))).toThrow();
});
