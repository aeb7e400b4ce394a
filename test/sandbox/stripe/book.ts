/**
 * The book of truth: every movement of money, in order, whatever the API's objects say.
 *
 * It is written where money moves and nowhere else, and it is never derived from the objects, so that a test
 * can hold one against the other. Amounts are positive minor units; the kind says which way.
 */

import type { Metadata } from "./records.ts";

export type MovementKind =
  /** Reserved on the card. */
  | "authorized"
  /** Taken from what was reserved. */
  | "captured"
  /** Given back from what was reserved, without having been taken. */
  | "released"
  /** Sent back to the card after having been taken. */
  | "refunded"
  /** A refund that came back: the money is the merchant's again. */
  | "refund_failed";

export type Movement = {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: MovementKind;
  readonly paymentIntent: string;
  readonly charge: string;
  readonly refund: string | null;
  readonly amount: number;
  readonly currency: string;
  /** The key of the request that moved the money, or that began what moved it later. */
  readonly idempotencyKey: string | null;
  /** The payment intent's metadata at that time. */
  readonly metadata: Metadata;
  /** Metadata of the refund itself; null for other movements. */
  readonly refundMetadata: Metadata | null;
  readonly last4: string;
};

export type Totals = Record<MovementKind, number> & {
  /** Reserved and neither taken nor released. */
  held: number;
  /** Taken and not sent back. */
  net: number;
};

export type BookFilter = {
  readonly metadata: Metadata;
  readonly paymentIntent?: string | undefined;
  /** Only movements with a higher sequence. */
  readonly since?: number | undefined;
};

export type BookView = {
  readonly movements: readonly Movement[];
  readonly paymentIntents: Readonly<Record<string, Totals & { currency: string }>>;
  readonly currencies: Readonly<Record<string, Totals>>;
};

/** The movements that a filter lets through, with totals of exactly those. */
export function viewBook(all: readonly Movement[], filter: BookFilter): BookView {
  const movements = all.filter((movement) => passes(movement, filter));
  const paymentIntents: Record<string, Totals & { currency: string }> = {};
  const currencies: Record<string, Totals> = {};
  for (const movement of movements) {
    const { paymentIntent, currency } = movement;
    count((paymentIntents[paymentIntent] ??= { ...noMoney(), currency }), movement);
    count((currencies[currency] ??= noMoney()), movement);
  }
  return { movements, paymentIntents, currencies };
}

/** Metadata matches where the payment intent's has the pair, or the refund's own. */
function passes(movement: Movement, filter: BookFilter): boolean {
  if (filter.paymentIntent !== undefined && movement.paymentIntent !== filter.paymentIntent) return false;
  if (filter.since !== undefined && movement.sequence <= filter.since) return false;
  return Object.entries(filter.metadata).every(
    ([key, value]) => movement.metadata[key] === value || movement.refundMetadata?.[key] === value,
  );
}

function count(totals: Totals, movement: Movement): void {
  totals[movement.kind] += movement.amount;
  totals.held = totals.authorized - totals.captured - totals.released;
  totals.net = totals.captured - totals.refunded + totals.refund_failed;
}

function noMoney(): Totals {
  return { authorized: 0, captured: 0, released: 0, refunded: 0, refund_failed: 0, held: 0, net: 0 };
}
