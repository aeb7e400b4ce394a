/** What the acquirer remembers. Amounts are minor units; times are seconds since 1970. */

import type { Decision } from "../kit/world.ts";
import type { Heading, MessageKind } from "./message.ts";

/** An authorization or a sale: what can be taken, and what was. */
export type TransactionRecord = {
  /** The retrieval reference number. */
  readonly id: string;
  readonly created: number;
  /** Of the message that asked for it. */
  readonly reference: string;
  readonly kind: "authorization" | "sale";
  /** `closed`: taken or given back, whole. */
  readonly state: "held" | "closed" | "reversed" | "expired";
  readonly authorized: number;
  readonly captured: number;
  /** Sent back, or on its way. */
  readonly refunded: number;
  /** Parts that were taken. */
  readonly clearings: number;
  readonly currency: string;
  readonly merchantType: string;
  readonly brand: string;
  readonly last4: string;
  readonly fingerprint: string;
  /** What becomes of refunds to this card. */
  readonly refunds: "approved" | "in_progress" | "returned";
  readonly networkTransactionId: string;
  /** The end of the hold. */
  readonly decision: Decision | null;
};

export type RefundRecord = {
  readonly id: string;
  readonly created: number;
  readonly reference: string;
  readonly transaction: string;
  readonly amount: number;
  readonly state: "in_progress" | "approved" | "returned";
  readonly decision: Decision | null;
};

/** A message that was executed, by its reference, with the answer that it got. */
export type MessageRecord = {
  readonly id: string;
  readonly created: number;
  readonly kind: MessageKind;
  readonly digest: string;
  /** The transaction or refund that it made or changed; null if none. */
  readonly transaction: string | null;
  readonly amount: number;
  readonly answer: Answer;
};

/** A reference that is burnt: its message was undone, or may never be executed. */
export type ReversalRecord = { readonly id: string; readonly created: number; readonly heading: Heading };

/** A response message. */
export type Answer = Heading & { readonly mti: string; readonly responseCode: string } & AnswerFields;

export type AnswerFields = {
  readonly processingCode?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly retrievalReference?: string;
  readonly approvalCode?: string;
  readonly cvcResult?: "M" | "N" | "P" | "U";
  readonly addressResult?: "Y" | "A" | "Z" | "N" | "U";
  readonly ecommerceIndicator?: string;
  readonly funding?: "C" | "D" | "P";
  readonly issuerCountry?: string;
  readonly networkTransactionId?: string;
  readonly additionalAmounts?: readonly {
    readonly type: string;
    readonly amount: string;
    readonly currency: string;
  }[];
  readonly clearingSequence?: string;
  readonly authorizationExpires?: string;
};
