import type { Currency } from "../../kernel/currency.ts";
import { basisPoints } from "../../kernel/money.ts";
import type { PriceList } from "../../merchants/prices.ts";

/**
 * The fee that one more capture adds, in minor units. It is the difference of the fees on the totals, so that
 * the roundings of many partial captures add up to that of one; never more than what is captured.
 */
export function feeForCapture(
  prices: PriceList,
  currency: Currency,
  captured: { readonly before: bigint; readonly amount: bigint; readonly feeBefore: bigint },
): bigint {
  const price = prices[currency] ?? prices.default;
  const total = captured.before + captured.amount;
  const due = basisPoints(total, price.bps) + price.fixed;
  const capped = due < total ? due : total;
  const add = capped - captured.feeBefore;
  if (add < 0n) return 0n;
  return add < captured.amount ? add : captured.amount;
}
