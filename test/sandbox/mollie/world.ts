/**
 * Mollie's world as the kit's types want it.
 */

import type { Movement } from "../kit/book.ts";
import type { Execution as KitExecution } from "../kit/dialect.ts";
import { count, flag, sharedSettings, type ValuesOf } from "../kit/settings.ts";
import type { Store as KitStore } from "../kit/store.ts";
import type { Work as KitWork } from "../kit/work.ts";
import type { ApiRequest, WebhookEvent } from "../kit/world.ts";
import type { CaptureRecord, CustomerRecord, MandateRecord, PaymentRecord, RefundRecord } from "./records.ts";

const HOUR_MS = 3_600_000;

export const settings = {
  ...sharedSettings,
  /** Mollie keeps its keys for an hour (docs.mollie.com/reference/api-idempotency). */
  idempotencyKeyTtlMs: count(HOUR_MS),
  /** When an open card payment expires: half an hour (docs.mollie.com, payment status changes). */
  openMs: count(HOUR_MS / 2),
  /** How long an authorization can be captured: a week for Visa and American Express. */
  captureWindowMs: count(7 * 24 * HOUR_MS),
  captureDelayMs: count(50),
  releaseDelayMs: count(50),
  /** Each of a refund's two steps; the first takes Mollie about two hours. */
  refundDelayMs: count(100),
  /** The balance does not cover refunds: they stay queued. */
  queueRefunds: flag(false),
  /** A refund of an amount that was refunded this recently is taken for a duplicate; 0: never. */
  duplicateRefundWindowMs: count(0),
  /** Whether open card payments can be canceled; Mollie says so with each payment, and examples have both. */
  cancelOpen: flag(true),
  /** Mollie has enabled several captures on one card payment for this account. */
  multicapture: flag(false),
  /** How long a new payment is missing from lists. */
  listLagMs: count(0),
  /** The largest page of a list, whatever `limit` asks for. */
  maxPageSize: count(250),
};

export const OPERATIONS = [
  "create",
  "capture",
  "release",
  "cancel",
  "refund",
  "cancel_refund",
  "customer",
  "mandate",
  "lookup",
  "list",
  "other",
] as const;
export type MollieOperation = (typeof OPERATIONS)[number];

export const QUIRKS = [
  /** A payment is shown with the status in `parameters.status`, whatever it really is. */
  "contradict_status",
] as const;

/** A request that was read: the body's members, or the query's, and the ids of the path in order. */
export type MollieRequest = ApiRequest & {
  readonly operation: MollieOperation;
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly prepare: Prepare;
};

export type MollieEvent = WebhookEvent & {
  /** Next-generation events carry the payment as it was; classic ones only its id. */
  readonly snapshot: object | null;
  readonly at: number;
};

export type MollieWorld = {
  kinds: {
    payments: PaymentRecord;
    captures: CaptureRecord;
    refunds: RefundRecord;
    customers: CustomerRecord;
    mandates: MandateRecord;
  };
  settings: ValuesOf<typeof settings>;
  movement: Movement;
  request: MollieRequest;
  event: MollieEvent;
  /** Payments by the secret part of their page's address. */
  indexes: { readonly byCheckoutToken: Map<string, string> };
};

export type Work = KitWork<MollieWorld>;
export type Store = KitStore<MollieWorld>;
export type Execution = KitExecution<MollieWorld>;
/** Validates, then gives what will be executed. */
export type Prepare = (request: MollieRequest) => Execution;
