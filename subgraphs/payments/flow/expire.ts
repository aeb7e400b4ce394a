import { homeOf, type MerchantId, newId, type PaymentId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import { type Claimed, claimFollowUp } from "../domain/claims.ts";
import { providerReference } from "../domain/idempotency.ts";
import type { Payment } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { perform } from "./perform.ts";
import { recordAnswer } from "./record.ts";
import { recoverAfter } from "./recover-after.ts";

/**
 * Ends authorizations that nobody captured in time. Phases for each: 1 read the payment | 2 claim the expiry (commit 1)
 * | 3 cancel it at the provider and record (perform.ts). The hold in the ledger is the reminder: as long as it is
 * there and overdue, the next sweep finds it, so a crash anywhere only delays. What is in flight, a capture above all,
 * goes first. Gives how many it ended.
 */
export async function expireOverdue(deps: PaymentDeps, limit: number): Promise<number> {
  const overdue = await deps.queue.overdueAuthorizations(limit);
  const ended = await Promise.all(
    overdue.map(({ merchant, payment }) =>
      expire(deps, merchant, payment).catch((error: unknown) => {
        deps.log.warn({ payment, err: error }, "an authorization could not be ended: it will be tried again");
        return false;
      }),
    ),
  );
  return ended.filter(Boolean).length;
}

async function expire(deps: PaymentDeps, merchant: MerchantId, id: PaymentId): Promise<boolean> {
  const at = deps.clock.now();
  const payment = await deps.reads.payment(merchant, id);
  const expiresAt = payment?.authorizationExpiresAt ?? null;
  if (payment === null || expiresAt === null || expiresAt > at) return false;
  const operation = newId("op", homeOf(merchant), at);
  const reference = providerReference(deps.referenceSecret, {
    merchant,
    key: operation,
    operation: "expire",
    attempt: 0,
    step: payment.provider,
  });
  const claimed = claimFollowUp(
    payment,
    { kind: "expire", amount: payment.authorized - payment.captured, final: false },
    null,
    { id: operation, reference, request: deps.providers.get(payment.provider).void(payment, { reference }) },
    recoverAfter(deps, at),
    at,
  );
  if (!claimed.ok) return false; // something else is in flight, or has ended it
  const result = await deps.commit(claimed.value.commit);
  if (result.outcome !== "applied" && result.outcome !== "replayed") return false;
  return lapses(deps, payment) ? lapse(deps, claimed.value) : end(deps, claimed.value);
}

async function end(deps: PaymentDeps, claimed: Claimed): Promise<boolean> {
  const { kind } = await perform(deps, claimed);
  return kind === "succeeded";
}

/** The provider cannot be asked to give back what a partial capture left: it ends by itself, and that time is over. */
const lapses = ({ providers }: PaymentDeps, { provider, captured }: Payment): boolean =>
  captured > 0n && !providers.get(provider).capabilities.voidAfterPartialCapture;

async function lapse(deps: PaymentDeps, { payment, operation }: Claimed): Promise<boolean> {
  invariant(payment.providerPayment !== null, "what was captured is at the provider");
  const { providerPayment } = payment;
  const { amount } = operation;
  const ended = { kind: "done", providerPayment, captured: false, amount, expiresAt: null } as const;
  const recorded = await recordAnswer(deps, payment, operation, ended);
  return recorded.operation.state === "succeeded";
}
