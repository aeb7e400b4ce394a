/**
 * What the sandbox remembers of each object. Records are immutable: a change is a new record with the same id.
 * Amounts are minor units; `created` and other instants of the wire format are seconds since 1970, and fields
 * that end in `Ms` are milliseconds.
 */

import type { Metadata } from "../kit/book.ts";
import type { ErrorBody } from "./errors.ts";
import type { CardBehaviour } from "./test-cards.ts";

export type { Metadata } from "../kit/book.ts";

export type PaymentIntentStatus =
  | "requires_payment_method"
  | "requires_confirmation"
  | "requires_action"
  | "processing"
  | "requires_capture"
  | "canceled"
  | "succeeded";

export type CaptureMethod = "automatic" | "automatic_async" | "manual";

export type Shipping = Readonly<{
  address: Readonly<Record<string, string>>;
  name: string | null;
  phone: string | null;
  carrier: string | null;
  tracking_number: string | null;
}>;

export type PaymentIntentRecord = {
  readonly id: string;
  readonly created: number;
  readonly clientSecret: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: PaymentIntentStatus;
  readonly captureMethod: CaptureMethod;
  readonly confirmationMethod: "automatic" | "manual";
  readonly paymentMethodTypes: readonly string[];
  /** Null where the merchant listed the types. */
  readonly automaticPaymentMethods: { readonly allowRedirects: "always" | "never" } | null;
  readonly requestMulticapture: boolean;
  readonly requestIncrementalAuthorization: boolean;
  readonly requestOvercapture: boolean;
  readonly requestThreeDSecure: "automatic" | "any" | "challenge";
  /** What a card that is being stored is for, and what one that was stored is used for. */
  readonly setupCredentialUsage: CredentialUsage | null;
  readonly storedCredentialUsage: CredentialUsage | null;
  /** The scheme's id of the payment that stored the card, as the merchant sent it. */
  readonly mitNetworkTransactionId: string | null;
  /** 3D Secure that was carried out elsewhere. */
  readonly importedAuthentication: ImportedAuthentication | null;
  readonly customer: string | null;
  readonly description: string | null;
  readonly statementDescriptorSuffix: string | null;
  readonly receiptEmail: string | null;
  readonly setupFutureUsage: "on_session" | "off_session" | null;
  readonly shipping: Shipping | null;
  readonly transferGroup: string | null;
  readonly metadata: Metadata;
  readonly paymentMethod: string | null;
  readonly latestCharge: string | null;
  readonly amountCapturable: number;
  readonly amountReceived: number;
  /** Attempts to raise the authorization, declined ones included. */
  readonly increments: number;
  /** Without its payment method and charge objects' bodies: ids, rendered when asked for. */
  readonly lastPaymentError: (ErrorBody & { readonly paymentMethodId?: string }) | null;
  /** Set while the customer must authenticate; the key is that of the request that asked for it. */
  readonly nextAction: { readonly returnUrl: string | null; readonly idempotencyKey: string | null } | null;
  /** Whether the customer has authenticated the present payment method. */
  readonly authenticated: boolean;
  readonly cancellationReason: string | null;
  readonly canceledAt: number | null;
  /** When a payment that is `processing` will be decided, and the key of the request that began it. */
  readonly decision: { readonly atMs: number; readonly idempotencyKey: string | null } | null;
};

export type CredentialUsage = "recurring" | "unscheduled" | "installment";

/** `payment_method_options[card][three_d_secure]` as it was sent. */
export type ImportedAuthentication = {
  readonly cryptogram: string;
  readonly transactionId: string;
  readonly version: string;
  readonly eci: string | null;
  readonly exemptionIndicator: "low_risk" | "none" | null;
  readonly aresTransStatus: string | null;
  readonly requestorChallengeIndicator: string | null;
};

export type CustomerRecord = {
  readonly id: string;
  readonly created: number;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
};

export type BillingDetails = {
  readonly address: Readonly<Record<string, string>>;
  readonly email: string | null;
  readonly name: string | null;
  readonly phone: string | null;
};

export type PaymentMethodRecord = {
  readonly id: string;
  readonly created: number;
  readonly brand: string;
  readonly funding: string;
  readonly country: string;
  readonly last4: string;
  readonly fingerprint: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly cvcGiven: boolean;
  readonly behaviour: CardBehaviour;
  readonly billing: BillingDetails;
  readonly metadata: Metadata;
  readonly customer: string | null;
  /** A payment method that no customer owns may pay once. */
  readonly spent: boolean;
  /** Stored with the customer's consent and authentication, so later payments without them pass. */
  readonly setUp: boolean;
};

export type ChargeOutcome = {
  readonly type: "authorized" | "issuer_declined" | "blocked";
  readonly network_status: "approved_by_network" | "declined_by_network" | "not_sent_to_network";
  readonly reason: string | null;
  readonly risk_level: "normal" | "elevated" | "highest";
  readonly seller_message: string;
};

export type ChargeRecord = {
  readonly id: string;
  readonly created: number;
  readonly paymentIntent: string;
  readonly paymentMethod: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: "succeeded" | "failed";
  readonly captured: boolean;
  readonly amountCaptured: number;
  /** Succeeded refunds only; pending ones do not count yet. */
  readonly amountRefunded: number;
  /** Pending refunds, which already reduce what may be refunded. */
  readonly amountRefundPending: number;
  readonly captures: number;
  readonly multicapture: boolean;
  readonly incrementable: boolean;
  /** The most that may be captured in all; `amount` where overcapture is not available. */
  readonly maximumCapturable: number;
  /** Seconds since 1970; null for a payment that is captured at once. */
  readonly captureBefore: number | null;
  /** When what is reserved is given back by itself, and the key of the request that reserved it; null once it is not. */
  readonly holdEnds: { readonly atMs: number; readonly idempotencyKey: string | null } | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly outcome: ChargeOutcome;
  readonly cvcCheck: "pass" | "fail" | null;
  readonly authenticated: boolean;
  readonly importedAuthentication: ImportedAuthentication | null;
  readonly networkTransactionId: string | null;
  readonly setupCredentialUsage: CredentialUsage | null;
  readonly storedCredentialUsage: CredentialUsage | null;
  readonly customer: string | null;
  readonly balanceTransaction: string | null;
  readonly description: string | null;
  readonly statementDescriptorSuffix: string | null;
  readonly metadata: Metadata;
};

export type RefundStatus = "pending" | "succeeded" | "failed";

export type RefundRecord = {
  readonly id: string;
  readonly created: number;
  readonly charge: string;
  readonly paymentIntent: string;
  readonly paymentMethod: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: RefundStatus;
  readonly reason: string | null;
  readonly metadata: Metadata;
  readonly balanceTransaction: string | null;
  readonly failureBalanceTransaction: string | null;
  readonly failureReason: string | null;
  /** When its status will change by itself, and the key of the request that made it. */
  readonly decision: { readonly atMs: number; readonly idempotencyKey: string | null } | null;
};

export type BalanceTransactionRecord = {
  readonly id: string;
  readonly created: number;
  readonly type: "charge" | "refund" | "refund_failure";
  readonly amount: number;
  readonly fee: number;
  readonly currency: string;
  readonly description: string | null;
  readonly source: string;
  readonly availableOn: number;
  /** An asynchronous capture shows its transaction a little later. */
  readonly visibleAtMs: number;
};
