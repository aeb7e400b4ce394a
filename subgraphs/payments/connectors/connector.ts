import type { Money } from "../../kernel/money.ts";
import type { Operation, ProviderAnswer, ProviderRequest } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";

/**
 * A provider's dialect: requests out, answers in. Connectors are stateless translators and never touch the
 * network; the transport sends what they build.
 */
export interface Connector {
  readonly name: string;
  /** Longest time, in ms, for which a request on its way may still take effect at the provider. */
  readonly maxRequestLifetimeMs: number;
  /** How long, in ms, the provider answers a repeated idempotency key with the first result. */
  readonly idempotencyWindowMs: number;

  /** Why the provider cannot take this amount, in words for the merchant, or null. */
  refusesAmount(amount: Money): string | null;

  authorize(payment: Payment, options: { reference: string; cvcAvailable: boolean }): ProviderRequest;
  capture(payment: Payment, options: { amount: bigint; final: boolean }): ProviderRequest;
  void(payment: Payment): ProviderRequest;
  refund(payment: Payment, options: { amount: bigint; reference: string }): ProviderRequest;

  /** What the answer to an operation's own request means; `first` is false for a replay. */
  answer(operation: Operation, payment: Payment, response: ProviderResponse, first: boolean): ProviderAnswer;

  /** How to find an operation's outcome without acting. */
  lookup(operation: Operation, payment: Payment): ProviderRequest;
  /** What a look-up's answer means. */
  found(operation: Operation, payment: Payment, response: ProviderResponse): LookupAnswer;
}

/** `absent`: the provider does not know of it, which is not definite: it may still be on its way. */
export type LookupAnswer = ProviderAnswer | { readonly kind: "absent" };

export type ProviderResponse =
  | { readonly kind: "http"; readonly status: number; readonly headers: Headers; readonly body: string }
  /** Nothing that can be read came back; the provider may have acted. */
  | { readonly kind: "lost"; readonly because: string }
  /** Nothing was sent, for certain. */
  | { readonly kind: "not_sent"; readonly code: string; readonly because: string };

/** Sends a request as it stands; `reference` is the provider's idempotency key for POST. */
export type Send = (request: ProviderRequest, reference: string) => Promise<ProviderResponse>;
