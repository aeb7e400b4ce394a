import { formatMoney, type Money, moneyOf } from "../../kernel/money.ts";

/**
 * The first rules, pure. Each looks at the facts and may speak; the strictest word counts. A score is the sum
 * of the weights, at most 100.
 */
export type Decision = "allow" | "review" | "block";

export type Facts = {
  readonly amount: Money;
  /** ISO 3166-1 alpha-2; null where not known. */
  readonly binCountry: string | null;
  readonly payerCountry: string | null;
  readonly limit: { readonly reviewAbove: bigint | null; readonly blockAbove: bigint | null };
  /** The merchant's list entries that match this payment. */
  readonly listed: readonly ListHit[];
  readonly duplicates: Duplicates;
};

/** Payments of the same card, amount and currency to the merchant shortly before, under other keys. */
export type Duplicates = {
  readonly count: number;
  /** How far back was looked, in ms. */
  readonly windowMs: number;
  /** The merchant wants them declined. */
  readonly refuse: boolean;
};

export type ListHit = { readonly list: "block" | "allow"; readonly kind: "card" | "bin" | "email" | "ip" };

/** Why, in words that a person at the merchant can read. `weight` is 0..100. */
export type Reason = {
  readonly rule:
    | "block_list"
    | "allow_list"
    | "amount_blocked"
    | "amount_review"
    | "country_mismatch"
    | "duplicate";
  readonly message: string;
  readonly weight: number;
};

export type Judgement = {
  readonly decision: Decision;
  readonly score: number;
  readonly reasons: readonly Reason[];
  /** As what the payment is to be declined, if it is blocked. */
  readonly decline: "blocked_by_risk" | "duplicate_payment" | null;
};

export const RULESET = "rules-2";

type Voice = Reason & { readonly decision: Decision };
type Rule = (facts: Facts) => Voice | null;

const LISTED: Record<ListHit["kind"], string> = {
  card: "The card",
  bin: "The card's range",
  email: "The payer's e-mail address",
  ip: "The payer's address",
};

const blockList: Rule = ({ listed }) => {
  const hit = listed.find(({ list }) => list === "block");
  if (hit === undefined) return null;
  return {
    decision: "block",
    rule: "block_list",
    message: `${LISTED[hit.kind]} is on your block list.`,
    weight: 100,
  };
};

const amountBlocked: Rule = ({ amount, limit: { blockAbove } }) => {
  if (blockAbove === null || amount.minor <= blockAbove) return null;
  const limit = formatMoney(moneyOf(blockAbove, amount.currency));
  const message = `${formatMoney(amount)} is above your limit of ${limit}.`;
  return { decision: "block", rule: "amount_blocked", message, weight: 100 };
};

const amountReview: Rule = ({ amount, limit: { reviewAbove } }) => {
  if (reviewAbove === null || amount.minor <= reviewAbove) return null;
  const limit = formatMoney(moneyOf(reviewAbove, amount.currency));
  const message = `${formatMoney(amount)} is above ${limit}, from where you review payments.`;
  return { decision: "review", rule: "amount_review", message, weight: 40 };
};

const countryMismatch: Rule = ({ binCountry, payerCountry }) => {
  if (binCountry === null || payerCountry === null || binCountry === payerCountry) return null;
  const message = `The card was issued in ${binCountry}, the payer is in ${payerCountry}.`;
  return { decision: "review", rule: "country_mismatch", message, weight: 35 };
};

/** Asked twice is not fraud: it is said, and declined only where the merchant wants it. */
const duplicate: Rule = ({ duplicates: { count, windowMs, refuse } }) => {
  if (count === 0) return null;
  const times = count === 1 ? "once" : `${count} times`;
  const message = `The same card has paid the same amount ${times} in the last ${windowMs / 60_000} minutes.`;
  return refuse
    ? { decision: "block", rule: "duplicate", message, weight: 100 }
    : { decision: "allow", rule: "duplicate", message, weight: 10 };
};

const STRICTNESS: Record<Decision, number> = { allow: 0, review: 1, block: 2 };

export function judge(facts: Facts): Judgement {
  const voices = [blockList, amountBlocked, amountReview, countryMismatch, duplicate]
    .map((rule) => rule(facts))
    .filter((voice) => voice !== null);
  const strictest = voices.reduce<Decision>(
    (worst, { decision }) => (STRICTNESS[decision] > STRICTNESS[worst] ? decision : worst),
    "allow",
  );
  const reasons: Reason[] = voices.map(({ rule, message, weight }) => ({ rule, message, weight }));
  const allowed = facts.listed.find(({ list }) => list === "allow");
  if (allowed !== undefined && strictest !== "block") {
    // An allow list overrules what looks unusual, never a block.
    const message = `${LISTED[allowed.kind]} is on your allow list.`;
    const allowing: Reason = { rule: "allow_list", message, weight: 0 };
    return { decision: "allow", score: 0, reasons: [...reasons, allowing], decline: null };
  }
  const score = Math.min(
    100,
    reasons.reduce((sum, { weight }) => sum + weight, 0),
  );
  return { decision: strictest, score, reasons, decline: declineFor(voices) };
}

function declineFor(voices: readonly Voice[]): Judgement["decline"] {
  const blocking = voices.filter(({ decision }) => decision === "block");
  if (blocking.length === 0) return null;
  return blocking.every(({ rule }) => rule === "duplicate") ? "duplicate_payment" : "blocked_by_risk";
}
