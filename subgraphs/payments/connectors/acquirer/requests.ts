import { createHash } from "node:crypto";
import { invariant } from "../../../kernel/result.ts";
import type { Authentication, Exemption } from "../../domain/authentication.ts";
import type { Operation, ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { StoredCredential } from "../../domain/stored-credential.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { CURRENCY_NUMBERS } from "./currency-numbers.ts";

/**
 * Messages to the acquirer: ISO 8583 as docs/acquirer-api.md writes it in JSON. Card data is a placeholder that only the vault
 * can fill; everything is named by our reference, which is how a message is found again, repeated and reversed.
 */

/** Who we are at the acquirer. */
export type AcquirerProfile = {
  /** Card acceptor, at most 15 characters, and its terminal, at most 8. */
  readonly merchant: string;
  readonly terminal: string;
  /** ISO 18245, four digits. */
  readonly merchantCategory: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
};

export type RequestContext = { readonly profile: AcquirerProfile; readonly now: () => Date };

const post = (message: object, token: string | null = null): ProviderRequest => ({
  method: "POST",
  path: "/v1/messages",
  body: JSON.stringify(message),
  token,
});

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** Field 7, MMDDhhmmss in UTC. */
function transmissionTime(at: Date): string {
  const parts = [
    at.getUTCMonth() + 1,
    at.getUTCDate(),
    at.getUTCHours(),
    at.getUTCMinutes(),
    at.getUTCSeconds(),
  ];
  return parts.map(twoDigits).join("");
}

/** Field 11: six digits that follow from the reference, so that people can find them on both sides. */
function traceNumber(reference: string): string {
  const number = createHash("sha256").update(reference).digest().readUInt32BE(0) % 1_000_000;
  return String(number).padStart(6, "0");
}

const heading = ({ profile }: RequestContext, reference: string, at: Date) => ({
  reference,
  transmissionTime: transmissionTime(at),
  traceNumber: traceNumber(reference),
  terminal: profile.terminal,
  merchant: profile.merchant,
});

/** Field 4, twelve digits. */
const amountField = (minor: bigint): string => minor.toString().padStart(12, "0");

const EXEMPTIONS: Readonly<Record<Exemption, string>> = {
  low_value: "LV",
  transaction_risk_analysis: "TR",
  trusted_beneficiary: "TB",
  recurring: "RP",
  corporate: "SC",
};

const REASONS: Readonly<Record<StoredCredential["reason"], string>> = {
  on_demand: "O",
  recurring: "R",
  installment: "I",
  unscheduled: "U",
};

const storedCredential = ({ initiator, reason, first, networkTransactionId }: StoredCredential) => ({
  initiator: initiator === "merchant" ? "M" : "C",
  reason: REASONS[reason],
  first,
  ...(networkTransactionId === null ? {} : { networkTransactionId }),
});

/** Null where the authentication came to nothing that a scheme has an indicator for. */
function threeDSecure({ version, eci, cavv, dsTransaction }: Authentication): object | null {
  if (eci === null) return null;
  return {
    version,
    ecommerceIndicator: eci,
    ...(cavv === null ? {} : { cavv }),
    ...(dsTransaction === null ? {} : { dsTransaction }),
  };
}

/** E-commerce without authentication, as the scheme has it. */
const plainIndicator = (brand: string): string => (brand === "mastercard" ? "00" : "07");

/** 0100 for an authorization, 0200 where the money is taken at once. */
export function authorize(
  context: RequestContext,
  payment: Payment,
  options: AuthorizeOptions,
): ProviderRequest {
  const { stored, authentication, exemption, reference, cvcAvailable } = options;
  const { card } = payment.terms;
  const onFile = stored !== null && !stored.first;
  const authenticated = authentication === null ? null : threeDSecure(authentication);
  const message = {
    mti: payment.captureMethod === "manual" ? "0100" : "0200",
    processingCode: "000000",
    ...heading(context, reference, context.now()),
    card: {
      pan: "{{card.number}}",
      expiry: "{{card.exp_yymm}}",
      ...(cvcAvailable ? { cvc: "{{card.cvc}}" } : {}),
    },
    amount: amountField(payment.amount.minor),
    currency: CURRENCY_NUMBERS[payment.amount.currency],
    merchantType: context.profile.merchantCategory,
    acquirerCountry: context.profile.country,
    entryMode: onFile ? "10" : "81",
    ...(stored?.initiator === "merchant" ? {} : { ecommerceIndicator: plainIndicator(card.brand) }),
    ...(stored === null ? {} : { storedCredential: storedCredential(stored) }),
    ...(authenticated === null ? {} : { threeDSecure: authenticated }),
    ...(exemption === null ? {} : { exemption: EXEMPTIONS[exemption] }),
    partialApproval: false,
  };
  return post(message, card.token);
}

function original(payment: Payment): { retrievalReference: string } {
  invariant(payment.providerPayment !== null, "an authorized payment has the acquirer's reference");
  return { retrievalReference: payment.providerPayment };
}

type FollowUp = { readonly amount: bigint; readonly reference: string };

const followUp = (context: RequestContext, payment: Payment, { amount, reference }: FollowUp) => ({
  processingCode: "000000",
  ...heading(context, reference, context.now()),
  amount: amountField(amount),
  currency: CURRENCY_NUMBERS[payment.amount.currency],
  original: original(payment),
});

/** 0100 with the original: raises it by the amount. */
export const increment = (context: RequestContext, payment: Payment, options: FollowUp): ProviderRequest =>
  post({ mti: "0100", ...followUp(context, payment, options) });

/** 0220: takes a part; the acquirer numbers the parts. */
export function capture(
  context: RequestContext,
  payment: Payment,
  options: FollowUp & { readonly final: boolean },
): ProviderRequest {
  const completion = options.final ? "final" : "partial";
  return post({ mti: "0220", ...followUp(context, payment, options), completion });
}

/** 0200 with processing code 20. */
export const refund = (context: RequestContext, payment: Payment, options: FollowUp): ProviderRequest =>
  post({ mti: "0200", ...followUp(context, payment, options), processingCode: "200000" });

/** 0420: gives back what the authorization still holds. */
export const release = (context: RequestContext, payment: Payment, reference: string): ProviderRequest =>
  post({ mti: "0420", ...heading(context, reference, context.now()), original: original(payment) });

/** The reversal's own reference: the same whenever it is made, so that repeats are known as such. */
export const reversalReference = (reference: string): string => `${reference}.r`;

/** 0400: undoes an authorization or sale by our reference, whether it arrived or not. Identical whenever it is made. */
export function reverse(context: RequestContext, operation: Operation): ProviderRequest {
  const { reference, claimedAt } = operation;
  const own = heading(context, reversalReference(reference), claimedAt);
  return post({ mti: "0400", ...own, original: { reference } });
}

export const lookup = ({ reference }: Operation): ProviderRequest => ({
  method: "GET",
  path: `/v1/messages/${encodeURIComponent(reference)}`,
  body: null,
  token: null,
});
