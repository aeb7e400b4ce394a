import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sampleFacts } from "../../routing/samples.ts";
import type { RoutingFacts } from "./facts.ts";
import { presetRules } from "./preset.ts";
import {
  nameOf,
  providersNamed,
  type RoutingRuleSet,
  readRoutingRules,
  routingEnvironment,
  wordOf,
} from "./rules.ts";

const PROVIDERS = ["stripe", "adyen", "mollie", "acquirer"];
function rules(text: string, providers = PROVIDERS): RoutingRuleSet {
  const read = readRoutingRules(text, providers);
  if (!read.ok) throw new Error(read.error.map(({ message }) => message).join("; "));
  return read.value;
}
const against = (text: string, facts = sampleFacts()) => {
  const word = wordOf(rules(text), facts);
  return Object.fromEntries(
    PROVIDERS.flatMap((name) => {
      const found = word.against(name);
      return found === null ? [] : [[name, `${found.exclusion} ${nameOf(found.rule)}`]];
    }),
  );
};

describe("rules", () => {
  it("bar by never and avoid, all that hold", () => {
    const text =
      '"a": never adyen\n"b": avoid mollie if amount >= 50.00 EUR\n"c": never mollie if card.brand == "jcb"';
    expect(against(text)).toEqual({ adyen: "rule_never a", mollie: "rule_avoids b" });
  });

  it("bar all but the first only's, never before avoid", () => {
    const text =
      '"a": only stripe, mollie if card.country == "DE"\n"b": only adyen\n"c": avoid stripe\n"d": never stripe';
    expect(against(text)).toEqual({
      stripe: "rule_never d",
      adyen: "rule_only a",
      acquirer: "rule_only a",
    });
  });

  it("prefer by the first that holds", () => {
    const text = '"a": prefer adyen if currency == "USD"\n"b": prefer mollie, stripe\n"c": prefer adyen';
    expect(wordOf(rules(text), sampleFacts()).prefer?.name).toBe("b");
  });

  it("do not hold where what they ask is not known", () => {
    const text = 'never adyen if card.country != "DE"\nnever mollie if payer.country is missing';
    expect(Object.keys(against(text, sampleFacts({ cardCountry: null, payerCountry: null })))).toEqual([
      "mollie",
    ]);
  });

  it("can speak of everything that is declared", () => {
    const stored = {
      initiator: "merchant",
      reason: "recurring",
      first: false,
      networkTransactionId: "x",
    } as const;
    const facts = sampleFacts({ stored, payerPresent: false, cardFunding: "debit", captureMethod: "manual" });
    const text = `never adyen if amount == 50.00 EUR and currency == "EUR" and method == "card" and wallet is missing
  and card.brand == "visa" and card.bin starts with "4242" and card.country == "DE" and card.funding == "debit"
  and capture == "manual" and payer.country in ["DE", "AT"] and not payer.present
  and stored.initiator == "merchant" and stored.reason == "recurring"`;
    expect(Object.keys(against(text, facts))).toEqual(["adyen"]);
  });

  it("say what is wrong and where", () => {
    const read = readRoutingRules('prefer strpe\nnever adyen if card.brand == "vsa"\nshun mollie', PROVIDERS);
    expect(read.ok ? [] : read.error.map(({ code, line }) => [code, line])).toEqual([
      ["UNKNOWN_TARGET", 1],
      ["UNKNOWN_VALUE", 2],
      ["UNKNOWN_ACTION", 3],
    ]);
  });

  it("tell which providers they name", () => {
    expect(providersNamed(rules("prefer stripe, adyen\nnever adyen"))).toEqual(["adyen", "stripe"]);
  });
});

describe("the preset", () => {
  const ALL = ["stripe", "adyen", "mollie", "plaid", "wise", "paypal", "apple_pay"];
  const preset = rules(presetRules(ALL), ALL);
  const goesTo = (facts: RoutingFacts) => wordOf(preset, facts).prefer?.targets[0];
  const transfer = (payerCountry: string | null) =>
    goesTo(sampleFacts({ method: { type: "bank_transfer" }, payerCountry }));

  it.each([
    ["visa", "stripe"],
    ["mastercard", "adyen"],
    ["amex", undefined],
  ])("sends %s to %s", (brand, provider) => expect(goesTo(sampleFacts({ brand }))).toBe(provider));

  it("sends wallets to themselves", () => {
    const wallet = (name: string) => goesTo(sampleFacts({ method: { type: "wallet", wallet: name } }));
    expect(["paypal", "apple_pay", "unheard_of"].map(wallet)).toEqual(["paypal", "apple_pay", undefined]);
  });

  it("sends bank transfers by country", () => {
    expect(["US", "DE", "FR", "NL", "GB", null].map(transfer)).toEqual([
      "plaid",
      "mollie",
      "mollie",
      "mollie",
      "wise",
      "wise",
    ]);
  });

  it("has routes only to those who are there", () => {
    expect(presetRules(["stripe"])).toBe(
      '"visa": prefer stripe if method == "card" and card.brand == "visa"\n',
    );
    expect(presetRules([])).toBe("");
  });
});

describe("docs/routing.md", () => {
  const text = readFileSync(new URL("../../../../docs/routing.md", import.meta.url), "utf8");
  it("names every field, and no other", () => {
    const named = [...text.matchAll(/^\| `([a-z_.]+)` +\| (?:text|amount|yes, no)/gm)].map(
      ([, name]) => name,
    );
    expect(named).toEqual([...routingEnvironment.fields.keys()]);
  });
  it("shows rules that are right", () => {
    const blocks = [...text.matchAll(/```rules\n(.*?)```/gs)].map(([, block]) => block as string);
    expect(blocks).toHaveLength(1);
    for (const block of blocks) expect(rules(block).rules).toHaveLength(4);
  });
});
