import type { TransferId } from "../kernel/ids.ts";
import type { Money } from "../kernel/money.ts";
import type { AccountRef } from "./accounts.ts";

/**
 * One amount from a debit account to a credit account. A pending transfer holds an amount; `post` and
 * `release` resolve parts of it, each part once, between the accounts that the pending one named.
 */
export type Transfer =
  | {
      readonly kind: "single" | "pending";
      readonly id: TransferId;
      readonly amount: Money;
      readonly debit: AccountRef;
      readonly credit: AccountRef;
    }
  | {
      readonly kind: "post" | "release";
      readonly id: TransferId;
      readonly amount: Money;
      readonly pending: TransferId;
    };
