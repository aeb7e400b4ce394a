import { invariant } from "../../kernel/result.ts";
import type { Attempts } from "../domain/attempts.ts";
import type { Decline } from "../domain/decline.ts";
import type { Operation } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { afterDecline, decidedBy } from "../domain/three-ds/policy.ts";
import type { Following } from "./attempt.ts";
import type { PaymentDeps } from "./deps.ts";
import { recoverAfter } from "./recover-after.ts";
import { circumstancesOf, newAuthentication } from "./three-ds.ts";

/**
 * An issuer's soft decline: it will take the payment if the payer authenticates. The authentication is claimed in the
 * commit that records the decline, and the same provider is asked again after it; null if it cannot be, or has been.
 */
export async function stepUp(
  deps: PaymentDeps,
  attempts: Attempts,
  payment: Payment,
  operation: Operation,
  decline: Decline,
): Promise<Following | null> {
  if (deps.threeDs === null || decline.code !== "authentication_required") return null;
  const circumstances = await circumstancesOf(deps, payment, attempts, operation.provider);
  const { steppedUp } = attempts;
  const plan = afterDecline(decline, circumstances, { steppedUp, authentication: payment.authentication });
  if (plan === null || plan.do !== "authenticate" || plan.by !== "us") return null;
  const at = deps.clock.now();
  const going: Attempts = { ...attempts, steppedUp: true, exemption: null };
  invariant(operation.routing !== null, "an attempt has its reason");
  const { provider } = operation;
  const routing = { ...operation.routing, authentication: decidedBy(plan) };
  const underWay = { circumstances, exemption: null, provider, routing, attempts: going };
  const next = await newAuthentication(
    deps,
    deps.threeDs,
    payment,
    underWay,
    plan.challenge,
    payment.attempt + 1,
    at,
  );
  return { operation: next, resolveAfter: recoverAfter(deps, at), takesProof: true, attempts: going };
}
