import type { PaymentEventMessage } from "../../../schema/events/payment-events.ts";
import { homeOf, newId } from "../../kernel/ids.ts";
import type { OutboxEvent } from "../../ledger/commit.ts";
import type { Payment } from "./payment.ts";

type Details<T extends PaymentEventMessage["type"]> = Omit<
  Extract<PaymentEventMessage, { type: T }>["body"],
  "payment" | "currency" | "amount"
>;

/** An outbox row that tells of `payment`; `minor` is the amount that moved, in its currency's minor units. */
export function announce<T extends PaymentEventMessage["type"]>(
  payment: Payment,
  type: T,
  minor: bigint,
  details: Details<T>,
  at: Date,
): OutboxEvent {
  return {
    id: newId("evt", homeOf(payment.merchant), at),
    type,
    payment: payment.id,
    body: { payment: payment.id, currency: payment.amount.currency, amount: Number(minor), ...details },
  };
}
