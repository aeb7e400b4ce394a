/**
 * What the Adyen sandbox remembers and says, as types. Records are immutable: a change is a new record with the same
 * id. Amounts are minor units as Adyen counts them (currencies.ts); fields that end in `Ms` are milliseconds.
 */

import type { Movement } from "../kit/book.ts";
import type { Execution as KitExecution } from "../kit/dialect.ts";
import { count, flag, sharedSettings, text, type ValuesOf } from "../kit/settings.ts";
import type { Work as KitWork } from "../kit/work.ts";
import type { ApiRequest, Decision, Metadata, WebhookEvent } from "../kit/world.ts";
import type { CardBehaviour } from "./test-cards.ts";

const DAY_MS = 86_400_000;

/** Adyen generates HMAC keys as 64 hexadecimal digits. */
export const SANDBOX_HMAC_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

const shared = sharedSettings.webhooks;

export const settings = {
  ...sharedSettings,
  /** Adyen keeps them for seven days at least. */
  idempotencyKeyTtlMs: count(7 * DAY_MS),
  webhooks: { ...shared, initial: { ...shared.initial, secret: SANDBOX_HMAC_KEY } },
  /** The one merchant account that exists; any other is refused. */
  merchantAccount: text("TesseraECOM"),
  /** Sent with webhooks as basic authentication, unless the user's name is empty. */
  webhookUser: text(""),
  webhookPassword: text(""),
  /** Between the request for a capture, cancel, refund or adjustment and its outcome. */
  modificationDelayMs: count(20),
  /** For cards whose refunds take long. */
  slowRefundMs: count(300),
  /** Between an outcome and the news that it has come undone. */
  lateFailureMs: count(200),
  /** After which what was not captured is released. */
  authorisationLifetimeMs: count(28 * DAY_MS),
  /** Otherwise the first capture is the last, and releases the rest. */
  multiplePartialCaptures: flag(true),
  /** What happens to cards of the highest risk that are not always blocked. */
  blockHighestRisk: flag(false),
};

export const OPERATIONS = [
  "authorise",
  "details",
  "capture",
  "adjust",
  "cancel",
  "refund",
  "reverse",
  "technical_cancel",
  "other",
] as const;
export type OperationName = (typeof OPERATIONS)[number];

/**
 * What only this provider does, ordered by a fault rule: a capture or refund that comes undone later, news that first says
 * the contrary, news that does not tell the merchant's reference.
 */
export const QUIRKS = ["comes_undone", "refund_reversed", "contradicts", "forgets_reference"] as const;
export type Quirk = (typeof QUIRKS)[number];

export type CardRecord = {
  /** visa, mc, amex, discover, diners, jcb, cup. */
  readonly scheme: string;
  readonly bin: string;
  readonly last4: string;
  readonly fingerprint: string;
  readonly expiry: string;
  readonly funding: "CREDIT" | "DEBIT" | "PREPAID";
  readonly country: string;
  readonly behaviour: CardBehaviour;
};

export type PaymentStatus =
  | "authorised"
  | "refused"
  | "error"
  /** Not decided yet. */
  | "received"
  /** The shopper is at the bank's page. */
  | "redirected"
  | "cancelled"
  | "expired";

export type PaymentRecord = {
  /** The pspReference. */
  readonly id: string;
  readonly created: number;
  readonly status: PaymentStatus;
  readonly reference: string;
  readonly merchantAccount: string;
  readonly metadata: Metadata;
  readonly currency: string;
  /** What was asked for; once authorised, what is, with adjustments. */
  readonly amount: number;
  readonly captured: number;
  readonly released: number;
  readonly refunded: number;
  readonly automaticCapture: boolean;
  readonly preAuthorised: boolean;
  readonly card: CardRecord;
  /** By the additional data's names: what the checks said. */
  readonly checks: Readonly<Record<string, string>>;
  readonly authCode: string | null;
  /** A key of the refusal table; null where nothing was refused. */
  readonly refusal: string | null;
  readonly returnUrl: string;
  /** Proof that the shopper came back, which ends `redirected`; and what the bank said. */
  readonly redirect: { readonly result: string; readonly authenticated: boolean | null } | null;
  readonly quirk: Quirk | null;
  /** When it will be decided, or its time will be over. */
  readonly decision: Decision | null;
};

export type ModificationKind = "capture" | "adjust" | "cancel" | "refund" | "reversal" | "technicalCancel";

export type ModificationRecord = {
  /** Its own pspReference. */
  readonly id: string;
  readonly created: number;
  readonly kind: ModificationKind;
  /** The payment's pspReference; for a technical cancel empty until the payment is found. */
  readonly payment: string;
  /** The merchant's reference of the payment, by which a technical cancel finds it. */
  readonly paymentReference: string | null;
  readonly merchantAccount: string;
  /** The merchant's own of this modification; empty where none was given. */
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: "received" | "succeeded" | "failed" | "undone";
  /** Ordered by a fault rule: why it will fail. */
  readonly fails: string | null;
  readonly quirk: Quirk | null;
  readonly decision: Decision | null;
};

export type AdyenEvent = WebhookEvent & {
  /** Of what happened: a payment's, or a modification's. */
  readonly pspReference: string;
  readonly originalReference: string | null;
  readonly merchantReference: string;
  readonly merchantAccount: string;
  readonly amount: number;
  readonly currency: string;
  readonly success: boolean;
  readonly reason: string;
  readonly paymentMethod: string;
  readonly additionalData: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly atMs: number;
};

export type AdyenMovement = Movement & {
  /** Of a `refunded` movement that no refund made: a capture that the scheme rejected later. */
  readonly because: "capture_failed" | null;
};

export type AdyenRequest = ApiRequest & {
  readonly operation: OperationName;
  readonly body: unknown;
  /** The payment's pspReference in the path, or empty. */
  readonly payment: string;
  readonly prepare: (request: AdyenRequest) => Execution;
};

export type AdyenWorld = {
  kinds: { payments: PaymentRecord; modifications: ModificationRecord };
  settings: ValuesOf<typeof settings>;
  movement: AdyenMovement;
  request: AdyenRequest;
  event: AdyenEvent;
  indexes: object;
};

export type Work = KitWork<AdyenWorld>;
export type Execution = KitExecution<AdyenWorld>;
