import type { TransferId } from "../kernel/ids.ts";
import type { Money } from "../kernel/money.ts";
import type { AccountRef } from "./accounts.ts";

/**
 * One amount from a debit account to a credit account. A pending transfer holds an amount; `post` and `release`
 * resolve parts of it, each part once, between the accounts that the pending one named. A transfer's id is its
 * commit's, with its position (kernel/ids.ts).
 */
export type Transfer = {
  readonly amount: Money;
  readonly debit: AccountRef;
  readonly credit: AccountRef;
} & (
  | { readonly kind: "single" }
  | {
      readonly kind: "pending";
      /** What is left of it by then is to be released; absent: it stays until it is resolved. */
      readonly expiresAt?: Date | null;
    }
  | { readonly kind: "post" | "release"; readonly pending: TransferId }
);

/** As the database keeps them, in `ledger.transfer.kind`. */
export const TRANSFER_KINDS = ["single", "pending", "post", "release"] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];
