import type { OperationId, PaymentId, TransferId } from "../../kernel/ids.ts";
import type { Decline } from "./decline.ts";

/** `expire` is a void that nobody asked for: the authorization's time is over. */
export type OperationKind = "authorize" | "capture" | "void" | "expire" | "refund";

/**
 * One request to a provider. `claimed` is written before it is sent, so a claimed operation without a result
 * *is* the unknown outcome: it is resolved by asking the provider, never by trying again elsewhere.
 */
export type Operation = {
  readonly id: OperationId;
  readonly payment: PaymentId;
  readonly kind: OperationKind;
  readonly state: "claimed" | "succeeded" | "declined" | "failed";
  /** Minor units of the payment's currency. */
  readonly amount: bigint;
  /** A capture after which the rest of the authorization is released. */
  readonly final: boolean;
  /** Raised only after a definite failure; part of the reference. */
  readonly attempt: number;
  /** The provider's idempotency key for this operation: made once, in the claim, and only read afterwards. */
  readonly reference: string;
  /** Exactly what is sent, so that a replay is identical. */
  readonly request: ProviderRequest;
  /** A refund's hold on the merchant's money in the ledger. */
  readonly pendingTransfer: TransferId | null;
  readonly failure: Decline | null;
  readonly claimedAt: Date;
  readonly resolvedAt: Date | null;
  /** The latest time at which the request may have been sent. */
  readonly lastSentAt: Date;
};

/** A provider request without secrets and card data: those are put in on the way out. */
export type ProviderRequest = {
  readonly method: "POST" | "GET";
  /** Path and query below the provider's base URL. */
  readonly path: string;
  /** The encoded body; may hold the vault's placeholders such as {{card.number}}. */
  readonly body: string | null;
  /** Set if the body has placeholders: the card's token, and the vault's proxy sends it. */
  readonly token: string | null;
};

/** Whether the request carries the card's security code, which the vault keeps only until it is authorized. */
export const asksForCvc = ({ body }: ProviderRequest): boolean => body?.includes("card.cvc") ?? false;

/** What a provider's answer to an operation means. Anything not certainly one of the others is `unknown`. */
export type ProviderAnswer =
  | {
      readonly kind: "done";
      readonly providerPayment: string;
      /** For an authorization: the money was captured as well. */
      readonly captured: boolean;
      /** Minor units that the provider says it authorized, captured or refunded. */
      readonly amount: bigint;
      readonly expiresAt: Date | null;
    }
  | { readonly kind: "declined"; readonly decline: Decline; readonly providerPayment: string | null }
  /** Definitely not done, and not the issuer's decision. */
  | { readonly kind: "failed"; readonly decline: Decline }
  | { readonly kind: "unknown"; readonly because: string };
