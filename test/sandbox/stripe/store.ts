/**
 * What this sandbox knows, as the kit's parts take it: the kinds of records and how they are found.
 */

import type { Memory as KitMemory, Store as KitStore } from "../kit/store.ts";
import { Table } from "../kit/table.ts";
import type { Work as KitWork } from "../kit/work.ts";
import type { ApiRequest } from "./api-request.ts";
import type { StripeMovement } from "./book.ts";
import type { StripeEvent } from "./events.ts";
import type {
  BalanceTransactionRecord,
  ChargeRecord,
  CustomerRecord,
  PaymentIntentRecord,
  PaymentMethodRecord,
  RefundRecord,
} from "./records.ts";
import { SearchIndex } from "./search-index.ts";
import type { Settings } from "./settings.ts";

export type StripeWorld = {
  kinds: {
    paymentIntents: PaymentIntentRecord;
    charges: ChargeRecord;
    refunds: RefundRecord;
    paymentMethods: PaymentMethodRecord;
    balanceTransactions: BalanceTransactionRecord;
    customers: CustomerRecord;
  };
  settings: Settings;
  movement: StripeMovement;
  request: ApiRequest;
  event: StripeEvent;
  indexes: { readonly search: SearchIndex };
};

export type Store = KitStore<StripeWorld>;
export type Work = KitWork<StripeWorld>;

/** An empty memory, and a search index that is kept up with it. */
export function newMemory(): KitMemory<StripeWorld> {
  const search = new SearchIndex();
  const paymentIntents = new Table<PaymentIntentRecord>();
  return {
    tables: {
      paymentIntents,
      charges: new Table((charge) => [charge.paymentIntent]),
      refunds: new Table((refund) => [refund.charge, refund.paymentIntent]),
      paymentMethods: new Table(),
      balanceTransactions: new Table((transaction) => [transaction.source]),
      customers: new Table(),
    },
    indexes: { search },
    opened() {
      for (const intent of paymentIntents.values()) search.indexAtOnce(intent);
    },
    applied(put, work) {
      for (const intent of put.paymentIntents ?? []) {
        search.note(intent, work.nowMs, work.settings.searchLagMs);
      }
    },
    emptied: () => search.clear(),
  };
}
