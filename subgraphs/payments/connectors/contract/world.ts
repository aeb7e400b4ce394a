import type { Currency } from "../../../kernel/currency.ts";
import type { DeclineCode } from "../../domain/decline.ts";
import type { NextAction } from "../../domain/operation.ts";
import type { Card } from "../../domain/payment.ts";
import type { Connector, Send } from "../connector.ts";

/** A provider as the contract's tests need it: its sandbox, and everything that says what really happened there. */
export type ContractWorld = {
  readonly connector: Connector;
  /**
   * Sends as the platform would: placeholders filled with the card of `request.token`, the reference as idempotency key, and
   * `lost` after `deadlineMs` without an answer. Never repeats a request.
   */
  readonly send: Send;
  /** How long `send` waits, in ms: short, since tests wait it out. */
  readonly deadlineMs: number;
  /** What tests pay in; EUR where not given. */
  readonly currency?: Currency;
  /** A card of this character, by its brand where given; null where the provider has none, or takes no cards from us. */
  card(character: CardCharacter, brand?: string): Card | null;
  /** Cards that are declined, and as what: one for every decline that the provider's test cards can show. */
  readonly declines: readonly { readonly card: Card; readonly code: DeclineCode }[];
  /** Lets one thing go wrong with the next request that acts (not with look-ups). */
  fault(order: FaultOrder): Promise<void>;
  clearFaults(): Promise<void>;
  /** What the provider's own book has of the payment whose authorization carried this reference. */
  book(authorization: string): Promise<ContractBook>;
  /** The payer's side of `requires_action`; null where no payment of these tests asks for it. */
  readonly payer: ((action: NextAction, does: "pays" | "fails") => Promise<void>) | null;
  /** Null where the provider has none. */
  readonly webhooks: WebhookWorld | null;
  stop(): Promise<void>;
};

export type CardCharacter =
  /** Succeeds in everything. */
  | "approved"
  /** A refund of it succeeds, and comes back later. */
  | "refund_returned";

/** The same words as the sandboxes' fault rules have. */
export type FaultOrder =
  /** Does the work, then closes the connection without an answer. */
  | { readonly kind: "lose_response" }
  /** Does nothing, and says this. */
  | { readonly kind: "status"; readonly status: number }
  /** Does the work, then says this. */
  | { readonly kind: "status_after"; readonly status: number }
  /** Answers 200 with what cannot be read; `work`: whether the request took effect. */
  | { readonly kind: "garbage"; readonly work: boolean }
  /** Does nothing, and resets the connection. */
  | { readonly kind: "reset" }
  /** Does nothing, and says nothing. */
  | { readonly kind: "hang" }
  /** Says nothing now (or closes the connection); the request takes effect `afterMs` later. */
  | { readonly kind: "land_late"; readonly afterMs: number; readonly hang?: boolean };

/** Totals in minor units of the payment's currency. */
export type ContractBook = {
  /** Separate authorizations or charges: more than one is a double charge. */
  readonly authorizations: number;
  readonly authorized: bigint;
  readonly captured: bigint;
  /** Given back without having been taken. */
  readonly released: bigint;
  /** Sent back to the payer, less what came back. */
  readonly refunded: bigint;
};

export type WebhookDelivery = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export type WebhookWorld = {
  /** Where the provider sends them; given to the connector as `webhookUrl`. */
  readonly url: string;
  /** The secrets that the connector verifies with. */
  readonly secrets: readonly string[];
  /** Whether deliveries are signed. News that is not signed may only say that something should be looked up. */
  readonly signed: boolean;
  /** Whether the signature holds for a while only. */
  readonly signsTime: boolean;
  /** All that came since the start, oldest first. */
  deliveries(): readonly WebhookDelivery[];
  /** Whether everything is delivered twice from now on. */
  twice(on: boolean): Promise<void>;
};
