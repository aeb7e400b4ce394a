import { z } from "zod";

/**
 * What the outbox says about payments, version 1. Amounts are minor units; ids are the API's. Fields are only
 * ever added; a change of meaning is a new type. Consumers dedupe by the event's id.
 */
const amounts = {
  payment: z.string(),
  currency: z.string().length(3),
  amount: z.int().nonnegative(),
};

export const paymentEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("payment.authorized.v1"), body: z.object(amounts) }),
  z.object({
    type: z.literal("payment.captured.v1"),
    body: z.object({ ...amounts, fee: z.int().nonnegative(), final: z.boolean() }),
  }),
  z.object({ type: z.literal("payment.requires_action.v1"), body: z.object(amounts) }),
  z.object({
    type: z.literal("payment.duplicate_suspected.v1"),
    body: z.object({ ...amounts, duplicateOf: z.string() }),
  }),
  z.object({ type: z.literal("payment.incremented.v1"), body: z.object(amounts) }),
  z.object({
    type: z.literal("payment.increment_failed.v1"),
    body: z.object({ ...amounts, code: z.string() }),
  }),
  z.object({ type: z.literal("payment.voided.v1"), body: z.object(amounts) }),
  z.object({ type: z.literal("payment.expired.v1"), body: z.object(amounts) }),
  z.object({ type: z.literal("payment.refunded.v1"), body: z.object({ ...amounts, refund: z.string() }) }),
  z.object({ type: z.literal("payment.declined.v1"), body: z.object({ ...amounts, code: z.string() }) }),
  z.object({ type: z.literal("payment.failed.v1"), body: z.object({ ...amounts, code: z.string() }) }),
  z.object({
    type: z.literal("payment.capture_failed.v1"),
    body: z.object({ ...amounts, code: z.string() }),
  }),
  z.object({ type: z.literal("payment.void_failed.v1"), body: z.object({ ...amounts, code: z.string() }) }),
  z.object({
    type: z.literal("payment.refund_reversed.v1"),
    body: z.object({ ...amounts, refund: z.string(), code: z.string() }),
  }),
  z.object({
    type: z.literal("payment.refund_failed.v1"),
    body: z.object({ ...amounts, refund: z.string(), code: z.string() }),
  }),
]);

export type PaymentEventMessage = z.infer<typeof paymentEvent>;
