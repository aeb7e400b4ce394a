import { declineOf } from "../domain/decline.ts";
import { asksForCvc, type Operation, type ProviderAnswer } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { believable } from "../domain/records.ts";
import type { PaymentDeps } from "./deps.ts";

/**
 * What the provider did, or `unknown` if that cannot be told yet. In this order, as far as the provider has it: 1 look it up
 * | 2 replay the identical request, while the provider still knows its key | 3 take it back (a reversal), which also keeps a
 * request that is still on its way from taking effect | 4 once no request of ours can land any more, and where the
 * provider's look-up is complete, it did not happen. "Not there" alone is never taken for "did not happen".
 */
export async function learn(
  deps: PaymentDeps,
  payment: Payment,
  operation: Operation,
): Promise<ProviderAnswer> {
  const { providers, transport, clock, queue } = deps;
  const connector = providers.get(operation.provider);
  const { resolver } = connector;
  const send = transport.sendFor(operation.provider, payment.merchant);
  const now = clock.now().getTime();

  if (operation.state === "requires_action" && hasWaited(operation, now))
    await callOff(deps, payment, operation);
  const lookup = connector.lookup(operation, payment);
  if (lookup !== null) {
    const seen = connector.found(operation, payment, await send(lookup, operation.reference));
    if (seen.kind !== "absent") return believable(seen, operation);
  }
  if (operation.accepted || operation.state === "requires_action")
    return { kind: "unknown", because: "the provider has it and has not told its outcome yet" };

  const { request, reference } = operation;
  const keyIsKnown = now - operation.claimedAt.getTime() < resolver.idempotencyWindowMs;
  if (request !== null && keyIsKnown && (await canBeSentAgain(deps, payment, operation))) {
    await queue.markSent({ merchant: payment.merchant, payment: payment.id, operation: operation.id });
    const response = await send(request, reference);
    return believable(connector.answer(operation, payment, response, false), operation);
  }
  if (resolver.reverse !== null && operation.kind === "authorize") {
    const reversal = await send(resolver.reverse(operation, payment), `${reference}:reverse`);
    const undone = connector.answer({ ...operation, kind: "void" }, payment, reversal, true);
    if (undone.kind === "done") return { kind: "failed", decline: declineOf("not_at_provider") };
    return { kind: "unknown", because: "it could not be taken back yet" };
  }
  if (
    lookup !== null &&
    resolver.absenceIsDefinite &&
    now - operation.lastSentAt.getTime() > resolver.maxRequestLifetimeMs
  ) {
    return { kind: "failed", decline: declineOf("not_at_provider") };
  }
  return { kind: "unknown", because: "the provider does not know it yet" };
}

/** How long an attempt may wait for the payer, in ms, before it is called off. */
const PAYER_HAS_MS = 60 * 60_000;

const hasWaited = ({ claimedAt }: Operation, now: number): boolean =>
  now - claimedAt.getTime() > PAYER_HAS_MS;

/** Calls off an attempt that waits for a payer who does not come. What became of it is then looked up as ever. */
async function callOff({ providers, transport }: PaymentDeps, payment: Payment, operation: Operation) {
  const reference = `${operation.reference}:cancel`;
  const request = providers.get(operation.provider).cancelAction(operation, payment, { reference });
  if (request === null) return;
  await transport.sendFor(operation.provider, payment.merchant)(request, reference);
}

/** A replay must be identical: with a card that is gone, or a security code that is forgotten, it cannot be. */
async function canBeSentAgain(deps: PaymentDeps, payment: Payment, operation: Operation): Promise<boolean> {
  const { request, reference } = operation;
  if (request === null) return false;
  if (request.token === null) return true;
  const described = await deps.vault.describe(
    payment.merchant,
    request.token,
    request.promisedTo ?? reference,
  );
  return described.ok && (described.value.cvcAvailable || !asksForCvc(request));
}
