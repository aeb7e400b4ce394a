/**
 * The acquirer's messages as types; `schema.json` is what they are checked against. Names and forms are those of
 * docs/acquirer-api.md.
 */

import { createHash } from "node:crypto";
import { canonicalJson } from "../kit/idempotency.ts";

export type Card = { readonly pan: string; readonly expiry: string; readonly cvc?: string };

export type StoredCredential = {
  readonly initiator: "C" | "M";
  readonly reason: "U" | "R" | "I" | "O";
  readonly first: boolean;
  readonly networkTransactionId?: string;
};

export type ThreeDSecure = {
  readonly version: string;
  readonly ecommerceIndicator: string;
  readonly cavv?: string;
  readonly dsTransaction?: string;
};

/** What every message has, and every answer repeats. */
export type Heading = {
  readonly reference: string;
  readonly transmissionTime: string;
  readonly traceNumber: string;
  readonly terminal: string;
  readonly merchant: string;
};

/** A message that asks for an authorization or a sale. */
export type PurchaseMessage = Heading & {
  readonly mti: string;
  readonly processingCode: "000000";
  readonly card: Card;
  readonly amount: string;
  readonly currency: string;
  readonly merchantType: string;
  readonly acquirerCountry: string;
  readonly entryMode: "10" | "81";
  readonly ecommerceIndicator?: string;
  readonly storedCredential?: StoredCredential;
  readonly addressVerification?: { readonly address?: string; readonly postalCode?: string };
  readonly threeDSecure?: ThreeDSecure;
  readonly exemption?: "LV" | "TR" | "TB" | "RP" | "SC";
  readonly partialApproval?: boolean;
  /** Of an advice. */
  readonly approvalCode?: string;
};

/** A message about a transaction that the acquirer knows. */
export type FollowUpMessage = Heading & {
  readonly mti: string;
  readonly processingCode: "000000" | "200000";
  readonly amount: string;
  readonly currency: string;
  readonly original: { readonly retrievalReference: string };
  readonly completion?: "partial" | "final";
};

export type ReversalMessage = Heading & {
  readonly mti: string;
  readonly original: { readonly reference: string };
};

export type ReversalAdvice = Heading & {
  readonly mti: string;
  readonly original: { readonly retrievalReference: string };
};

export type Message =
  | ({ readonly kind: "authorize" | "sale" | "advise" } & { readonly fields: PurchaseMessage })
  | ({ readonly kind: "increment" | "capture" | "refund" } & { readonly fields: FollowUpMessage })
  | { readonly kind: "reverse"; readonly fields: ReversalMessage }
  | { readonly kind: "void"; readonly fields: ReversalAdvice }
  | { readonly kind: "echo"; readonly fields: Heading & { readonly mti: string } };

export type MessageKind = Message["kind"];

/** What a message is, once the schema has let it pass. */
export function messageOf(fields: Heading & { readonly mti: string }): Message {
  const about = fields as { processingCode?: string; original?: object };
  return { kind: kindOf(fields.mti, about), fields } as Message;
}

function kindOf(
  mti: string,
  { processingCode, original }: { processingCode?: string; original?: object },
): MessageKind {
  switch (mti.slice(0, 3)) {
    case "010":
      return original === undefined ? "authorize" : "increment";
    case "012":
      return "advise";
    case "020":
      return processingCode === "200000" ? "refund" : "sale";
    case "022":
      return "capture";
    case "040":
      return "reverse";
    case "042":
      return "void";
    default:
      return "echo";
  }
}

/** The type of a message's answer: third digit one higher, and the last of a repeat as of the original. */
export const answerType = (mti: string): string => `${mti.slice(0, 2)}${Number(mti[2]) + 1}0`;

/** What makes two messages the same: everything but whether it is the repeat. One way, so that no card is kept. */
export function digestOf(fields: { readonly mti: string }): string {
  const first = { ...fields, mti: `${fields.mti.slice(0, 3)}0` };
  return createHash("sha256").update(canonicalJson(first)).digest("hex").slice(0, 32);
}

/** Minor units of field 4. */
export const minorOf = (amount: string): number => Number(amount);

/** Field 4 of minor units. */
export const amountOf = (minor: number): string => String(minor).padStart(12, "0");
