import type { Currency } from "../../../kernel/currency.ts";
import { divideHalfEven } from "../../../kernel/money.ts";
import { invariant } from "../../../kernel/result.ts";
import type { Funding, RoutingFacts } from "./facts.ts";

/**
 * What a provider takes for a card payment, as interchange plus: the issuer's interchange, the scheme's fee, and the
 * acquirer's markup. Each is a list of fees of which the first that fits counts, so that "cheapest" is arithmetic.
 */
export type CostTable = {
  /** Countries in which it acquires: for a card of one of these the payment is intra-regional, else inter-regional. */
  readonly acquires: readonly string[];
  readonly interchange: readonly Fee[];
  readonly scheme: readonly Fee[];
  readonly markup: readonly Fee[];
};

export type Fee = {
  /** Whom it is for; absent: everyone. */
  readonly brands?: readonly string[];
  readonly funding?: readonly Funding[];
  readonly region?: Region;
  /** Basis points of the amount. */
  readonly bps: number;
  /** Minor units for each payment, by currency; nothing in other currencies. */
  readonly fixed?: Readonly<Partial<Record<Currency, number>>>;
};

export type Region = "intra" | "inter";

/** What a cost is computed from. */
export type CostFacts = Pick<RoutingFacts, "amount" | "card" | "cardCountry" | "cardFunding">;

const PARTS = ["interchange", "scheme", "markup"] as const;

/**
 * What the payment costs at a provider with this table, in minor units of its currency: the basis points of the three
 * parts together, rounded once, half-even, and the fixed fees. A card of unknown funding counts as credit and one of
 * unknown country as inter-regional: the dearer, for all providers alike.
 */
export function costOf(table: CostTable, facts: CostFacts): bigint {
  const { amount, card, cardCountry, cardFunding } = facts;
  const region: Region = cardCountry !== null && table.acquires.includes(cardCountry) ? "intra" : "inter";
  let bps = 0;
  let fixed = 0;
  for (const part of PARTS) {
    const fee = table[part].find((candidate) => fits(candidate, card.brand, cardFunding ?? "credit", region));
    if (fee === undefined) continue;
    bps += fee.bps;
    fixed += fee.fixed?.[amount.currency] ?? 0;
  }
  return divideHalfEven(amount.minor * BigInt(bps), 10_000n) + BigInt(fixed);
}

const fits = ({ brands, funding, region }: Fee, brand: string, paidFrom: Funding, where: Region): boolean =>
  (brands === undefined || brands.includes(brand)) &&
  (funding === undefined || funding.includes(paidFrom)) &&
  (region === undefined || region === where);

/** Tables by provider's name; `default` is for those that have none. */
export type CostTables = { readonly default: CostTable } & Readonly<Record<string, CostTable>>;

/**
 * Checks tables that are configured, and gives them. Throws for fees that are no whole numbers, negative or unbelievable,
 * for a part that does not end with a fee for everyone, and where one table names a fixed fee in a currency in which
 * another names none: that one would look cheap there for no reason.
 */
export function checkedCosts(tables: CostTables): CostTables {
  const currencies = Object.entries(tables).map(([name, table]) => [name, checkTable(name, table)] as const);
  const [first] = currencies;
  for (const [name, named] of currencies)
    invariant(
      named === first?.[1],
      `the fixed fees of ${name} are in the currencies of ${first?.[0]}'s: ${first?.[1]}`,
    );
  return tables;
}

/** Basis points beyond which a fee is a slip. */
const MOST_BPS = 1_500;
const MOST_FIXED = 100_000;

function checkTable(name: string, table: CostTable): string {
  const currencies = new Set<string>();
  for (const country of table.acquires)
    invariant(/^[A-Z]{2}$/.test(country), `${name} acquires in countries`);
  for (const part of PARTS) {
    for (const { bps, fixed = {} } of table[part]) {
      invariant(
        Number.isInteger(bps) && bps >= 0 && bps <= MOST_BPS,
        `${name}'s ${part} is whole basis points`,
      );
      for (const [currency, minor] of Object.entries(fixed)) {
        invariant(
          Number.isInteger(minor) && minor >= 0 && minor <= MOST_FIXED,
          `${name}'s fixed ${part} is whole minor units`,
        );
        currencies.add(currency);
      }
    }
    const { brands, funding, region } = table[part].at(-1) ?? { brands: [] };
    const forAll = brands === undefined && funding === undefined && region === undefined;
    invariant(forAll, `${name}'s ${part} ends with a fee for everyone`);
  }
  return [...currencies].sort().join(" ");
}
