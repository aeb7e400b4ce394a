import { homeOf, newId } from "../../kernel/ids.ts";
import { MAX_API_MINOR, moneyOf } from "../../kernel/money.ts";
import { invariant } from "../../kernel/result.ts";
import { timed } from "../../kernel/trace.ts";
import type { Connector } from "../connectors/connector.ts";
import { type Claimed, claimFollowUp, type FollowUp } from "../domain/claims.ts";
import type { FollowUpCommand } from "../domain/commands.ts";
import { fingerprint, providerReference } from "../domain/idempotency.ts";
import { issue } from "../domain/input-issue.ts";
import type { ProviderRequest } from "../domain/operation.ts";
import { capturable, type IllegalTransition, type Payment, refundable, stateOf } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import type { Outcome } from "./outcome.ts";
import { perform } from "./perform.ts";
import { priorOutcome } from "./prior.ts";
import { recoverAfter } from "./recover-after.ts";

/**
 * Increment, capture, void and refund. Phases: 1 read the payment and the key | 2 claim key, operation and amount (commit 1)
 * | 3 ask the provider and record (perform.ts).
 *
 * The claim holds only for the payment as it was read: if it moved meanwhile, it is read again. The amount is
 * reserved in commit 1, so two at once with different keys cannot both take the last cent.
 */
export type FollowUpKind = Exclude<FollowUp["kind"], "expire">;

export async function followUp(
  deps: PaymentDeps,
  kind: FollowUpKind,
  command: FollowUpCommand,
): Promise<Outcome> {
  // More to hold is something new.
  const name = kind === "increment" ? "authorization" : "follow_up";
  const asking = { class: name, merchant: command.merchant } as const;
  return (await deps.admission.admit(() => admitted(deps, kind, command), asking)) ?? { kind: "overloaded" };
}

const RACES = 50;

async function admitted(deps: PaymentDeps, kind: FollowUpKind, command: FollowUpCommand): Promise<Outcome> {
  const { merchant, key } = command;
  const asked = { kind, fingerprint: fingerprintOf(kind, command) };
  for (let race = 1; race <= RACES; race++) {
    const { payment, claim } = await timed("read", () =>
      deps.reads.paymentAndClaim(merchant, command.payment, key),
    );
    if (claim !== null) return priorOutcome(deps, merchant, claim, asked);
    if (payment === null) return { kind: "not_found" };
    const claimed = claimFor(deps, kind, command, payment, asked.fingerprint);
    if ("kind" in claimed) return claimed;

    deps.crash(`${kind}.before-commit-1`);
    const result = await timed("commit-1", () => deps.commit(claimed.commit));
    if (result.outcome === "applied" || result.outcome === "replayed") return perform(deps, claimed);
    if (result.outcome === "overloaded") return { kind: "overloaded" };
    if (result.outcome === "conflict" || result.outcome === "refused")
      throw new Error(`invariant broken: a claim was answered ${JSON.stringify(result)}`);
    // The payment moved, or the key was taken, since it was read: both show in the next read.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(race * 2, 50)));
  }
  throw new Error(`${kind} of ${command.payment} could not be claimed: the payment keeps moving`);
}

function fingerprintOf(kind: FollowUpKind, { payment, amount, final, over }: FollowUpCommand): string {
  return fingerprint(kind, {
    payment,
    amount: amount?.minor ?? null,
    currency: amount?.currency ?? null,
    final,
    ...(over === true ? { over } : {}),
  });
}

function claimFor(
  deps: PaymentDeps,
  kind: FollowUpKind,
  command: FollowUpCommand,
  payment: Payment,
  argumentsFingerprint: string,
): Claimed | Outcome {
  if (command.amount !== null && command.amount.currency !== payment.amount.currency) {
    const message = `The payment is in ${payment.amount.currency}: give the amount in that currency.`;
    return { kind: "invalid", issues: [issue(["amount", "currency"], "CURRENCY_MISMATCH", message)] };
  }
  const at = deps.clock.now();
  const details: FollowUp = {
    kind,
    amount: amountOf(kind, command, payment),
    final: kind === "capture" && command.final,
    over: kind === "capture" && command.over === true,
  };
  const reference = providerReference(deps.referenceSecret, {
    merchant: command.merchant,
    key: command.key,
    operation: kind,
    attempt: 0,
    step: payment.provider,
  });
  if (payment.providerPayment === null) {
    return {
      kind: "illegal_state",
      state: stateOf(payment),
      because: "there is nothing at the provider to work with",
    };
  }
  const connector = deps.providers.get(payment.provider);
  const unable = cannot(connector, details, payment);
  if (unable !== null) return unable;
  const refused = details.kind === "void" ? null : refusedAmount(connector, details, payment);
  if (refused !== null) return refused;
  const request = requestFor(connector, details, payment, reference);
  const claimed = claimFollowUp(
    payment,
    details,
    { key: command.key, fingerprint: argumentsFingerprint },
    { id: newId("op", homeOf(payment.merchant), at), reference, request },
    recoverAfter(deps, at),
    at,
  );
  return claimed.ok ? claimed.value : refusal(claimed.error);
}

function amountOf(kind: FollowUpKind, command: FollowUpCommand, payment: Payment): bigint {
  switch (kind) {
    case "capture":
      return command.amount?.minor ?? capturable(payment).minor;
    case "refund":
      return command.amount?.minor ?? refundable(payment).minor;
    case "void":
      return payment.authorized - payment.captured;
    case "increment":
      invariant(command.amount !== null, "an increment says by how much");
      return command.amount.minor;
  }
}

/** Why the provider cannot do this at all, for a payment like this; null if it can. */
function cannot(
  { capabilities }: Connector,
  { kind, amount, final }: FollowUp,
  payment: Payment,
): Outcome | null {
  const { card } = payment.terms;
  const because = (text: string): Outcome => ({
    kind: "illegal_state",
    state: stateOf(payment),
    because: text,
  });
  switch (kind) {
    case "increment":
      return capabilities.increment.includes(card.brand)
        ? null
        : because(`${payment.provider} does not raise authorizations of ${card.brand}`);
    case "capture":
      if (amount < payment.authorized && !capabilities.partialCapture)
        return because(`${payment.provider} captures whole authorizations only`);
      return final || capabilities.multipleCaptures
        ? null
        : because(`${payment.provider} captures once only`);
    case "refund":
      return amount < payment.captured && !capabilities.partialRefund
        ? because(`${payment.provider} refunds whole payments only`)
        : null;
    case "void":
    case "expire":
      return payment.captured > 0n && !capabilities.voidAfterPartialCapture
        ? because(`${payment.provider} cannot void what a partial capture leaves: it lapses by itself`)
        : null;
  }
}

function requestFor(
  connector: Connector,
  { kind, amount, final }: FollowUp,
  payment: Payment,
  reference: string,
): ProviderRequest {
  switch (kind) {
    case "increment":
      return connector.increment(payment, { amount, total: payment.authorized + amount, reference });
    case "capture":
      return connector.capture(payment, { amount, final, reference });
    case "void":
    case "expire":
      return connector.void(payment, { reference });
    case "refund":
      return connector.refund(payment, { amount, reference });
  }
}

function refusedAmount(connector: Connector, { kind, amount }: FollowUp, payment: Payment): Outcome | null {
  const { currency } = payment.amount;
  const total = kind === "increment" ? payment.authorized + amount : amount;
  // What the API cannot say is refused as such.
  const because =
    connector.refusesAmount(moneyOf(amount, currency)) ??
    (total > MAX_API_MINOR ? null : connector.refusesAmount(moneyOf(total, currency)));
  if (because === null) return null;
  return {
    kind: "invalid",
    issues: [issue(["amount"], "AMOUNT_NOT_ACCEPTED", `The provider refuses it: ${because}.`)],
  };
}

function refusal(error: IllegalTransition): Outcome {
  return error.code === "ILLEGAL_STATE"
    ? { kind: "illegal_state", state: error.state, because: error.because }
    : { kind: "exceeds", available: error.available };
}
