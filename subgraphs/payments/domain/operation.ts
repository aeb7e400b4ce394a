import type { OperationId, PaymentId, TransferId } from "../../kernel/ids.ts";
import type { Decline } from "./decline.ts";
import type { RoutingReason } from "./routing/reason.ts";
import type { StoredAtProvider } from "./stored-credential.ts";

/**
 * What is asked of a provider, or, for `authenticate`, of the card's 3-D Secure directory. `expire` is a void that nobody
 * asked for: the authorization's time is over.
 */
export type OperationKind =
  | "authenticate"
  | "authorize"
  | "increment"
  | "capture"
  | "void"
  | "expire"
  | "refund";

/**
 * `claimed`: written before the request is sent, so a claimed operation without a result *is* the unknown outcome:
 * it is resolved by asking the provider, never by trying again elsewhere. `requires_action`: the payer has to do
 * something first; it is live, so nothing else is attempted until it has ended. `reversed`: a refund that had succeeded
 * and came back.
 */
export type OperationState = "claimed" | "requires_action" | "succeeded" | "declined" | "failed" | "reversed";

/** One request to a provider. */
export type Operation = {
  readonly id: OperationId;
  readonly payment: PaymentId;
  readonly kind: OperationKind;
  readonly state: OperationState;
  /** Minor units of the payment's currency. */
  readonly amount: bigint;
  /** A capture after which the rest of the authorization is released. */
  readonly final: boolean;
  /** Counts a payment's attempts from 0; raised only after a definite failure; part of the reference. */
  readonly attempt: number;
  /** Who is asked: a connector's name. */
  readonly provider: string;
  /** The provider's idempotency key for this operation: made once, in the claim, and only read afterwards. */
  readonly reference: string;
  /** Exactly what is sent, so that a replay is identical. Kept until the outcome is known, then null. */
  readonly request: ProviderRequest | null;
  /** The provider said that it has the request, and will tell the outcome later: it is not sent again. */
  readonly accepted: boolean;
  /** The provider's own id of this operation, such as a refund's. */
  readonly providerOperation: string | null;
  /** A refund's hold on the merchant's money in the ledger. */
  readonly pendingTransfer: TransferId | null;
  /** Why this provider, for an attempt; null for what follows an authorization. */
  readonly routing: RoutingReason | null;
  /** What the provider told besides the outcome. */
  readonly details: AnswerDetails | null;
  readonly failure: Decline | null;
  readonly claimedAt: Date;
  readonly resolvedAt: Date | null;
  /** The latest time at which the request may have been sent. */
  readonly lastSentAt: Date;
};

/** A provider request without secrets and card data: those are put in on the way out. */
export type ProviderRequest = {
  readonly method: "POST" | "GET" | "PATCH" | "PUT" | "DELETE";
  /** Path and query below the provider's base URL. */
  readonly path: string;
  /** The encoded body; may hold the vault's placeholders such as {{card.number}}. */
  readonly body: string | null;
  /** Set if the body has placeholders: the card's token, and the vault's proxy sends it. */
  readonly token: string | null;
  /**
   * The reference to which the vault has promised the card's security code, where it is not the operation's own: all attempts of
   * a payment share one.
   */
  readonly promisedTo?: string;
  /** Of an `authenticate`: where it stands, and how the payment goes on when it has ended (attempts.ts). */
  readonly underWay?: Readonly<Record<string, unknown>>;
};

/** Whether the request carries the card's security code, which the vault keeps only until it is authorized. */
export const asksForCvc = (request: ProviderRequest | null): boolean =>
  request?.body?.includes("card.cvc") ?? false;

/** What a check of the card said. */
export type CheckResult = "match" | "no_match" | "unchecked" | "unavailable";

/** What a provider tells besides the outcome; null what it does not tell. Never card data. */
export type AnswerDetails = {
  /** The provider's or the issuer's own response code, such as "00", "51" or "Refused:2". */
  readonly rawCode: string | null;
  /** The issuer's approval code, six characters. */
  readonly authorizationCode: string | null;
  /** The scheme's id of this transaction: later payments without the payer refer to it. */
  readonly networkTransactionId: string | null;
  readonly avs: { readonly address: CheckResult; readonly postalCode: CheckResult } | null;
  readonly cvc: CheckResult | null;
  /** Electronic commerce indicator as the scheme has it, two digits. */
  readonly eci: string | null;
  /** Whether the issuer bears fraud, if the provider told. */
  readonly liabilityShift: boolean | null;
  readonly funding: "credit" | "debit" | "prepaid" | "unknown" | null;
  /** Where the card was issued: ISO 3166-1 alpha-2. */
  readonly issuerCountry: string | null;
  /** What the provider charges for it in minor units of the payment's currency, where it says so at once. */
  readonly providerFee: number | null;
  /** Where the provider has stored the card itself, for payments without the payer. */
  readonly atProvider?: StoredAtProvider | null;
};

export const NO_DETAILS: AnswerDetails = {
  rawCode: null,
  authorizationCode: null,
  networkTransactionId: null,
  avs: null,
  cvc: null,
  eci: null,
  liabilityShift: null,
  funding: null,
  issuerCountry: null,
  providerFee: null,
};

/** What the payer has to do before an attempt can go on. */
export type NextAction =
  /** Go to a page of the provider's (or the bank's), which sends the payer back to the return URL. */
  | { readonly type: "redirect"; readonly url: string }
  /** A 3-D Secure challenge: POST `creq` to `acsUrl` in a frame. */
  | {
      readonly type: "challenge";
      readonly acsUrl: string;
      readonly creq: string;
      readonly transaction: string;
    }
  /** The issuer asks the payer by itself, in its app: wait. */
  | { readonly type: "decoupled"; readonly until: string; readonly transaction: string };

/** What a provider's answer to an operation means. Anything not certainly one of the others is `unknown`. */
export type ProviderAnswer =
  | {
      readonly kind: "done";
      readonly providerPayment: string;
      readonly providerOperation?: string | null;
      /** For an authorization: the money was captured as well. */
      readonly captured: boolean;
      /** Minor units that the provider says it authorized, captured, released or refunded. */
      readonly amount: bigint;
      readonly expiresAt: Date | null;
      readonly details?: AnswerDetails;
    }
  | {
      readonly kind: "declined";
      readonly decline: Decline;
      readonly providerPayment: string | null;
      readonly details?: AnswerDetails;
    }
  /** Definitely not done, and not the issuer's decision. */
  | { readonly kind: "failed"; readonly decline: Decline; readonly details?: AnswerDetails }
  /** The provider has it and will tell the outcome later, by a webhook or to a look-up; never sent again. */
  | {
      readonly kind: "accepted";
      readonly providerPayment: string | null;
      readonly providerOperation: string | null;
    }
  /** The payer has to do something; only authorizations. */
  | {
      readonly kind: "requires_action";
      readonly providerPayment: string | null;
      readonly action: NextAction;
      /** What is kept from now on in place of the request, and until when to wait; of an `authenticate` only. */
      readonly keep?: { readonly request: ProviderRequest; readonly until: Date };
    }
  | { readonly kind: "unknown"; readonly because: string };
