import { homeOf, newId } from "../../kernel/ids.ts";
import type { Attempts } from "../domain/attempts.ts";
import { DECLINE_CODES, type Decline, type DeclineCode } from "../domain/decline.ts";
import { providerReference } from "../domain/idempotency.ts";
import type { Operation } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import type { DefiniteAnswer, NextAttempt } from "../domain/records.ts";
import type { RoutingReason } from "../domain/routing/reason.ts";
import type { Choice, RoutingFacts } from "../routing/router.ts";
import type { PaymentDeps } from "./deps.ts";
import { recoverAfter } from "./recover-after.ts";
import { stepUp } from "./step-up.ts";

/**
 * A payment's attempts: one provider after the other, each only after the one before has failed definitely and in a way
 * that another may mend. They belong to the request that asked for the payment, or to the payer who came back: after a
 * crash, recovery learns what became of the attempt under way and begins no other, since the payer may have gone.
 */

/** Attempts of one payment at most; card schemes watch how often a card is tried. */
export const MAX_ATTEMPTS = 3;

/** What a choice of provider for a payment is made from. */
export const factsOf = (payment: Payment, attempts: Attempts): RoutingFacts => ({
  merchant: payment.merchant,
  amount: payment.amount,
  captureMethod: payment.captureMethod,
  card: payment.terms.card,
  cardCountry: attempts.cardCountry,
  payerCountry: attempts.payer.country,
  stored: payment.terms.stored,
  payerPresent: payment.terms.stored?.initiator !== "merchant",
  canRedirect: attempts.returnUrl !== null,
});

/** The operation that asks a provider to authorize the payment, with exactly what is sent. */
export function newAttempt(
  deps: PaymentDeps,
  attempts: Attempts,
  payment: Payment,
  choice: Choice,
  attempt: number,
  at: Date,
): Operation {
  const { key, cvcAvailable, promisedTo, payer, returnUrl, exemption } = attempts;
  const { merchant } = payment;
  const { provider } = choice;
  const parts = { merchant, key, operation: "authorize", attempt, step: provider };
  const reference = providerReference(deps.referenceSecret, parts);
  const connector = deps.providers.get(provider);
  const request = connector.authorize(payment, {
    reference,
    cvcAvailable,
    authentication: connector.capabilities.externalAuthentication ? payment.authentication : null,
    exemption,
    stored: payment.terms.stored,
    returnUrl,
    webhookUrl: deps.webhookBase === null ? null : `${deps.webhookBase}/${provider}/${reference}`,
    payer,
  });
  return {
    id: newId("op", homeOf(merchant), at),
    payment: payment.id,
    kind: "authorize",
    state: "claimed",
    amount: payment.amount.minor,
    final: false,
    attempt,
    provider,
    reference,
    request: { ...request, promisedTo },
    accepted: false,
    providerOperation: null,
    pendingTransfer: null,
    routing: choice.reason,
    details: null,
    failure: null,
    claimedAt: at,
    resolvedAt: null,
    lastSentAt: at,
  };
}

/** What an issuer's answer may say without being the issuer's decision. */
const UNDECIDED: ReadonlySet<DeclineCode> = new Set(["processing_error", "issuer_unavailable"]);

/** An issuer's no is the same wherever it is asked, whatever its words: only where it decided nothing, another way may help. */
const mayBeMendedElsewhere = ({
  kind,
  decline: { code },
}: Extract<DefiniteAnswer, { decline: Decline }>): boolean =>
  DECLINE_CODES[code].elsewhere && (kind === "failed" || UNDECIDED.has(code));

/** The attempt that follows, and what the attempts after it need. */
export type Following = NextAttempt & { readonly attempts: Attempts };

/**
 * What follows `answer`, or null: it was no definite failure, not one that another provider or the payer may mend, or nobody
 * is left. An issuer that wants the payer to authenticate is answered by that, once.
 */
export async function following(
  deps: PaymentDeps,
  attempts: Attempts,
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
): Promise<Following | null> {
  if (operation.kind !== "authorize" || (answer.kind !== "declined" && answer.kind !== "failed")) return null;
  const steppedUp = await stepUp(deps, attempts, payment, operation, answer.decline);
  if (steppedUp !== null) return steppedUp;
  if (!mayBeMendedElsewhere(answer)) return null;
  const tried = [...attempts.tried, operation.provider];
  if (tried.length >= MAX_ATTEMPTS) return null;
  const choice = deps.router.choose(factsOf(payment, attempts), tried);
  if (choice.provider === null) return null;
  const at = deps.clock.now();
  const reason: RoutingReason = { ...choice.reason, because: "cascade" };
  const next = newAttempt(deps, attempts, payment, { ...choice, reason }, payment.attempt + 1, at);
  const { externalAuthentication } = deps.providers.get(choice.provider).capabilities;
  return {
    operation: next,
    resolveAfter: recoverAfter(deps, at),
    takesProof: externalAuthentication,
    attempts: { ...attempts, tried },
  };
}
