import { homeOf, newId, uuidOf } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import type { MerchantProfile } from "../../merchants/profile.ts";
import type { AuthenticateOptions, Directory } from "../connectors/three-ds/index.ts";
import { type Attempts, type AuthenticationUnderWay, encodeUnderWay } from "../domain/attempts.ts";
import type { Operation } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { type Circumstances, type MerchantSetting, type Plan, plan } from "../domain/three-ds/policy.ts";
import type { ChallengeWish, Requestor } from "../domain/three-ds/request.ts";
import type { PaymentDeps } from "./deps.ts";

/** What 3-D Secure needs from outside: the card schemes' directories, and who we are there. */
export type ThreeDs = {
  readonly directory: Directory;
  /** For whom we ask, as the acquirer enrolled the merchant with the schemes. */
  readonly requestor: (merchant: MerchantProfile) => Requestor;
  /** Where an issuer's page sends the browser back to. */
  readonly notificationUrl: string;
  readonly setting: MerchantSetting;
  /** With which directories sign their results; the current and former ones. */
  readonly secrets: readonly string[];
};

/** What the decision whether, and how, to authenticate is made from. */
export async function circumstancesOf(
  deps: PaymentDeps,
  payment: Payment,
  attempts: Attempts,
  provider: string,
): Promise<Circumstances> {
  const profile = await deps.merchants.profile(payment.merchant);
  invariant(profile !== null, "a payment's merchant exists");
  invariant(deps.threeDs !== null, "3-D Secure is set up");
  const { directory, setting } = deps.threeDs;
  const { capabilities } = deps.providers.get(provider);
  const { terms, amount } = payment;
  return {
    // Without a browser there is nobody whom we could show an issuer's page.
    scheme: attempts.browser === null ? null : directory.serves(terms.card.brand),
    issuerCountry: attempts.cardCountry,
    merchantCountry: profile.country,
    channel: "ecommerce",
    stored: terms.stored,
    sameAmount: await hasAgreedAmount(deps, payment),
    euroCents: amount.currency === "EUR" ? amount.minor : null,
    wish: null,
    risk: attempts.risk,
    merchant: setting,
    provider: {
      externalAuthentication: capabilities.externalAuthentication,
      ownAuthentication: capabilities.ownAuthentication && attempts.returnUrl !== null,
    },
  };
}

/** Whether a later payment of a series, with the payer there, is of the amount that the series began with (RTS, article 14). */
async function hasAgreedAmount(
  { reads }: PaymentDeps,
  { merchant, terms, amount }: Payment,
): Promise<boolean> {
  const { stored, paymentMethod } = terms;
  if (stored?.reason !== "recurring" || stored.first || stored.initiator === "merchant") return false;
  const method = paymentMethod === null ? null : await reads.method(merchant, paymentMethod);
  const agreed = method?.mandate.amount;
  return agreed?.currency === amount.currency && agreed.minor === amount.minor.toString();
}

/** Whether a new payment is authenticated first. Without directories, what a provider does by itself is all there is. */
export async function planFor(
  deps: PaymentDeps,
  payment: Payment,
  attempts: Attempts,
  provider: string,
): Promise<{ readonly plan: Plan; readonly circumstances: Circumstances } | null> {
  if (deps.threeDs === null) return null;
  const circumstances = await circumstancesOf(deps, payment, attempts, provider);
  return { plan: plan(circumstances), circumstances };
}

/**
 * The operation that asks a card's directory to authenticate the payer. Its id, as a UUID, is the transaction that all messages
 * carry, and is the reference by which the results find it.
 */
export async function newAuthentication(
  deps: PaymentDeps,
  { directory, requestor, notificationUrl }: ThreeDs,
  payment: Payment,
  underWay: Omit<AuthenticationUnderWay, "session">,
  challenge: ChallengeWish,
  attempt: number,
  at: Date,
): Promise<Operation> {
  const { merchant } = payment;
  const { attempts, exemption } = underWay;
  const profile = await deps.merchants.profile(merchant);
  invariant(
    profile !== null && attempts.browser !== null,
    "who is authenticated has a merchant and a browser",
  );
  const id = newId("op", homeOf(merchant), at);
  const serverTransaction = uuidOf(id);
  const options: AuthenticateOptions = {
    serverTransaction,
    at,
    requestor: requestor(profile),
    device: { channel: "browser", browser: attempts.browser, notificationUrl, method: "unavailable" },
    challenge,
    exemption,
    email: attempts.payer.email,
  };
  const session = directory.start(payment, options);
  const request = {
    ...directory.authenticate(payment, options),
    promisedTo: attempts.promisedTo,
    underWay: encodeUnderWay({ ...underWay, session }),
  };
  return {
    id,
    payment: payment.id,
    kind: "authenticate",
    state: "claimed",
    amount: payment.amount.minor,
    final: false,
    attempt,
    provider: directory.name,
    reference: serverTransaction,
    request,
    accepted: false,
    providerOperation: null,
    pendingTransfer: null,
    routing: underWay.routing,
    details: null,
    failure: null,
    claimedAt: at,
    resolvedAt: null,
    lastSentAt: at,
  };
}
