import { declare, type Environment, field } from "../../../kernel/expression/environment.ts";
import type { ExpressionError } from "../../../kernel/expression/errors.ts";
import { readRules } from "../../../kernel/expression/read-rules.ts";
import type { Rule, RuleSet, Vocabulary } from "../../../kernel/expression/rules.ts";
import type { Result } from "../../../kernel/result.ts";
import type { RoutingFacts } from "./facts.ts";
import type { Exclusion } from "./reason.ts";

/** What a merchant's routing rules can do; each names providers. */
export type RoutingAction = "prefer" | "only" | "avoid" | "never";
export type RoutingRule = Rule<RoutingFacts, RoutingAction>;
export type RoutingRuleSet = RuleSet<RoutingFacts, RoutingAction>;

/** Card brands as the vault names them. A rule that compares with another text has a slip in it. */
const BRANDS = [
  "visa",
  "mastercard",
  "amex",
  "discover",
  "diners",
  "jcb",
  "unionpay",
  "maestro",
  "elo",
  "mir",
  "hiper",
  "hipercard",
  "verve",
] as const;

/**
 * What routing rules can speak of. Stored rules are compiled against it, so a name is never taken away and never changes
 * its kind; docs/routing.md lists them.
 */
export const routingEnvironment: Environment<RoutingFacts> = declare<RoutingFacts>({
  fields: {
    amount: field.money(({ amount }) => amount, { about: "what the payer pays" }),
    currency: field.text(({ amount }) => amount.currency, { about: "ISO 4217" }),
    method: field.text(({ method }) => method?.type ?? "card", {
      values: ["card", "wallet", "bank_transfer"],
      about: "how the payer pays",
    }),
    wallet: field.text(({ method }) => (method?.type === "wallet" ? method.wallet : null), {
      optional: true,
    }),
    "card.brand": field.text(({ card }) => card.brand, { values: BRANDS, about: "the card's network" }),
    "card.bin": field.text(({ card }) => card.bin, { about: "the card's first six or eight digits" }),
    "card.country": field.text(({ cardCountry }) => cardCountry, {
      optional: true,
      about: "where the card was issued, ISO 3166-1 alpha-2",
    }),
    "card.funding": field.text(({ cardFunding }) => cardFunding, {
      optional: true,
      values: ["credit", "debit", "prepaid"],
    }),
    capture: field.text(({ captureMethod }) => captureMethod, { values: ["automatic", "manual"] }),
    "payer.country": field.text(({ payerCountry }) => payerCountry, {
      optional: true,
      about: "where the payer is, ISO 3166-1 alpha-2",
    }),
    "payer.present": field.boolean(({ payerPresent }) => payerPresent),
    "stored.initiator": field.text(({ stored }) => stored?.initiator, {
      optional: true,
      values: ["customer", "merchant"],
      about: "who begins a payment with a stored card; missing if the card is not stored",
    }),
    "stored.reason": field.text(({ stored }) => stored?.reason, {
      optional: true,
      values: ["on_demand", "recurring", "installment", "unscheduled"],
    }),
  },
});

/** The language of routing rules over these providers' names. */
export function routingVocabulary(providers: readonly string[]): Vocabulary<RoutingFacts, RoutingAction> {
  const targets = [...new Set(providers)];
  return {
    environment: routingEnvironment,
    actions: {
      prefer: { about: "ask these first, in this order", targets },
      only: { about: "ask nobody else", targets },
      avoid: { about: "ask these only if nobody else can take it", targets },
      never: { about: "do not ask these", targets },
    },
  };
}

/** Reads a merchant's rules; the errors say where in the text. */
export const readRoutingRules = (
  text: string,
  providers: readonly string[],
): Result<RoutingRuleSet, readonly ExpressionError[]> => readRules(text, routingVocabulary(providers));

/** The providers that rules name, sorted. */
export const providersNamed = ({ rules }: RoutingRuleSet): readonly string[] =>
  [...new Set(rules.flatMap(({ targets }) => targets))].sort();

/** What rules say of one payment. */
export type RoutingWord = {
  /** The first `prefer` that holds. */
  readonly prefer: RoutingRule | null;
  /** Why not this provider, and by which rule; null if nothing stands against it. */
  readonly against: (provider: string) => Against | null;
};
export type Against = {
  readonly exclusion: Extract<Exclusion, `rule_${string}`>;
  readonly rule: RoutingRule;
};

/**
 * Applies rules in their order. Of `prefer` and of `only` the first that holds counts and later ones say nothing, so the
 * special stands above the general; every `never` and `avoid` that holds counts.
 */
export function wordOf(rules: RoutingRuleSet, facts: RoutingFacts): RoutingWord {
  let prefer: RoutingRule | null = null;
  let only: RoutingRule | null = null;
  const barring: RoutingRule[] = [];
  for (const rule of rules.matching(facts)) {
    if (rule.action === "prefer") prefer ??= rule;
    else if (rule.action === "only") only ??= rule;
    else barring.push(rule);
  }
  const naming = (action: RoutingAction, provider: string) =>
    barring.find((rule) => rule.action === action && rule.targets.includes(provider));
  return {
    prefer,
    against(provider) {
      const never = naming("never", provider);
      if (never !== undefined) return { exclusion: "rule_never", rule: never };
      if (only !== null && !only.targets.includes(provider)) return { exclusion: "rule_only", rule: only };
      const avoid = naming("avoid", provider);
      return avoid === undefined ? null : { exclusion: "rule_avoids", rule: avoid };
    },
  };
}

export const SILENT: RoutingWord = { prefer: null, against: () => null };

/** What a decision calls a rule: its name, else its text. */
export const nameOf = ({ name, text }: RoutingRule): string => name ?? text;
