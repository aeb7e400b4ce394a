/** 0100, 0120 and 0200: reserving, raising, and reserving and taking at once. */

import { cardFingerprint } from "../kit/cards.ts";
import type { Bending } from "../kit/world.ts";
import type { Work } from "./acquirer-world.ts";
import { judge, newApprovalCode, newNetworkTransactionId, newRetrievalReference } from "./issuer.ts";
import { amountOf, type FollowUpMessage, minorOf, type PurchaseMessage } from "./message.ts";
import { move, type Outcome, refused, timeOf } from "./outcome.ts";
import type { AnswerFields, TransactionRecord } from "./records.ts";
import { RESPONSE_CODES } from "./response-codes.ts";

/** The code that a fault orders, if it is one. */
const ordered = ({ declineCode }: Bending): string | undefined =>
  declineCode === undefined || declineCode in RESPONSE_CODES ? declineCode : "05";

export function purchase(
  work: Work,
  kind: "authorize" | "sale" | "advise",
  message: PurchaseMessage,
  bending: Bending,
): Outcome {
  const asked = minorOf(message.amount);
  if (asked === 0) return refused("13");
  const judged = judge(message, work.settings.unknownCards, work.nowMs);
  // An advice tells what has been decided already.
  const code = kind === "advise" ? "00" : (ordered(bending) ?? judged.responseCode);
  const tells: AnswerFields = { ...judged.tells, amount: message.amount, currency: message.currency };
  const inPart = bending.quirk?.name === "unasked_partial_approval";
  if (code !== "00" && !(code === "10" && message.partialApproval === true)) {
    return { responseCode: code === "10" ? "51" : code, fields: tells };
  }
  const granted = code === "10" || inPart ? Math.ceil(asked / 2) : asked;
  const transaction = reserve(work, kind === "sale" ? "sale" : "authorization", message, judged, granted);
  return {
    responseCode: granted < asked ? "10" : "00",
    transaction: transaction.id,
    fields: {
      ...tells,
      amount: amountOf(granted),
      retrievalReference: transaction.id,
      approvalCode: message.approvalCode ?? newApprovalCode(),
      networkTransactionId: transaction.networkTransactionId,
      ...(granted < asked
        ? { additionalAmounts: [{ type: "57", amount: message.amount, currency: message.currency }] }
        : {}),
      ...(transaction.decision === null ? {} : { authorizationExpires: timeOf(transaction.decision.atMs) }),
    },
  };
}

function reserve(
  work: Work,
  kind: TransactionRecord["kind"],
  { reference, card, currency, merchantType }: PurchaseMessage,
  { brand, refunds }: ReturnType<typeof judge>,
  amount: number,
): TransactionRecord {
  const isSale = kind === "sale";
  const transaction = work.put("transactions", {
    id: newRetrievalReference(),
    created: work.nowSeconds,
    reference,
    kind,
    state: isSale ? "closed" : "held",
    authorized: amount,
    captured: isSale ? amount : 0,
    refunded: 0,
    clearings: isSale ? 1 : 0,
    currency,
    merchantType,
    brand,
    last4: card.pan.slice(-4),
    fingerprint: cardFingerprint(card.pan),
    refunds,
    networkTransactionId: newNetworkTransactionId(brand, work.nowMs),
    decision: isSale
      ? null
      : { atMs: work.nowMs + work.settings.holdMs, idempotencyKey: work.idempotencyKey },
  });
  move(work, "authorized", transaction, amount, reference);
  if (isSale) move(work, "captured", transaction, amount, reference);
  return transaction;
}

const CAN_BE_RAISED = ["visa", "mastercard"];

/** Raises an authorization by field 4. */
export function increment(work: Work, message: FollowUpMessage, bending: Bending): Outcome {
  const before = work.find("transactions", message.original.retrievalReference);
  const problem = refusalOf(before, message);
  if (before === undefined || problem !== null) return refused(problem ?? "25");
  const amount = minorOf(message.amount);
  if (!CAN_BE_RAISED.includes(before.brand)) return refused("57");
  if (amount === 0) return refused("13");
  const code = ordered(bending);
  if (code !== undefined && code !== "00") return refused(code);
  const after = work.put("transactions", { ...before, authorized: before.authorized + amount });
  move(work, "authorized", after, amount, message.reference);
  return {
    responseCode: "00",
    transaction: after.id,
    fields: {
      amount: message.amount,
      currency: message.currency,
      retrievalReference: after.id,
      approvalCode: newApprovalCode(),
      networkTransactionId: after.networkTransactionId,
      ...(after.decision === null ? {} : { authorizationExpires: timeOf(after.decision.atMs) }),
    },
  };
}

/** Why an authorization cannot be worked with, as a response code; null where it can. */
export function refusalOf(
  transaction: TransactionRecord | undefined,
  { currency }: { readonly currency: string },
): string | null {
  if (transaction === undefined) return "25";
  if (transaction.currency !== currency) return "12";
  if (transaction.state === "reversed") return "79";
  if (transaction.state === "expired") return "Q1";
  return transaction.state === "closed" ? "21" : null;
}

/** The end of a hold. */
export function expireHold(work: Work, id: string): void {
  const before = work.get("transactions", id);
  const ended = work.put("transactions", { ...before, decision: null });
  if (before.state !== "held") return;
  work.put("transactions", { ...ended, state: before.captured > 0 ? "closed" : "expired" });
  move(work, "released", before, Math.max(0, before.authorized - before.captured), before.reference);
}
