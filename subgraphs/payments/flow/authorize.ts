import { homeOf, newId, type PaymentId } from "../../kernel/ids.ts";
import { zero } from "../../kernel/money.ts";
import { timed } from "../../kernel/trace.ts";
import type { NotDuplicate } from "../../ledger/commit.ts";
import { type Assessment, assessmentRow } from "../../risk/assess.ts";
import type { Attempts } from "../domain/attempts.ts";
import type { CheckoutSession } from "../domain/checkout-session.ts";
import { type Claimed, claimPayment, claimRefused, type KeyClaim } from "../domain/claims.ts";
import type { AuthorizeCommand } from "../domain/commands.ts";
import { type Decline, declineOf } from "../domain/decline.ts";
import { cardUseOf, lowestUuid, type Paid, paidBy, type Suspicion } from "../domain/duplicates.ts";
import { providerReference } from "../domain/idempotency.ts";
import { type InputIssue, issue } from "../domain/input-issue.ts";
import type { Operation } from "../domain/operation.ts";
import { apply, type Payment, type Terms } from "../domain/payment.ts";
import { passes } from "../domain/routing/reason.ts";
import { decidedBy } from "../domain/three-ds/policy.ts";
import type { Choice, NoChoice, RoutingFacts } from "../routing/router.ts";
import { newAttempt } from "./attempt.ts";
import { type CardInUse, cardInUse } from "./card.ts";
import type { PaymentDeps } from "./deps.ts";
import type { Outcome } from "./outcome.ts";
import { perform } from "./perform.ts";
import { priorOutcome } from "./prior.ts";
import { recoverAfter } from "./recover-after.ts";
import { newAuthentication, planFor } from "./three-ds.ts";

/**
 * Phases: 1 find the card (vault, or stored) | 2 assess the risk | 3 choose a provider, and whether the payer has to
 * authenticate | 4 claim key, operation and amount with these decisions (commit 1) | 5 ask the directory or the provider and
 * record, and after a definite failure the next provider (perform.ts).
 *
 * A crash before 4 leaves nothing. From 4 on the operation has no result, which *is* unknown: recover.ts asks.
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
export type AuthorizeOutcome = Outcome | { readonly kind: "session_moved" };

export async function authorize(deps: PaymentDeps, request: AuthorizeRequest): Promise<AuthorizeOutcome> {
  const asking = { class: "authorization", merchant: request.command.merchant } as const;
  return (await deps.admission.admit(() => admitted(deps, request), asking)) ?? { kind: "overloaded" };
}

async function admitted(deps: PaymentDeps, request: AuthorizeRequest): Promise<AuthorizeOutcome> {
  const { command, fingerprint } = request;
  const { merchant, key } = command;
  const asked = { kind: "authorize", fingerprint } as const;
  const promisedTo = promiseFor(deps, command);

  const used = await timed("describe-card", () => cardInUse(deps, command, promisedTo));
  if (!used.ok) return firstAnswer(deps, request, used.error);
  const card = used.value;

  const { amount, payer } = command;
  const paid: Paid = { merchant, amount, card: card.card, stored: card.stored };
  const suspicion = deps.duplicates === null ? null : await deps.duplicates.look(paid);
  const facts = {
    merchant,
    amount,
    card: card.card,
    payer,
    ...(suspicion === null ? {} : { duplicates: { count: suspicion.count, ...suspicion.policy } }),
  };
  const [assessment] = await timed("assess-risk", () =>
    Promise.all([deps.assess(facts), deps.router.ready(merchant)]),
  );
  const routing = routingFacts(command, card, assessment);
  const choice = deps.router.choose(routing, []);
  if (choice.provider === null && assessment.decision !== "block") {
    const prior = await deps.reads.claim(merchant, key);
    if (prior !== null) return priorOutcome(deps, merchant, prior, asked);
    if (passes(choice.reason)) return { kind: "unavailable" };
    return firstAnswer(deps, request, unroutable(deps, command, choice));
  }

  const attempts: Attempts = {
    key,
    payer,
    browser: command.browser,
    returnUrl: command.returnUrl,
    cardCountry: assessment.binCountry,
    promisedTo,
    cvcAvailable: card.cvcAvailable,
    tried: [],
    exemption: null,
    steppedUp: false,
    risk: "allow",
  };
  const claimed = await claimFor(deps, request, { card, assessment, choice, attempts, suspicion });
  deps.crash("authorize.before-commit-1");
  const result = await timed("commit-1", () => deps.commit(claimed.commit));
  switch (result.outcome) {
    case "applied":
    case "replayed":
      deps.duplicates?.claimed(claimed.payment);
      if (claimed.payment.decline !== null) {
        const { payment, operation } = claimed;
        return { kind: "declined", payment, operation, decline: claimed.payment.decline };
      }
      return perform(deps, claimed, attempts);
    case "key_taken": {
      const stored = await deps.reads.claim(merchant, key);
      if (stored === null) throw new Error("invariant broken: a taken key is stored");
      return priorOutcome(deps, merchant, stored, asked);
    }
    case "guard_failed":
      // Between reading it and claiming, the stored card was removed.
      if (result.guard === "payment_method") return firstAnswer(deps, request, REMOVED_METHOD);
      // Another of the same was claimed meanwhile: it is seen now, and this one is refused.
      if (result.guard === "not_duplicate") return admitted(deps, request);
      return { kind: "session_moved" };
    case "overloaded":
      return { kind: "overloaded" };
    case "conflict":
    case "refused":
      throw new Error(`invariant broken: a claim was answered ${result.outcome}`);
  }
}

const REMOVED_METHOD = issue(
  ["paymentMethod"],
  "UNKNOWN_PAYMENT_METHOD",
  "The stored card was removed. Ask the payer for a card.",
);

/** What was wrong is answered only to a first request: the card may have been removed since, and its repetition gets the first answer. */
async function firstAnswer(
  deps: PaymentDeps,
  { command: { merchant, key }, fingerprint }: AuthorizeRequest,
  wrong: InputIssue,
): Promise<Outcome> {
  const prior = await deps.reads.claim(merchant, key);
  if (prior !== null) return priorOutcome(deps, merchant, prior, { kind: "authorize", fingerprint });
  return { kind: "invalid", issues: [wrong] };
}

/** The reference to which the vault promises the security code: it does not change with the attempt. */
const promiseFor = (deps: PaymentDeps, { merchant, key }: AuthorizeCommand): string =>
  providerReference(deps.referenceSecret, {
    merchant,
    key,
    operation: "authorize",
    attempt: 0,
    step: "card",
  });

function routingFacts(command: AuthorizeCommand, used: CardInUse, assessment: Assessment): RoutingFacts {
  return {
    merchant: command.merchant,
    amount: command.amount,
    captureMethod: captureMethodOf(command, assessment),
    card: used.card,
    cardCountry: assessment.binCountry,
    payerCountry: command.payer.country,
    stored: used.stored,
    payerPresent: used.stored?.initiator !== "merchant",
    canRedirect: command.returnUrl !== null,
  };
}

/** A payment under review is authorized only; the merchant captures it (or voids it) after looking. */
const captureMethodOf = (command: AuthorizeCommand, { decision }: Assessment) =>
  decision === "review" ? "manual" : command.captureMethod;

function unroutable(deps: PaymentDeps, { amount }: AuthorizeCommand, { reason }: NoChoice): InputIssue {
  const refusals = deps.providers.all.map((connector) => connector.refusesAmount(amount));
  const because = refusals.find((refusal) => refusal !== null);
  if (because !== undefined && refusals.every((refusal) => refusal !== null))
    return issue(["amount"], "AMOUNT_NOT_ACCEPTED", `The provider refuses it: ${because}.`);
  const why = reason.candidates.map(({ provider, excluded }) => `${provider}: ${excluded ?? "?"}`).join(", ");
  return issue(
    ["amount", "currency"],
    "NO_PROVIDER",
    `No provider takes such a payment (${why}). Query \`capabilities\` for what is possible.`,
  );
}

type Context = {
  readonly card: CardInUse;
  readonly assessment: Assessment;
  readonly choice: Choice | NoChoice;
  readonly attempts: Attempts;
  /** Of being a duplicate; null if nobody looked. */
  readonly suspicion: Suspicion | null;
};

async function claimFor(
  deps: PaymentDeps,
  { command, fingerprint, session }: AuthorizeRequest,
  { card, assessment, choice, attempts, suspicion }: Context,
): Promise<Claimed> {
  const at = deps.clock.now();
  const claim: KeyClaim = { key: command.key, fingerprint };
  const payment = newPayment(
    command,
    { card, assessment, session, provider: choice.provider ?? "none", duplicateOf: suspicion?.of ?? null },
    at,
  );
  const row = assessmentRow(assessment, payment.merchant, payment.id, at);
  const refuse = (decline: Decline) =>
    claimRefused(
      refused(payment, decline, at),
      unsent(payment, decline, at),
      claim,
      { assessment: row, session },
      at,
    );
  if (assessment.decision === "block" || choice.provider === null)
    return refuse(declineOf(assessment.decline ?? "blocked_by_risk"));
  const first = await firstOperation(deps, payment, attempts, choice, at);
  if ("code" in first) return refuse(first);
  const context = {
    assessment: row,
    session,
    uses: card.uses,
    notDuplicate: suspicion === null ? null : guardOf(payment, suspicion, at),
    stores: card.stores,
    resolveAfter: recoverAfter(deps, at),
  };
  return claimPayment(payment, first, claim, context, at);
}

/** For a merchant who refuses duplicates: none may be there when the payment is claimed. */
function guardOf(payment: Payment, { policy }: Suspicion, at: Date): NotDuplicate | null {
  const what = policy.refuse ? cardUseOf(paidBy(payment)) : null;
  const since = lowestUuid(new Date(at.getTime() - policy.windowMs));
  return what === null ? null : { what, since, payment: payment.id };
}

/** The authorization, or the authentication before it; or why neither may be asked for. */
async function firstOperation(
  deps: PaymentDeps,
  payment: Payment,
  attempts: Attempts,
  choice: Choice,
  at: Date,
): Promise<Operation | Decline> {
  const planned = await planFor(deps, payment, attempts, choice.provider);
  if (planned === null || deps.threeDs === null) return newAttempt(deps, attempts, payment, choice, 0, at);
  const { plan, circumstances } = planned;
  if (plan.do === "decline") return plan.decline;
  const { exemption } = plan;
  const routing = { ...choice.reason, authentication: decidedBy(plan) };
  if (plan.do === "authenticate" && plan.by === "us") {
    const underWay = {
      circumstances,
      exemption,
      provider: choice.provider,
      routing,
      attempts,
    };
    return newAuthentication(deps, deps.threeDs, payment, underWay, plan.challenge, 0, at);
  }
  const chosen = { provider: choice.provider, reason: routing };
  return newAttempt(deps, { ...attempts, exemption }, payment, chosen, 0, at);
}

function refused(payment: Payment, decline: Decline, at: Date): Payment {
  const declined = apply(payment, { type: "declined", decline, providerPayment: null }, at);
  if (!declined.ok) throw new Error("invariant broken: a new payment can be declined");
  return declined.value;
}

/** The operation of a payment that was refused before anything was sent. */
function unsent(payment: Payment, failure: Decline, at: Date): Operation {
  const id = newId("op", homeOf(payment.merchant), at);
  return {
    id,
    payment: payment.id,
    kind: "authorize",
    state: "declined",
    amount: payment.amount.minor,
    final: false,
    attempt: 0,
    provider: payment.provider,
    reference: id,
    request: null,
    accepted: false,
    providerOperation: null,
    pendingTransfer: null,
    routing: null,
    details: null,
    failure,
    claimedAt: at,
    resolvedAt: at,
    lastSentAt: at,
  };
}

function newPayment(
  command: AuthorizeCommand,
  context: {
    readonly card: CardInUse;
    readonly assessment: Assessment;
    readonly session: CheckoutSession | null;
    readonly provider: string;
    readonly duplicateOf: PaymentId | null;
  },
  at: Date,
): Payment {
  const { card, assessment, session, provider, duplicateOf } = context;
  const nothing = zero(command.amount.currency).minor;
  const terms: Terms = {
    card: card.card,
    checkoutSession: session?.id ?? null,
    description: command.description,
    reference: command.reference,
    customer: card.customer,
    paymentMethod: (card.uses ?? card.stores)?.id ?? null,
    stored: card.stored,
    duplicateOf,
  };
  return {
    id: newId("pay", homeOf(command.merchant), at),
    merchant: command.merchant,
    version: 1,
    phase: "processing",
    amount: command.amount,
    captureMethod: captureMethodOf(command, assessment),
    authorized: nothing,
    overCapturable: nothing,
    incrementing: nothing,
    captured: nothing,
    capturing: nothing,
    refunded: nothing,
    refunding: nothing,
    fee: nothing,
    finalized: false,
    closing: false,
    inReview: assessment.decision === "review",
    holds: [],
    authorizationExpiresAt: null,
    attempt: 0,
    provider,
    providerPayment: null,
    action: null,
    authentication: null,
    decline: null,
    terms,
    createdAt: at,
    updatedAt: at,
  };
}
