import type {
  CheckoutSessionId,
  CommitId,
  CustomerId,
  EventId,
  MerchantId,
  OperationId,
  PaymentId,
  PaymentMethodId,
} from "../kernel/ids.ts";
import type { AccountRef } from "./accounts.ts";
import type { Transfer } from "./transfer.ts";

/**
 * A commit: the one way that state changes. It is a value that pure code computes and a test can read; the
 * committer applies it wholly or not at all, with others that were queued beside it. Its parts, each optional:
 *
 *   claim       takes an idempotency key for a subject (an operation, a checkout session)
 *   payment     inserts a payment, or replaces its state if the version is still the one it was computed from
 *   operation   inserts an operation, and with it the request that is about to be sent
 *   resolution  ends an operation that is still live, or says that it waits for the payer
 *   session     opens a checkout session, or moves one that is still at the expected attempt
 *   customer    inserts a customer
 *   method      stores a card for a customer, or changes what is known of a stored one
 *   requires    a stored card that must not have been removed
 *   assessment  the risk decision that the claim rests on
 *   journal     transfers of one cause
 *   events      what the outbox will tell
 *
 * Rows are given as the columns of their table (`schema/sql`), with bigint as decimal text.
 */
export type Commit = {
  readonly id: CommitId;
  readonly merchant: MerchantId;
  readonly at: Date;
  readonly claim?: Claim;
  readonly payment?:
    | { readonly insert: Row; readonly terms: Row }
    | { readonly update: Row; readonly expectedVersion: number };
  readonly operation?: { readonly insert: Row; readonly inFlight: Row | null };
  readonly resolution?: OperationResolution;
  readonly session?: { readonly insert: Row } | { readonly update: SessionMove };
  readonly customer?: Row;
  readonly method?: { readonly insert: Row } | { readonly update: Row };
  readonly requires?: { readonly method?: PaymentMethodId; readonly notDuplicate?: NotDuplicate };
  readonly assessment?: Row;
  readonly journal?: Journal;
  readonly events: readonly OutboxEvent[];
};

export type Row = { readonly [column: string]: RowValue };
type RowValue =
  | string
  | number
  | boolean
  | null
  | RowValue[]
  | { readonly [key: string]: RowValue | undefined };

export type ClaimKind =
  | "authorize"
  | "increment"
  | "capture"
  | "void"
  | "refund"
  | "checkout_session"
  | "customer"
  | "payment_method";

/** Takes `key` for `subject`. `fingerprint` is the lower-case hex SHA-256 of the arguments. */
export type Claim = {
  readonly key: string;
  readonly fingerprint: string;
  readonly kind: ClaimKind;
  readonly subject: OperationId | CheckoutSessionId | CustomerId | PaymentMethodId;
  readonly payment: PaymentId | null;
};

/** No other payment of the same (`what`, decimal text) since the UUID `since`: for merchants who refuse duplicates. */
export type NotDuplicate = { readonly what: string; readonly since: string; readonly payment: PaymentId };

export type OperationResolution = {
  readonly payment: PaymentId;
  readonly id: OperationId;
  /** `live`: claimed, or waiting for the payer; else the state that it must be in. */
  readonly from: "live" | "succeeded";
  readonly state: "requires_action" | "succeeded" | "declined" | "failed" | "reversed";
  readonly failure: Row | null;
  readonly details: Row | null;
  readonly providerOperation: string | null;
  /** With `requires_action`: when to ask what became of it, ISO 8601; and what is kept in place of the request. */
  readonly resolveAfter: string | null;
  readonly request: Row | null;
};

export type SessionMove = {
  readonly id: CheckoutSessionId;
  readonly expectedAttempt: number;
  readonly attempt: number;
  readonly status: "open" | "complete";
  readonly payment: PaymentId;
};

/** The transfers of one cause, 1 to 255; it has the id of its commit. */
export type Journal = {
  readonly cause: JournalCause;
  /** The payment that it is found by. */
  readonly payment: PaymentId | null;
  readonly transfers: readonly Transfer[];
  /** Accounts that are opened if they are not there; a transfer with any other unknown account is refused. */
  readonly opens: readonly AccountRef[];
};

/** As the database keeps them, in `ledger.cause`. */
export const CAUSES = [
  "adjustment",
  "authorization",
  "sale",
  "capture",
  "void",
  "refund_hold",
  "refund",
  "refund_failed",
  "expiry",
  "conversion",
  "increment",
  "refund_reversed",
] as const;
export type JournalCause = (typeof CAUSES)[number];

export type OutboxEvent = {
  readonly id: EventId;
  readonly type: string;
  readonly payment: PaymentId;
  readonly body: Row;
};

/** What became of a commit. Only `applied` and `replayed` mean that its content is in the books. */
export type CommitResult =
  | { readonly outcome: "applied" | "replayed" }
  /** This commit id was applied with other content: a fault of ours, never retried. */
  | { readonly outcome: "conflict" }
  | { readonly outcome: "key_taken"; readonly claim: TakenClaim }
  | {
      readonly outcome: "guard_failed";
      readonly guard:
        | "payment_version"
        | "operation_state"
        | "session_attempt"
        | "payment_method"
        | "not_duplicate";
    }
  /** The ledger does not take one of its transfers. */
  | { readonly outcome: "refused"; readonly reason: RefusalReason }
  /** Too much is queued. Only a commit that takes a key is ever told so. */
  | { readonly outcome: "overloaded" };

export type RefusalReason =
  /** Not 1 to 2^62 minor units. */
  | "amount_out_of_range"
  /** An account's balance would pass 2^63. */
  | "balance_out_of_range"
  /** None, or more than 255. */
  | "number_of_transfers"
  /** Debit and credit are one account. */
  | "same_account"
  /** An account of another currency than the amount's. */
  | "other_currency"
  /** A book of another shard than the commit's. */
  | "other_shard"
  | "unknown_account"
  /** The account may not go below zero, and would. */
  | "exceeds_limit"
  | "unknown_pending"
  /** A post or release names other accounts than its pending transfer. */
  | "other_pending_accounts"
  /** More than is left of the pending transfer. */
  | "exceeds_pending";

/** The claim that holds the key; ids as UUIDs. */
export type TakenClaim = {
  readonly fingerprint: string;
  readonly kind: ClaimKind;
  readonly subject: string;
  readonly payment: string | null;
};
