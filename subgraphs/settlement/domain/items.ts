import type { PaymentEventMessage } from "../../../schema/events/payment-events.ts";
import { homeOf, type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import { availableOn, dayOf } from "./availability.ts";

/** One event's part of what a merchant is owed, as the row of settlement.item. */
export type ItemRow = {
  readonly shard: number;
  readonly merchant: string;
  readonly event: string;
  readonly payment: string;
  readonly kind: "capture" | "refund" | "refund_reversal";
  readonly currency: string;
  readonly gross: string;
  readonly fee: string;
  readonly net: string;
  readonly available_on: string;
  readonly created_at: string;
};

export type EventFacts = {
  /** The event's UUID. */
  readonly event: string;
  readonly merchant: MerchantId;
  readonly at: Date;
  readonly message: PaymentEventMessage;
};

/**
 * What an event changes in what its merchant is owed; null if nothing. A capture adds its net after the
 * merchant's delay; a refund takes at once, and what of it comes back is available at once: it was the merchant's before.
 */
export function itemOf({ event, merchant, at, message }: EventFacts, delayDays: number): ItemRow | null {
  const common = (payment: string, currency: string) => ({
    shard: homeOf(merchant).shard,
    merchant: uuidOf(merchant),
    event,
    payment: uuidOf(payment as PaymentId),
    currency,
    created_at: at.toISOString(),
  });
  switch (message.type) {
    case "payment.captured.v1": {
      const { payment, currency, amount, fee } = message.body;
      return {
        ...common(payment, currency),
        kind: "capture",
        gross: String(amount),
        fee: String(fee),
        net: String(BigInt(amount) - BigInt(fee)),
        available_on: availableOn(at, delayDays),
      };
    }
    case "payment.refunded.v1": {
      const { payment, currency, amount } = message.body;
      const negative = String(-BigInt(amount));
      return {
        ...common(payment, currency),
        kind: "refund",
        gross: negative,
        fee: "0",
        net: negative,
        available_on: dayOf(at),
      };
    }
    case "payment.refund_reversed.v1": {
      const { payment, currency, amount } = message.body;
      return {
        ...common(payment, currency),
        kind: "refund_reversal",
        gross: String(amount),
        fee: "0",
        net: String(amount),
        available_on: dayOf(at),
      };
    }
    default:
      return null;
  }
}
