import type { Currency } from "../../kernel/currency.ts";
import type { Money } from "../../kernel/money.ts";
import type { Result } from "../../kernel/result.ts";
import type { Authentication, Exemption } from "../domain/authentication.ts";
import type { Decline } from "../domain/decline.ts";
import type {
  NextAction,
  Operation,
  OperationKind,
  ProviderAnswer,
  ProviderRequest,
} from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import type { StoredCredential } from "../domain/stored-credential.ts";

/**
 * A provider's dialect: requests out, answers in. Connectors are stateless translators and never touch the
 * network; the transport sends what they build. `connectors/contract.ts` is the suite that every one of them passes.
 */
export interface Connector {
  /** Lower case, as it is stored with payments: never changed. */
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly resolver: Resolver;
  /** Why the provider cannot take this amount, in words for the merchant, or null. */
  refusesAmount(amount: Money): string | null;
  authorize(payment: Payment, options: AuthorizeOptions): ProviderRequest;
  /** Raises the authorization by `amount` to `total`, both in minor units. Only called where `capabilities.increment`. */
  increment(payment: Payment, options: { amount: bigint; total: bigint; reference: string }): ProviderRequest;
  capture(payment: Payment, options: { amount: bigint; final: boolean; reference: string }): ProviderRequest;
  void(payment: Payment, options: { reference: string }): ProviderRequest;
  refund(payment: Payment, options: { amount: bigint; reference: string }): ProviderRequest;
  /**
   * What the answer to an operation's own request means; `first` is false for a replay. Definite failures are a closed
   * table: 5xx, 409, 429, a reset, a timeout and what cannot be read are `unknown`.
   */
  answer(operation: Operation, payment: Payment, response: ProviderResponse, first: boolean): ProviderAnswer;
  /** How to find an operation's outcome without acting; null where the provider cannot be asked. */
  lookup(operation: Operation, payment: Payment): ProviderRequest | null;
  /** What a look-up's answer means. */
  found(operation: Operation, payment: Payment, response: ProviderResponse): LookupAnswer;
  /** How to call off an authorization that waits for the payer; null where it ends by itself only. */
  cancelAction(
    operation: Operation,
    payment: Payment,
    options: { reference: string },
  ): ProviderRequest | null;
  readonly webhooks: Webhooks | null;
  /** For providers that keep stored cards under a customer of their own, who must be there before the first payment. */
  readonly customers?: ProviderCustomers;
}

export type AuthorizeOptions = {
  readonly reference: string;
  readonly cvcAvailable: boolean;
  /** The outcome of a 3-D Secure authentication that we carried out, for `capabilities.externalAuthentication`. */
  readonly authentication: Authentication | null;
  /** An exemption from strong customer authentication to ask for. */
  readonly exemption: Exemption | null;
  /** Set if the card is stored, or used as stored. */
  readonly stored: StoredCredential | null;
  /** Where a page of the provider's sends the payer back to; null where no payer is present. */
  readonly returnUrl: string | null;
  /** Where the provider tells news of this payment, for providers that take it per payment; null: as configured there. */
  readonly webhookUrl: string | null;
  readonly payer: {
    readonly ip: string | null;
    readonly country: string | null;
    readonly email: string | null;
  };
};

/** Creating a customer twice does no harm: nothing is charged to one, and the second stays empty. */
export type ProviderCustomers = {
  create(options: { readonly name: string | null; readonly email: string | null }): ProviderRequest;
  /** The customer's id at the provider, for `StoredAtProvider`; null if the answer does not tell one. */
  created(response: ProviderResponse): string | null;
};

/** How an unknown outcome of this provider's is resolved (design: "not found" is never definite). */
export type Resolver = {
  /** How long, in ms, the provider answers a repeated idempotency key with the first result; 0: it has no keys. */
  readonly idempotencyWindowMs: number;
  /** Longest time, in ms, for which a request on its way may still take effect at the provider. */
  readonly maxRequestLifetimeMs: number;
  /**
   * Whether a look-up that finds nothing after that time proves that nothing happened. Where it does not, only a
   * replay, a webhook or a person can tell.
   */
  readonly absenceIsDefinite: boolean;
  /**
   * How to undo an authorization whose outcome nobody can tell (a reversal, as in ISO 8583): answered as a void. Null where
   * the provider has none.
   */
  readonly reverse: ((operation: Operation, payment: Payment) => ProviderRequest) | null;
};

/** What a provider can do: one row of the capability matrix for each combination (routing/eligibility.ts). */
export type Capabilities = {
  /** Brands as the vault names them (visa, mastercard, amex, …). */
  readonly brands: readonly string[];
  /** Null: all of ISO 4217 that we know. */
  readonly currencies: readonly Currency[] | null;
  /** Countries of cards, ISO 3166-1 alpha-2; null: all. */
  readonly countries: readonly string[] | null;
  /** Takes the card from us; else it asks for it on a page of its own, by redirect. */
  readonly directCards: boolean;
  readonly manualCapture: boolean;
  readonly partialCapture: boolean;
  readonly multipleCaptures: boolean;
  /** Brands whose authorization can be raised. */
  readonly increment: readonly string[];
  /** Largest excess of a final capture over the authorization, in basis points of it, by brand; absent: none. */
  readonly overCaptureBps: Readonly<Record<string, number>>;
  readonly partialRefund: boolean;
  readonly multipleRefunds: boolean;
  readonly voidAfterPartialCapture: boolean;
  /** Takes the result of our own 3-D Secure authentication. */
  readonly externalAuthentication: boolean;
  /** Carries out 3-D Secure itself, with `requires_action`. */
  readonly ownAuthentication: boolean;
  readonly merchantInitiated: boolean;
};

/** `absent`: the provider does not know of it, which is not definite: it may still be on its way. */
export type LookupAnswer = ProviderAnswer | { readonly kind: "absent" };

export type ProviderResponse =
  | { readonly kind: "http"; readonly status: number; readonly headers: Headers; readonly body: string }
  /** Nothing that can be read came back; the provider may have acted. */
  | { readonly kind: "lost"; readonly because: string }
  /** Nothing was sent, for certain. */
  | { readonly kind: "not_sent"; readonly code: string; readonly because: string };

/** Sends a request as it stands; `reference` is the provider's idempotency key for what acts. */
export type Send = (request: ProviderRequest, reference: string) => Promise<ProviderResponse>;

/** A provider's inbound webhooks. Pure: keys come in, news goes out. */
export interface Webhooks {
  /**
   * Checks the signature over the raw bytes and reads what is told: several items where the provider sends batches. `now`
   * for schemes that sign the time. Errors say why in words for a log; nothing of the body is believed then.
   */
  read(
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    secrets: readonly string[],
    now: Date,
  ): Result<readonly WebhookItem[], string>;
  /** What the provider wants to hear once its news is kept. */
  readonly received: { readonly status: number; readonly body: string };
}

/** One thing that a provider tells. */
export type WebhookItem = {
  /** The same for every delivery of the same news: 1 to 200 characters. */
  readonly id: string;
  /** What it is about: our reference of the operation, if it tells; else the provider's ids. */
  readonly reference: string | null;
  readonly providerPayment: string | null;
  readonly providerOperation: string | null;
  /** The kind of operation, if the news tells; null: about the payment as a whole. */
  readonly kind: OperationKind | null;
  /** When it happened, as the provider says. */
  readonly at: Date | null;
  /** What it means for that operation. */
  readonly answer: (operation: Operation, payment: Payment) => WebhookAnswer;
};

export type WebhookAnswer =
  | ProviderAnswer
  /** Nothing that can be believed by itself: look it up. */
  | { readonly kind: "ask" }
  /** A success told before has come undone: a refund that the bank returned. */
  | { readonly kind: "reversed"; readonly decline: Decline }
  /** Of no interest. */
  | { readonly kind: "nothing" };

export type { NextAction };
