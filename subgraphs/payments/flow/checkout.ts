import { createHmac, timingSafeEqual } from "node:crypto";
import {
  type CheckoutSessionId,
  homeOf,
  idFromUuid,
  type MerchantId,
  newId,
  parseId,
} from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import { attemptKey, type CheckoutSession, MAX_ATTEMPTS } from "../domain/checkout-session.ts";
import { openSession } from "../domain/claims.ts";
import type { ConfirmCheckoutCommand, OpenCheckoutCommand } from "../domain/commands.ts";
import { fingerprint } from "../domain/idempotency.ts";
import { issue } from "../domain/input-issue.ts";
import type { Payment } from "../domain/payment.ts";
import { authorize } from "./authorize.ts";
import type { PaymentDeps } from "./deps.ts";
import type { Outcome, Refusal } from "./outcome.ts";
import { priorOutcome } from "./prior.ts";
import { resume } from "./resume.ts";

/**
 * A checkout session: the merchant's server opens it and thereby fixes the amount; the browser, which knows only
 * the client secret, confirms it with a card token. The idempotency key of a confirmation is the session and the
 * attempt, so whatever a browser sends twice, even with another token, is one charge.
 */
const LIFETIME_MS = 24 * 3_600_000;

/** The client secret is derived, so that it can be answered again to a repeated request, and never stored. */
export function clientSecretOf(
  deps: Pick<PaymentDeps, "checkoutSecret">,
  session: CheckoutSessionId,
): string {
  return `${session}_secret_${createHmac("sha256", deps.checkoutSecret).update(session).digest("base64url")}`;
}

/** The session that a client secret opens, or null. */
export function sessionOfSecret(
  deps: Pick<PaymentDeps, "checkoutSecret">,
  secret: string,
): CheckoutSessionId | null {
  const [text = "", given] = secret.split("_secret_");
  const id = parseId("cs", text);
  if (!id.ok || given === undefined) return null;
  const expected = Buffer.from(clientSecretOf(deps, id.value));
  const actual = Buffer.from(secret);
  return expected.length === actual.length && timingSafeEqual(expected, actual) ? id.value : null;
}

export type OpenOutcome = { readonly kind: "opened"; readonly session: CheckoutSession } | Refusal;

export async function openCheckout(deps: PaymentDeps, command: OpenCheckoutCommand): Promise<OpenOutcome> {
  const { merchant, key, amount, captureMethod, description, reference, returnUrl } = command;
  const refusals = deps.providers.all.map((connector) => connector.refusesAmount(amount));
  const [refused = null] = refusals;
  if (refused !== null && !refusals.includes(null)) {
    return {
      kind: "invalid",
      issues: [issue(["amount"], "AMOUNT_NOT_ACCEPTED", `The provider refuses it: ${refused}.`)],
    };
  }
  const at = deps.clock.now();
  const session: CheckoutSession = {
    id: newId("cs", homeOf(merchant), at),
    merchant,
    status: "open",
    attempt: 0,
    amount,
    captureMethod,
    description,
    reference,
    returnUrl,
    payment: null,
    createdAt: at,
    expiresAt: new Date(at.getTime() + LIFETIME_MS),
  };
  const digest = fingerprint("checkout_session", {
    amount: amount.minor,
    currency: amount.currency,
    captureMethod,
    description,
    reference,
    returnUrl,
  });
  const result = await deps.commit(openSession(session, { key, fingerprint: digest }, at));
  if (result.outcome === "applied" || result.outcome === "replayed") return { kind: "opened", session };
  if (result.outcome === "overloaded") return { kind: "overloaded" };
  invariant(result.outcome === "key_taken", "opening a session can only meet a taken key");
  if (result.claim.kind !== "checkout_session" || result.claim.fingerprint !== digest)
    return { kind: "key_reused" };
  const stored = await deps.reads.session(merchant, idFromUuid("cs", result.claim.subject));
  invariant(stored !== null, "a claim's session exists");
  return { kind: "opened", session: stored };
}

/** How a session looks from outside; `processing` and `expired` are derived. */
export type SessionStatus = "open" | "requires_action" | "processing" | "complete" | "expired";

export type SessionView = {
  readonly session: CheckoutSession;
  readonly status: SessionStatus;
  /** The latest attempt's payment. */
  readonly payment: Payment | null;
};

export async function viewSession(
  deps: PaymentDeps,
  merchant: MerchantId,
  id: CheckoutSessionId,
): Promise<SessionView | null> {
  const session = await deps.reads.session(merchant, id);
  if (session === null) return null;
  const payment = session.payment === null ? null : await deps.reads.payment(merchant, session.payment);
  return { session, status: statusOf(session, payment, deps.clock.now()), payment };
}

function statusOf(session: CheckoutSession, payment: Payment | null, at: Date): SessionStatus {
  if (session.status === "complete") return "complete";
  if (payment?.phase === "processing" || payment?.phase === "requires_action") return payment.phase;
  return session.expiresAt <= at ? "expired" : "open";
}

export type ConfirmOutcome =
  | { readonly kind: "paid"; readonly view: SessionView }
  | {
      readonly kind: "ended";
      readonly outcome: Extract<Outcome, { kind: "declined" | "failed" }>;
      readonly view: SessionView;
    }
  | { readonly kind: "pending"; readonly view: SessionView }
  /** The payer has to do something first: `view.payment.action`. */
  | { readonly kind: "requires_action"; readonly view: SessionView }
  | { readonly kind: "expired"; readonly view: SessionView }
  | { readonly kind: "not_found" }
  | Extract<Refusal, { kind: "invalid" | "overloaded" | "unavailable" }>;

const RACES = 5;

/**
 * Confirms the attempt that the payer saw. A completed session answers that it is paid, an attempt that has
 * ended answers how, and only the current attempt of an open session charges.
 */
export async function confirmCheckout(
  deps: PaymentDeps,
  command: ConfirmCheckoutCommand,
): Promise<ConfirmOutcome> {
  for (let race = 1; race <= RACES; race++) {
    const view = await freshView(deps, command);
    if (view === null) return { kind: "not_found" };
    const settled = withoutCharging(command, view);
    if (settled !== null) return settled;
    if (command.token === null) return comeBack(deps, command, view.session);
    const outcome = await charge(deps, command, view.session);
    if (outcome.kind === "session_moved") continue;
    return afterCharge(deps, command, outcome);
  }
  throw new Error(`checkout ${command.session} could not be confirmed: it keeps moving`);
}

/**
 * The session as it stands. A payer who confirms again an attempt that waited for them has come back from where they were
 * sent: the provider is asked at once what became of it.
 */
async function freshView(deps: PaymentDeps, command: ConfirmCheckoutCommand): Promise<SessionView | null> {
  const { merchant, session, attempt } = command;
  const view = await viewSession(deps, merchant, session);
  if (view?.status !== "requires_action" || view.session.attempt !== attempt || view.payment === null)
    return view;
  await resume(deps, view.payment);
  return viewSession(deps, merchant, session);
}

function withoutCharging(command: ConfirmCheckoutCommand, view: SessionView): ConfirmOutcome | null {
  const { session, status, payment } = view;
  if (status === "complete") return { kind: "paid", view };
  if (command.attempt > session.attempt || command.attempt < 0) {
    const message = `The session is at attempt ${session.attempt}: read it again and send that number.`;
    return { kind: "invalid", issues: [issue(["attempt"], "INVALID_ATTEMPT", message)] };
  }
  if (command.attempt < session.attempt) {
    // A late repetition of an attempt that was declined. It must not become a new attempt.
    if (payment?.decline) return { kind: "ended", outcome: endedBy(payment), view };
    const live = status === "processing" || status === "requires_action";
    return live ? { kind: "pending", view } : { kind: "not_found" };
  }
  if (status === "requires_action") return { kind: "requires_action", view };
  if (session.attempt >= MAX_ATTEMPTS || status === "expired") return { kind: "expired", view };
  if (command.token === null && status !== "processing") {
    const message = "No attempt waits for the payer: send the token of a card.";
    return { kind: "invalid", issues: [issue(["token"], "REQUIRED", message)] };
  }
  return null;
}

/** The payer is back, and the attempt goes on already, such as since the issuer's results came: its outcome, waited for a little. */
async function comeBack(
  deps: PaymentDeps,
  command: ConfirmCheckoutCommand,
  session: CheckoutSession,
): Promise<ConfirmOutcome> {
  const { merchant, attempt } = command;
  const claim = await deps.reads.claim(merchant, attemptKey(session, attempt));
  invariant(claim !== null, "an attempt that is processing has its claim");
  const asked = attemptClaim(session, attempt);
  return afterCharge(deps, command, await priorOutcome(deps, merchant, claim, asked));
}

/** The token is not in it: a double click tokenizes twice and must still be one charge. */
const attemptClaim = (session: CheckoutSession, attempt: number) => ({
  kind: "authorize" as const,
  fingerprint: fingerprint("confirm_checkout", { session: session.id, attempt }),
});

function endedBy(payment: Payment): Extract<Outcome, { kind: "declined" | "failed" }> {
  invariant(payment.decline !== null, "a payment that ended without money says why");
  const kind = payment.phase === "failed" ? "failed" : "declined";
  return { kind, payment, decline: payment.decline } as Extract<Outcome, { kind: "declined" | "failed" }>;
}

function charge(deps: PaymentDeps, command: ConfirmCheckoutCommand, session: CheckoutSession) {
  const { amount, captureMethod, description, reference, attempt, returnUrl } = session;
  invariant(command.token !== null, "a new attempt has its card");
  return authorize(deps, {
    command: {
      merchant: command.merchant,
      key: attemptKey(session, attempt),
      amount,
      source: { type: "token", token: command.token, customer: null, store: null },
      captureMethod,
      description,
      reference,
      payer: command.payer,
      returnUrl,
      browser: command.browser,
    },
    fingerprint: attemptClaim(session, attempt).fingerprint,
    session,
  });
}

async function afterCharge(
  deps: PaymentDeps,
  command: ConfirmCheckoutCommand,
  outcome: Outcome,
): Promise<ConfirmOutcome> {
  if (outcome.kind === "invalid" || outcome.kind === "overloaded" || outcome.kind === "unavailable")
    return outcome;
  const view = await viewSession(deps, command.merchant, command.session);
  invariant(view !== null, "a confirmed session exists");
  switch (outcome.kind) {
    case "succeeded":
      return { kind: "paid", view };
    case "declined":
    case "failed":
      return { kind: "ended", outcome, view };
    case "pending":
    case "requires_action":
      return { kind: outcome.kind, view };
    default:
      throw new Error(`invariant broken: confirming a checkout answered ${outcome.kind}`);
  }
}
