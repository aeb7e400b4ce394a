/**
 * The book of authentications: what was asked, answered and proven, whatever the messages on their way
 * became.
 */

import { cardFingerprint } from "../kit/cards.ts";
import type { Store } from "../kit/store.ts";
import type { AuthenticationRecord } from "./records.ts";
import type { ThreeDsWorld } from "./world.ts";

export type BookEntry = Omit<AuthenticationRecord, "behaviour" | "decision" | "next" | "resultsEvent"> & {
  /** What holds in the end: of the challenge, or else of the answer. */
  readonly outcome: {
    readonly transStatus: string;
    readonly eci: string | null;
    readonly cavv: string | null;
  };
  /** An RReq was sent, and is not answered yet. */
  readonly telling: boolean;
};

/** All authentications in order, or those of one 3DS server transaction. */
export function bookView(
  store: Store<ThreeDsWorld>,
  transaction: string | null,
): { authentications: BookEntry[] } {
  const table = store.tables.authentications;
  const ids = transaction === null ? table.ids() : table.ids(transaction.toLowerCase());
  const records = ids.flatMap((id) => table.get(id) ?? []);
  return { authentications: records.map((record) => entryOf(store, record)) };
}

function entryOf(store: Store<ThreeDsWorld>, record: AuthenticationRecord): BookEntry {
  const { behaviour: _behaviour, decision: _decision, next: _next, resultsEvent, ...kept } = record;
  const { transStatus, eci, cavv } = record.result ?? record.answer;
  const telling = resultsEvent !== null && store.undelivered.has(resultsEvent);
  return { ...kept, outcome: { transStatus, eci, cavv }, telling };
}

export type Proof =
  | { readonly known: false }
  | {
      readonly known: true;
      readonly transStatus: string;
      readonly eci: string | null;
      readonly scheme: string;
      readonly dsTransaction: string;
      readonly cardFingerprint: string;
      readonly last4: string;
      /** Minor units, and ISO 4217 in digits. */
      readonly amount: string;
      readonly currency: string;
    };

/** What a CAVV proves, so that whoever plays an issuer's host can check it. */
export function proofView(store: Store<ThreeDsWorld>, cavv: string): Proof {
  const record = store.tables.authentications.get(store.indexes.byProof.get(cavv) ?? "");
  const word = record?.result?.cavv === cavv ? record.result : record?.answer;
  if (record === undefined || word === undefined) return { known: false };
  const { scheme, dsTransaction, last4, amount, currency } = record;
  const { transStatus, eci } = word;
  const fingerprint = record.cardFingerprint;
  return {
    known: true,
    transStatus,
    eci,
    scheme,
    dsTransaction,
    cardFingerprint: fingerprint,
    last4,
    amount,
    currency,
  };
}

/** For fault rules; nothing for what cannot be read. */
export function cardAndAmount(body: string): { cardFingerprint: string | null; amount: number | null } {
  try {
    const { acctNumber, purchaseAmount } = JSON.parse(body) as Record<string, unknown>;
    return {
      cardFingerprint: typeof acctNumber === "string" ? cardFingerprint(acctNumber) : null,
      amount: /^\d{1,15}$/.test(String(purchaseAmount)) ? Number(purchaseAmount) : null,
    };
  } catch {
    return { cardFingerprint: null, amount: null };
  }
}
