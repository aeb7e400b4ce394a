import type {
  CheckoutSessionId,
  CommitId,
  EventId,
  JournalId,
  MerchantId,
  OperationId,
  PaymentId,
} from "../kernel/ids.ts";
import type { Transfer } from "./transfer.ts";

/**
 * A commit: the one way that state changes. It is a value that pure code computes and a test can read; the
 * committer applies it in one transaction, wholly or not at all. Its parts, each optional:
 *
 *   claim       takes an idempotency key for a subject (an operation, a checkout session)
 *   payment     inserts a payment, or replaces its state if the version is still the one it was computed from
 *   operation   inserts a claimed operation, or resolves one that is still claimed
 *   session     opens a checkout session, or moves one that is still at the expected attempt
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
  readonly payment?: { readonly insert: Row } | { readonly update: Row; readonly expectedVersion: number };
  readonly operation?: { readonly insert: Row } | { readonly resolve: OperationResolution };
  readonly session?: { readonly insert: Row } | { readonly update: SessionMove };
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

export type ClaimKind = "authorize" | "capture" | "void" | "refund" | "checkout_session";

/** Takes `key` for `subject`. `fingerprint` is the lower-case hex SHA-256 of the arguments. */
export type Claim = {
  readonly key: string;
  readonly fingerprint: string;
  readonly kind: ClaimKind;
  readonly subject: OperationId | CheckoutSessionId;
  readonly payment: PaymentId | null;
};

export type OperationResolution = {
  readonly payment: PaymentId;
  readonly id: OperationId;
  readonly state: "succeeded" | "declined" | "failed";
  readonly failure: Row | null;
};

export type SessionMove = {
  readonly id: CheckoutSessionId;
  readonly expectedAttempt: number;
  readonly attempt: number;
  readonly status: "open" | "complete";
  readonly payment: PaymentId;
};

export type Journal = {
  readonly id: JournalId;
  readonly payment: PaymentId;
  readonly operation: OperationId;
  readonly cause: JournalCause;
  readonly transfers: readonly Transfer[];
};

export type JournalCause =
  | "authorization"
  | "sale"
  | "capture"
  | "void"
  | "refund_hold"
  | "refund"
  | "refund_failed";

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
      readonly guard: "payment_version" | "operation_state" | "session_attempt";
    };

/** The claim that holds the key; ids as UUIDs. */
export type TakenClaim = {
  readonly fingerprint: string;
  readonly kind: ClaimKind;
  readonly subject: string;
  readonly payment: string | null;
};
