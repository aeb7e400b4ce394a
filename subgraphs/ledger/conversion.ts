import type { MerchantId } from "../kernel/ids.ts";
import type { Money } from "../kernel/money.ts";
import { invariant } from "../kernel/result.ts";
import { type AccountCode, accountOf } from "./accounts.ts";
import type { Transfer } from "./transfer.ts";

/**
 * What a merchant has in one currency becomes another: two linked transfers of one journal, since an account has one
 * currency. The operator's FX position takes the one and gives the other, so that it shows in each currency what
 * conversions have left with us. Rate and rounding are the caller's, who gives both amounts.
 */
export function convert(merchant: MerchantId, account: AccountCode, sold: Money, bought: Money): Transfer[] {
  invariant(sold.currency !== bought.currency, "a conversion is between two currencies");
  return [
    {
      kind: "single",
      amount: sold,
      debit: accountOf(account, merchant, sold.currency),
      credit: accountOf("fx_position", merchant, sold.currency),
    },
    {
      kind: "single",
      amount: bought,
      debit: accountOf("fx_position", merchant, bought.currency),
      credit: accountOf(account, merchant, bought.currency),
    },
  ];
}
