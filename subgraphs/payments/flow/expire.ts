import { homeOf, type MerchantId, newId, type PaymentId } from "../../kernel/ids.ts";
import { claimFollowUp } from "../domain/claims.ts";
import { providerReference } from "../domain/idempotency.ts";
import type { PaymentDeps } from "./deps.ts";
import { perform } from "./perform.ts";
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
  const outcome = await perform(deps, claimed.value);
  return outcome.kind === "succeeded";
}
