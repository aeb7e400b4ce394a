import { type CostTables, checkedCosts, type Fee } from "./costs.ts";

/** The European Economic Area: the Union's members, Iceland, Liechtenstein, Norway. */
export const EEA: readonly string[] =
  "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(" ");

const FOUR_PARTY = ["visa", "mastercard", "maestro"];

/**
 * Interchange of consumer cards at a European acquirer. Within the area Regulation (EU) 2015/751 caps debit at 0.2 % and
 * credit at 0.3 %; for cards of elsewhere, used without being present, Visa and Mastercard have committed to the European
 * Commission to 1.15 % and 1.50 % (cases AT.39398, AT.40049). Three-party schemes have no interchange; what they take
 * instead is near the last line.
 */
const INTERCHANGE_EEA: readonly Fee[] = [
  { brands: FOUR_PARTY, funding: ["debit", "prepaid"], region: "intra", bps: 20 },
  { brands: FOUR_PARTY, funding: ["credit"], region: "intra", bps: 30 },
  { brands: FOUR_PARTY, funding: ["debit", "prepaid"], bps: 115 },
  { brands: FOUR_PARTY, funding: ["credit"], bps: 150 },
  { bps: 180 },
];

/** Assumed: schemes publish theirs to members only. */
const SCHEME: readonly Fee[] = [{ region: "intra", bps: 6 }, { region: "inter", bps: 55 }, { bps: 55 }];

const europe = { acquires: EEA, interchange: INTERCHANGE_EEA, scheme: SCHEME };

/**
 * For a region in Europe. The markups are examples, in the order of what is usual: a deployment gives the ones of its
 * contracts (`createRouter`'s `costs`). An acquirer of one's own has a small share and a larger fixed part, so it pays for
 * larger amounts; the others the other way round.
 */
export const DEFAULT_COSTS: CostTables = checkedCosts({
  default: { ...europe, markup: [{ bps: 60, fixed: { EUR: 10, GBP: 9, USD: 11 } }] },
  stripe: { ...europe, markup: [{ bps: 70, fixed: { EUR: 10, GBP: 9, USD: 11 } }] },
  adyen: { ...europe, markup: [{ bps: 40, fixed: { EUR: 11, GBP: 10, USD: 12 } }] },
  mollie: { ...europe, markup: [{ bps: 60, fixed: { EUR: 8, GBP: 7, USD: 9 } }] },
  acquirer: { ...europe, markup: [{ bps: 15, fixed: { EUR: 20, GBP: 18, USD: 22 } }] },
});
