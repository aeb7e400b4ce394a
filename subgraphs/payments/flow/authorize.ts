import { homeOf, newId } from "../../kernel/ids.ts";
import { zero } from "../../kernel/money.ts";
import { timed } from "../../kernel/trace.ts";
import { type Assessment, assessmentRow } from "../../risk/assess.ts";
import type { CheckoutSession } from "../domain/checkout-session.ts";
import { type Claimed, claimAuthorization, claimBlocked, type KeyClaim } from "../domain/claims.ts";
import type { AuthorizeCommand } from "../domain/commands.ts";
import { declineOf } from "../domain/decline.ts";
import { providerReference } from "../domain/idempotency.ts";
import { issue } from "../domain/input-issue.ts";
import type { Operation } from "../domain/operation.ts";
import { apply, type Payment } from "../domain/payment.ts";
import type { DescribedCard } from "../vault/client.ts";
import type { PaymentDeps } from "./deps.ts";
import type { Outcome } from "./outcome.ts";
import { perform, recoverAfter } from "./perform.ts";
import { priorOutcome } from "./prior.ts";

/**
 * Phases: 1 describe the card (vault) | 2 assess the risk | 3 claim key, operation and amount with the decision
 * (commit 1) | 4 ask the provider and record (perform.ts).
 *
 * A crash before 3 leaves nothing. From 3 on the operation has no result, which *is* unknown: recover.ts asks.
 * Risk is assessed before the claim so that the claim carries the decision: a claimed operation may be sent, by
 * whoever recovers it, without asking again whether it should be (docs/decisions/0003).
 */
export type AuthorizeRequest = {
  readonly command: AuthorizeCommand;
  /** SHA-256 of what the caller asked for. */
  readonly fingerprint: string;
  /** The checkout session whose current attempt this is. */
  readonly session: CheckoutSession | null;
};

/** `session_moved`: the checkout session is no longer where it was read; nothing was claimed. */
export async function authorize(
  deps: PaymentDeps,
  request: AuthorizeRequest,
): Promise<Outcome | { readonly kind: "session_moved" }> {
  return (await deps.admission.admit(() => admitted(deps, request))) ?? { kind: "overloaded" };
}

async function admitted(
  deps: PaymentDeps,
  { command, fingerprint, session }: AuthorizeRequest,
): Promise<Outcome | { readonly kind: "session_moved" }> {
  const { merchant, amount, token, key } = command;
  const claim: KeyClaim = { key, fingerprint };
  const asked = { kind: "authorize", fingerprint } as const;

  const refused = deps.connector.refusesAmount(amount);
  if (refused !== null) {
    return {
      kind: "invalid",
      issues: [issue(["amount"], "AMOUNT_NOT_ACCEPTED", `The provider refuses it: ${refused}.`)],
    };
  }
  const reference = referenceFor(deps, command);
  const described = await timed("describe-card", () => deps.vault.describe(merchant, token, reference));
  const unusable = described.ok ? expired(described.value, deps.clock.now()) : unknownToken;
  if (unusable !== null || !described.ok) {
    // The card may have been removed since the first request: its repetition still gets the first answer.
    const prior = await deps.reads.claim(merchant, key);
    if (prior !== null) return priorOutcome(deps, merchant, prior, asked);
    return { kind: "invalid", issues: [unusable ?? unknownToken] };
  }

  const { card, cvcAvailable } = described.value;
  const facts = { merchant, amount, card, payer: command.payer };
  const assessment = await timed("assess-risk", () => deps.assess(facts));
  const claimed = claimFor(deps, command, claim, { assessment, session, reference, card, cvcAvailable });

  deps.crash("authorize.before-commit-1");
  const result = await timed("commit-1", () => deps.commit(claimed.commit));
  switch (result.outcome) {
    case "applied":
    case "replayed":
      if (claimed.operation.state === "declined") {
        const decline = claimed.operation.failure ?? declineOf("blocked_by_risk");
        return { kind: "declined", payment: claimed.payment, operation: claimed.operation, decline };
      }
      return perform(deps, claimed);
    case "key_taken": {
      const stored = await deps.reads.claim(merchant, key);
      if (stored === null) throw new Error("invariant broken: a taken key is stored");
      return priorOutcome(deps, merchant, stored, asked);
    }
    case "guard_failed":
      return { kind: "session_moved" };
    case "overloaded":
      return { kind: "overloaded" };
    case "conflict":
    case "refused":
      throw new Error(`invariant broken: a claim was answered ${result.outcome}`);
  }
}

const unknownToken = issue(
  ["token"],
  "UNKNOWN_TOKEN",
  "There is no such card token. Tokenize the card again with a publishable key of this merchant.",
);

function expired({ card }: DescribedCard, at: Date) {
  const over = at.getUTCFullYear() * 12 + at.getUTCMonth() > card.expYear * 12 + card.expMonth - 1;
  return over
    ? issue(["token"], "EXPIRED_CARD", "The card has expired. Ask the payer for another card.")
    : null;
}

/** A new payment's only attempt so far; it would be raised after a definite failure, never after an unknown. */
const FIRST_ATTEMPT = 0;

const referenceFor = (deps: PaymentDeps, { merchant, key }: AuthorizeCommand): string =>
  providerReference(deps.referenceSecret, {
    merchant,
    key,
    operation: "authorize",
    attempt: FIRST_ATTEMPT,
    step: deps.connector.name,
  });

type Context = {
  readonly assessment: Assessment;
  readonly session: CheckoutSession | null;
  readonly reference: string;
} & DescribedCard;

function claimFor(deps: PaymentDeps, command: AuthorizeCommand, claim: KeyClaim, context: Context): Claimed {
  const at = deps.clock.now();
  const { assessment, session } = context;
  const payment = newPayment(deps, command, context, at);
  const operation = newOperation(deps, payment, context, at);
  const row = assessmentRow(assessment, payment.merchant, payment.id, at);
  if (assessment.decision === "block") {
    const decline = declineOf("blocked_by_risk");
    const declined = apply(payment, { type: "declined", decline, providerPayment: null }, at);
    if (!declined.ok) throw new Error("invariant broken: a new payment can be declined");
    const blocked: Operation = { ...operation, state: "declined", failure: decline, resolvedAt: at };
    return claimBlocked(declined.value, blocked, claim, { assessment: row, session }, at);
  }
  const resolveAfter = recoverAfter(deps, at);
  return claimAuthorization(payment, operation, claim, { assessment: row, session, resolveAfter }, at);
}

function newPayment(deps: PaymentDeps, command: AuthorizeCommand, context: Context, at: Date): Payment {
  const nothing = zero(command.amount.currency).minor;
  return {
    id: newId("pay", homeOf(command.merchant), at),
    merchant: command.merchant,
    version: 1,
    phase: "processing",
    amount: command.amount,
    // A payment under review is authorized only; the merchant captures it (or voids it) after looking.
    captureMethod: context.assessment.decision === "review" ? "manual" : command.captureMethod,
    authorized: nothing,
    captured: nothing,
    capturing: nothing,
    refunded: nothing,
    refunding: nothing,
    fee: nothing,
    finalized: false,
    closing: false,
    authorizationTransfer: null,
    authorizationExpiresAt: null,
    provider: deps.connector.name,
    providerPayment: null,
    card: context.card,
    checkoutSession: context.session?.id ?? null,
    description: command.description,
    reference: command.reference,
    decline: null,
    createdAt: at,
    updatedAt: at,
  };
}

function newOperation(deps: PaymentDeps, payment: Payment, context: Context, at: Date): Operation {
  const { reference, cvcAvailable } = context;
  return {
    id: newId("op", homeOf(payment.merchant), at),
    payment: payment.id,
    kind: "authorize",
    state: "claimed",
    amount: payment.amount.minor,
    final: false,
    attempt: FIRST_ATTEMPT,
    reference,
    request: deps.connector.authorize(payment, { reference, cvcAvailable }),
    pendingTransfer: null,
    failure: null,
    claimedAt: at,
    resolvedAt: null,
    lastSentAt: at,
  };
}
