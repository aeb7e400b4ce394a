import type { BalanceChange } from "./changes.ts";
import type { Entry, EntryTransfer } from "./entry.ts";
import type { SealedBatch, SealedTransfer } from "./seal.ts";

// A batch's rows as elements of arrays of the database's row types, `ledger.new_link` and so on (schema/sql), in the order of
// their columns. None has a character in it that would have to be quoted.

/** An array literal of rows; one string is built for it: these are the hottest lines of a batch. */
function literal<T>(rows: readonly T[], columnsOf: (row: T) => string): string {
  let text = "{";
  for (let index = 0; index < rows.length; index++) {
    if (index > 0) text += ",";
    text += `"(${columnsOf(rows[index] as T)})"`;
  }
  return `${text}}`;
}

export const linkRows = (links: readonly SealedBatch[]): string =>
  literal(
    links,
    ({ header: { shard, number, firstSeq, count, root }, previous, mac }) =>
      `${shard},${number},${firstSeq},${count},${bytea(previous)},${bytea(root)},${bytea(mac)}`,
  );

/** Within a row within an array a backslash is escaped twice. */
const bytea = (bytes: Buffer): string => `${String.raw`\\\\x`}${bytes.toString("hex")}`;

export const transferRows = (transfers: readonly SealedTransfer[]): string =>
  literal(transfers, (row) => {
    const { ordinal, shard, seq, id, kind, cause, debit, credit, amount, currency, content, pending } = row;
    return `${ordinal},${shard},${seq},${id},${kind},${cause},${debit},${credit},${amount},${currency},${content},${pending ?? ""}`;
  });

/** @param isSingle whether nothing is held or resolved: then only what is posted is said */
export const changeRows = (changes: readonly BalanceChange[], isSingle: boolean): string =>
  literal(changes, (row) => {
    const { shard, account, debitsPosted, creditsPosted } = row;
    const posted = `${shard},${account},${debitsPosted},${creditsPosted}`;
    if (isSingle) return `${posted},,,,`;
    return `${posted},${row.debitsPending},${row.creditsPending},${row.moreDebits},${row.moreCredits}`;
  });

/** A pending transfer once more, with what only it has. */
export type Hold = EntryTransfer & { readonly shard: number; readonly payment: string | null };

export const holdRows = (holds: readonly Hold[]): string =>
  literal(
    holds,
    ({ shard, id, debit, credit, amount, currency, payment, expiresAt }) =>
      `${shard},${id},${debit},${credit},${amount},${currency},${payment ?? ""},${expiresAt ?? ""}`,
  );

/** A commit without transfers, at its position in the batch. */
export type Bare = Pick<Entry, "shard" | "id" | "content"> & { readonly ordinal: number };

export const bareRows = (commits: readonly Bare[]): string =>
  literal(commits, ({ ordinal, shard, id, content }) => `${ordinal},${shard},${id},${content}`);
