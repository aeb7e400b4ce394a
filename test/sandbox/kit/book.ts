/**
 * The book of truth: every movement of money, in order, whatever the API's objects say.
 *
 * It is written where money moves and nowhere else, and it is never derived from the objects, so that a test
 * can hold one against the other. Amounts are positive minor units; the kind says which way.
 */

export type Metadata = Readonly<Record<string, string>>;

export type MovementKind =
  /** Reserved on the card (again, where an authorization is incremented). */
  | "authorized"
  /** Taken from what was reserved. */
  | "captured"
  /** Given back from what was reserved, without having been taken. */
  | "released"
  /** Sent back to the card after having been taken. */
  | "refunded"
  /** A refund that came back: the money is the merchant's again. */
  | "refund_failed";

/** A provider's own movement may carry more. */
export type Movement = {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: MovementKind;
  /** The provider's id of the payment. */
  readonly payment: string;
  /** The merchant's own name for the payment, where the provider's API has one apart from metadata. */
  readonly reference?: string | null;
  /** The provider's id of the refund, null for other movements. */
  readonly refund: string | null;
  readonly amount: number;
  readonly currency: string;
  /** The key of the request that moved the money, or that began what moved it later. */
  readonly idempotencyKey: string | null;
  /** The payment's metadata at that time. */
  readonly metadata: Metadata;
  /** Metadata of the refund itself; null for other movements. */
  readonly refundMetadata: Metadata | null;
  readonly last4: string;
};

/** What a provider says of a movement; the kit adds sequence, time and key. */
export type NewMovement<M extends Movement> = Omit<M, "sequence" | "at" | "idempotencyKey">;

export type Totals = Record<MovementKind, number> & {
  /** Reserved and neither taken nor released. */
  held: number;
  /** Taken and not sent back. */
  net: number;
};

export type BookFilter = {
  readonly metadata?: Metadata | undefined;
  readonly payment?: string | undefined;
  readonly reference?: string | undefined;
  /** Only movements with a higher sequence. */
  readonly since?: number | undefined;
};

export type BookView<M extends Movement = Movement> = {
  readonly movements: readonly M[];
  readonly payments: Readonly<Record<string, Totals & { currency: string }>>;
  readonly currencies: Readonly<Record<string, Totals>>;
};

/** The movements that a filter lets through, with totals of exactly those. */
export function viewBook<M extends Movement>(all: readonly M[], filter: BookFilter): BookView<M> {
  const movements = all.filter((movement) => passes(movement, filter));
  const payments: Record<string, Totals & { currency: string }> = {};
  const currencies: Record<string, Totals> = {};
  for (const movement of movements) {
    const { payment, currency } = movement;
    add((payments[payment] ??= { ...noMoney(), currency }), movement);
    add((currencies[currency] ??= noMoney()), movement);
  }
  return { movements, payments, currencies };
}

/** Metadata matches where the payment's has the pair, or the refund's own. */
function passes(movement: Movement, filter: BookFilter): boolean {
  if (filter.payment !== undefined && movement.payment !== filter.payment) return false;
  if (filter.reference !== undefined && movement.reference !== filter.reference) return false;
  if (filter.since !== undefined && movement.sequence <= filter.since) return false;
  return Object.entries(filter.metadata ?? {}).every(
    ([key, value]) => movement.metadata[key] === value || movement.refundMetadata?.[key] === value,
  );
}

function add(totals: Totals, movement: Movement): void {
  totals[movement.kind] += movement.amount;
  totals.held = totals.authorized - totals.captured - totals.released;
  totals.net = totals.captured - totals.refunded + totals.refund_failed;
}

function noMoney(): Totals {
  return { authorized: 0, captured: 0, released: 0, refunded: 0, refund_failed: 0, held: 0, net: 0 };
}
