import type { CheckoutSessionId, MerchantId, PaymentId } from "../../kernel/ids.ts";
import type { Money } from "../../kernel/money.ts";
import type { SessionMove } from "../../ledger/commit.ts";
import type { CaptureMethod } from "./payment.ts";

/**
 * A checkout that the merchant's server opened: it fixes the amount, the browser only confirms. `attempt`
 * counts the attempts that were definitely declined; session and attempt give the idempotency key, so that
 * whatever the browser sends twice is one charge.
 */
export type CheckoutSession = {
  readonly id: CheckoutSessionId;
  readonly merchant: MerchantId;
  readonly status: "open" | "complete";
  readonly attempt: number;
  readonly amount: Money;
  readonly captureMethod: CaptureMethod;
  readonly description: string | null;
  readonly reference: string | null;
  /** Where a provider's or a bank's page sends the payer back to. */
  readonly returnUrl: string | null;
  /** The latest attempt's payment. */
  readonly payment: PaymentId | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
};

/** A card may be tried this often in one session: card testing ends here. */
export const MAX_ATTEMPTS = 10;

export const attemptKey = (session: CheckoutSession, attempt: number): string =>
  `checkout:${session.id}:${attempt}`;

/** The session's move when its current attempt is claimed by `payment`. */
export const attemptClaimed = (session: CheckoutSession, payment: PaymentId): SessionMove => ({
  id: session.id,
  expectedAttempt: session.attempt,
  attempt: session.attempt,
  status: "open",
  payment,
});

/** The session's move when its current attempt has ended: only a definite decline opens the next one. */
export const attemptEnded = (session: CheckoutSession, payment: PaymentId, paid: boolean): SessionMove => ({
  id: session.id,
  expectedAttempt: session.attempt,
  attempt: paid ? session.attempt : session.attempt + 1,
  status: paid ? "complete" : "open",
  payment,
});
