import { z } from "zod";

/** Stripe's objects as far as anything is read of them; members are null, missing or an id where nothing is told. */

const card = z.object({
  authorization_code: z.string().nullish(),
  capture_before: z.int().nullish(),
  checks: z
    .object({
      address_line1_check: z.string().nullish(),
      address_postal_code_check: z.string().nullish(),
      cvc_check: z.string().nullish(),
    })
    .nullish(),
  country: z.string().nullish(),
  electronic_commerce_indicator: z.string().nullish(),
  funding: z.string().nullish(),
  network_transaction_id: z.string().nullish(),
  three_d_secure: z
    .object({ electronic_commerce_indicator: z.string().nullish(), result: z.string().nullish() })
    .nullish(),
});

const charge = z.object({
  payment_method_details: z.object({ card: card.nullish() }).nullish(),
});

const errorCore = z.object({
  type: z.string(),
  code: z.string().optional(),
  decline_code: z.string().optional(),
  network_decline_code: z.string().nullish(),
  param: z.string().optional(),
  payment_method: z.object({ card: card.nullish() }).nullish(),
});

const intentCore = z.object({
  object: z.literal("payment_intent"),
  id: z.string().min(1),
  status: z.string(),
  amount: z.int(),
  amount_received: z.int(),
  amount_capturable: z.int(),
  latest_charge: z.union([z.string(), charge]).nullish(),
  last_payment_error: errorCore.nullish(),
  next_action: z
    .object({ type: z.string(), redirect_to_url: z.object({ url: z.string().nullish() }).nullish() })
    .nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

export const intentObject = intentCore;

export const refundObject = z.object({
  object: z.literal("refund"),
  id: z.string().min(1),
  status: z.string().nullish(),
  amount: z.int(),
  failure_reason: z.string().nullish(),
  payment_intent: z.union([z.string(), z.object({ id: z.string() })]).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

export const errorBody = z.object({
  // The intent in an error is read only where it is whole.
  error: errorCore.extend({ payment_intent: intentCore.nullish().catch(null) }),
});

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), has_more: z.boolean().optional() });

export type Intent = z.infer<typeof intentObject>;
export type Refund = z.infer<typeof refundObject>;
export type ChargedCard = z.infer<typeof card>;
export type StripeError = z.infer<typeof errorBody>["error"];

/** The object that a body holds; null if it is none, or another one. */
export function read<T>(schema: z.ZodType<T>, body: string): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
