/**
 * What the sandbox remembers of each object. Records are immutable: a change is a new record with the same id.
 * Amounts are minor units of the payment's currency; instants are milliseconds since 1970.
 */

import type { Decision } from "../kit/world.ts";
import type { FailureReason } from "./failure-reasons.ts";
import type { CardBehaviour } from "./test-cards.ts";

/** Anything that JSON can say: the merchant's, given back as it came. */
export type MerchantMetadata = unknown;

export type PaymentStatus = "open" | "pending" | "authorized" | "paid" | "canceled" | "expired" | "failed";
export type SequenceType = "oneoff" | "first" | "recurring";

/** All that is kept of a card; never its number. */
export type CardRecord = {
  readonly label: string;
  readonly bin: string;
  readonly last4: string;
  readonly fingerprint: string;
  readonly holder: string | null;
  readonly expMonth: number;
  readonly expYear: number;
  readonly country: string;
  readonly funding: "credit" | "debit" | "prepaid";
  readonly behaviour: CardBehaviour;
};

export type PaymentRecord = {
  readonly id: string;
  readonly created: number;
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly redirectUrl: string | null;
  readonly cancelUrl: string | null;
  readonly webhookUrl: string | null;
  readonly metadata: MerchantMetadata;
  readonly method: "creditcard" | null;
  readonly captureMode: "automatic" | "manual";
  readonly sequenceType: SequenceType;
  readonly customer: string | null;
  readonly mandate: string | null;
  readonly locale: string | null;
  readonly status: PaymentStatus;
  /** The secret part of the hosted page's address; null where no payer is present. */
  readonly checkoutToken: string | null;
  readonly card: CardRecord | null;
  /** The payer has typed this card and is at their bank's page. */
  readonly challenged: boolean;
  /** Outcome of 3-D Secure as the scheme has it, two digits; null where it was not carried out. */
  readonly eci: string | null;
  readonly failureReason: FailureReason | null;
  readonly authorizedAt: number | null;
  readonly paidAt: number | null;
  readonly canceledAt: number | null;
  readonly expiredAt: number | null;
  readonly failedAt: number | null;
  readonly expiresAt: number | null;
  readonly captureBefore: number | null;
  /** Of captures that succeeded. */
  readonly amountCaptured: number;
  /** Of refunds that were neither canceled nor failed. */
  readonly amountRefunded: number;
  /** When the hold that the merchant gave back is let go. */
  readonly releaseAt: number | null;
  /** For a payment that is `pending`: when it is decided. */
  readonly decidedAt: number | null;
  /** Ordered with a fault rule when it was made: whatever the card, this is why it fails; and how long it is pending. */
  readonly orderedFailure: FailureReason | null;
  readonly orderedPendingMs: number | null;
  /** The key of the request that made it. */
  readonly idempotencyKey: string | null;
};

export type CaptureRecord = {
  readonly id: string;
  readonly created: number;
  readonly payment: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string | null;
  readonly metadata: MerchantMetadata;
  readonly status: "pending" | "succeeded" | "failed";
  readonly fails: boolean;
  readonly decision: Decision | null;
};

export type RefundStatus = "queued" | "pending" | "processing" | "refunded" | "failed" | "canceled";

export type RefundRecord = {
  readonly id: string;
  readonly created: number;
  readonly payment: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly metadata: MerchantMetadata;
  readonly status: RefundStatus;
  readonly decision: Decision | null;
};

export type CustomerRecord = {
  readonly id: string;
  readonly created: number;
  readonly name: string | null;
  readonly email: string | null;
  readonly locale: string | null;
  readonly metadata: MerchantMetadata;
};

export type MandateRecord = {
  readonly id: string;
  readonly created: number;
  readonly customer: string;
  readonly status: "valid" | "pending" | "invalid";
  readonly card: CardRecord;
};
