/** What executing a message comes to: the answer's code and fields, and which record it made or changed. */

import type { MovementKind } from "../kit/book.ts";
import type { Work } from "./acquirer-world.ts";
import { currencyName } from "./currencies.ts";
import type { AnswerFields, TransactionRecord } from "./records.ts";

export type Outcome = {
  readonly responseCode: string;
  readonly fields?: AnswerFields;
  /** The id of the transaction or refund. */
  readonly transaction?: string;
};

export const refused = (responseCode: string): Outcome => ({ responseCode });

/** Moves a transaction's money; `message` is the reference of the message that does. */
export function move(
  work: Work,
  kind: MovementKind,
  { id, reference, currency, last4 }: TransactionRecord,
  amount: number,
  message: string,
  refund: string | null = null,
): void {
  const name = currencyName(currency);
  const about = { payment: id, reference, refund, currency: name, last4, metadata: {}, refundMetadata: null };
  work.move({ kind, amount, message, ...about });
}

/** Seconds since 1970 as in `authorizationExpires`. */
export const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
