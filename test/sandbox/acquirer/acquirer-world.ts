/** The types that the kit takes, and what of the acquirer can be switched. */

import type { Movement } from "../kit/book.ts";
import { choice, count, sharedSettings, type ValuesOf } from "../kit/settings.ts";
import type { Work as KitWork } from "../kit/work.ts";
import type { ApiRequest, WebhookEvent } from "../kit/world.ts";
import type { Message } from "./message.ts";
import type { MessageRecord, RefundRecord, ReversalRecord, TransactionRecord } from "./records.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export const settings = {
  ...sharedSettings,
  /** How long an authorization holds. */
  holdMs: count(7 * DAY_MS),
  /** How long a refund is in progress, or stays before it comes back. */
  refundDelayMs: count(1_000),
  /** How long it takes until a look-up finds a message. */
  lookupLagMs: count(0),
  /** What becomes of numbers that are no test cards. */
  unknownCards: choice("accept", ["accept", "decline"]),
};

export const operations = [
  "authorize",
  "sale",
  "advise",
  "increment",
  "capture",
  "refund",
  "reverse",
  "void",
  "echo",
  "lookup",
  "other",
] as const;
export type Operation = (typeof operations)[number];

/** What only this provider does wrong: see README.md. */
export const quirks = ["answer_96", "unasked_partial_approval", "deny_lookup"] as const;

export type AcquirerRequest = ApiRequest & {
  readonly operation: Operation;
  /** Null for a look-up. */
  readonly message: Message | null;
  readonly digest: string;
  /** The reference that a look-up names. */
  readonly reference: string;
};

export type AcquirerMovement = Movement & {
  /** The reference of the message that moved the money, or that began what moved it later. */
  readonly message: string;
};

export type AcquirerEvent = WebhookEvent & {
  readonly type: "refund.completed" | "refund.returned";
  readonly created: number;
  readonly reference: string;
  readonly retrievalReference: string;
  readonly amount: string;
  readonly currency: string;
  readonly responseCode: string;
};

export type AcquirerWorld = {
  kinds: {
    transactions: TransactionRecord;
    refunds: RefundRecord;
    messages: MessageRecord;
    reversals: ReversalRecord;
  };
  settings: ValuesOf<typeof settings>;
  movement: AcquirerMovement;
  request: AcquirerRequest;
  event: AcquirerEvent;
  indexes: object;
};

export type Work = KitWork<AcquirerWorld>;
