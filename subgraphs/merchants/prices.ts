import { z } from "zod";
import { type Currency, isCurrency } from "../kernel/currency.ts";

/** What a merchant pays for card payments: `bps` of what is captured and `fixed` minor units once per payment. */
export type Pricing = { readonly bps: number; readonly fixed: bigint };
export type PriceList = { readonly default: Pricing } & { readonly [C in Currency]?: Pricing };

const pricing = z.object({ bps: z.int().min(0).max(10_000), fixed: z.int().min(0) });
const priceList = z
  .object({ default: pricing })
  .catchall(pricing)
  .refine((prices) => Object.keys(prices).every((code) => code === "default" || isCurrency(code)), {
    message: 'prices are given for ISO 4217 currencies and "default"',
  });

/** Reads the stored price list, e.g. {"default": {"bps": 290, "fixed": 0}, "USD": {"bps": 290, "fixed": 30}}. */
export function decodePrices(stored: unknown): PriceList {
  const parsed = priceList.parse(stored);
  const entries = Object.entries(parsed).map(([code, { bps, fixed }]) => [
    code,
    { bps, fixed: BigInt(fixed) },
  ]);
  return Object.fromEntries(entries) as PriceList;
}
