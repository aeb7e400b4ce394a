/** 0220 and 0420: taking what was reserved, in parts, and giving back the rest. */

import type { Work } from "./acquirer-world.ts";
import { type FollowUpMessage, minorOf, type ReversalAdvice } from "./message.ts";
import { move, type Outcome, refused } from "./outcome.ts";
import { refusalOf } from "./purchases.ts";
import type { TransactionRecord } from "./records.ts";

const RESTAURANTS = ["5812", "5813", "5814"];
const TRAVEL = ["7011", "7512", "4411"];
const MOST_CLEARINGS = 99;

/** How much more than reserved the scheme lets a last completion take, in basis points. */
export function toleranceBps(brand: string, merchantType: string): number {
  if (RESTAURANTS.includes(merchantType)) return brand === "visa" || brand === "mastercard" ? 2_000 : 0;
  return brand === "visa" && TRAVEL.includes(merchantType) ? 1_500 : 0;
}

export function complete(work: Work, message: FollowUpMessage): Outcome {
  const before = work.find("transactions", message.original.retrievalReference);
  const problem = refusalOf(before, message);
  if (before === undefined || problem !== null) return refused(problem ?? "25");
  const amount = minorOf(message.amount);
  const final = message.completion === "final";
  const left = before.authorized - before.captured;
  const excess = final
    ? Math.floor((before.authorized * toleranceBps(before.brand, before.merchantType)) / 10_000)
    : 0;
  if (amount === 0 || amount > left + excess || before.clearings === MOST_CLEARINGS) return refused("13");
  const closes = final || amount === left;
  const after = work.put("transactions", {
    ...before,
    captured: before.captured + amount,
    clearings: before.clearings + 1,
    ...(closes ? { state: "closed", decision: null } : {}),
  });
  move(work, "captured", after, amount, message.reference);
  if (final) move(work, "released", after, Math.max(0, left - amount), message.reference);
  return {
    responseCode: "00",
    transaction: after.id,
    fields: {
      amount: message.amount,
      currency: message.currency,
      retrievalReference: after.id,
      clearingSequence: String(after.clearings).padStart(2, "0"),
    },
  };
}

/** Gives back what an authorization still holds, by the merchant's will. */
export function giveBack(work: Work, message: ReversalAdvice): Outcome {
  const before = work.find("transactions", message.original.retrievalReference);
  const problem = before === undefined ? "25" : refusalOf(before, before);
  if (before === undefined || problem !== null) return refused(problem ?? "25");
  release(work, before, before.captured > 0 ? "closed" : "reversed", message.reference);
  return { responseCode: "00", transaction: before.id, fields: { retrievalReference: before.id } };
}

/** Ends a hold: what is left of it goes back. */
export function release(
  work: Work,
  before: TransactionRecord,
  state: "closed" | "reversed",
  message: string,
): void {
  work.put("transactions", { ...before, state, decision: null });
  move(work, "released", before, before.authorized - before.captured, message);
}
