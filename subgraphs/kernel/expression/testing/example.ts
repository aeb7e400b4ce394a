import { type Declaration, declare, field, func } from "../environment.ts";
import type { Amount } from "../values.ts";

/** An environment for tests and for the examples of docs/expressions.md: a payment, its card, its payer. */
export type ExampleFacts = {
  readonly card: {
    readonly brand: string | null;
    readonly country: string | null;
    readonly funding: string | null;
    readonly bin: string | null;
  };
  readonly amount: Amount | null;
  readonly fee: Amount | null;
  readonly currency: string | null;
  readonly payment: { readonly recurring: boolean | null; readonly attempt: number | bigint | null };
  readonly payer: { readonly country: string | null; readonly email: string | null };
  readonly customer: { readonly since: Date | number | null; readonly tags: readonly string[] | null };
  readonly now: Date | number;
  readonly latency: number | null;
  readonly distance_km: number | null;
  /** Payments of this card, payer and address, by window in hours. */
  readonly counts: Readonly<Record<string, number>>;
  readonly blocked: readonly string[];
};

const BRANDS = ["visa", "mastercard", "amex", "discover", "jcb"] as const;

export const exampleDeclaration: Declaration<ExampleFacts> = {
  fields: {
    "card.brand": field.text(({ card }) => card.brand, { values: BRANDS, about: "the card's network" }),
    "card.country": field.text(({ card }) => card.country, { optional: true, about: "ISO 3166-1 alpha-2" }),
    "card.funding": field.text(({ card }) => card.funding, {
      optional: true,
      values: ["credit", "debit", "prepaid"],
    }),
    "card.bin": field.text(({ card }) => card.bin, { about: "the first six or eight digits" }),
    amount: field.money(({ amount }) => amount, { about: "what the payer pays" }),
    fee: field.money(({ fee }) => fee, { currency: "EUR", optional: true }),
    currency: field.text(({ currency }) => currency),
    "payment.recurring": field.boolean(({ payment }) => payment.recurring),
    "payment.attempt": field.integer(({ payment }) => payment.attempt, { about: "1 for the first" }),
    "payer.country": field.text(({ payer }) => payer.country, { optional: true }),
    "payer.email": field.text(({ payer }) => payer.email, { optional: true }),
    "customer.since": field.instant(({ customer }) => customer.since, { optional: true }),
    "customer.tags": field.texts(({ customer }) => customer.tags),
    now: field.instant(({ now }) => now),
    latency: field.duration(({ latency }) => latency, { optional: true }),
    distance_km: field.decimal((facts) => facts.distance_km, { optional: true }),
  },
  functions: {
    velocity: func(
      {
        parameters: [
          { name: "subject", kind: "text", values: ["card", "payer", "ip"], literal: true },
          { name: "window", kind: "duration", literal: true },
        ],
        gives: { kind: "integer" },
        cost: 20,
        about: "payments of the same card, payer or address within the time before this one",
      },
      ({ counts }, subject, window) => counts[`${subject} ${window / 3_600_000}h`],
    ),
  },
  lists: {
    blocked_bins: {
      about: "BINs that the merchant blocked",
      has: ({ blocked }, bin) => blocked.includes(bin),
    },
  },
};

export const example = declare(exampleDeclaration);

export const exampleFacts: ExampleFacts = {
  card: { brand: "visa", country: "NL", funding: "credit", bin: "42424242" },
  amount: { minor: 12_050n, currency: "EUR" },
  fee: { minor: 35n, currency: "EUR" },
  currency: "EUR",
  payment: { recurring: false, attempt: 1 },
  payer: { country: null, email: "ada@example.com" },
  customer: { since: new Date("2026-01-10T12:00:00Z"), tags: ["vip", "newsletter"] },
  now: new Date("2026-01-31T09:30:00Z"),
  latency: 240,
  distance_km: 12.5,
  counts: { "card 1h": 3, "card 24h": 4 },
  blocked: ["40000000"],
};
