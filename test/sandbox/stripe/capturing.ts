/**
 * Capture and cancel: what becomes of money that is reserved.
 * Source: docs.stripe.com/payments/place-a-hold-on-a-payment-method and docs.stripe.com/payments/multicapture.
 */

import type { Reply } from "../kit/world.ts";
import { checkDecimals } from "./amounts.ts";
import { recordBalance } from "./balance.ts";
import { move } from "./book.ts";
import { invalidRequest } from "./errors.ts";
import { announceCharge, announceIntent } from "./events.ts";
import { expand } from "./expand.ts";
import { renderPaymentIntent } from "./objects.ts";
import { applyMetadata, type MetadataChange, type Params } from "./params.ts";
import { findIntent, unexpectedState } from "./payment-intents.ts";
import type { ChargeRecord, PaymentIntentRecord, PaymentIntentStatus } from "./records.ts";
import { type Execution, ok, type Route } from "./route.ts";
import type { Work } from "./store.ts";

const MAX_PARTIAL_CAPTURES = 50;

type CaptureCommand = {
  readonly amount: number | undefined;
  readonly final: boolean;
  readonly metadata: MetadataChange | undefined;
  readonly statementDescriptorSuffix: string | undefined;
  readonly expand: readonly string[];
};

function prepareCapture(params: Params, id: string): Execution {
  params.expectOnly(
    ["amount_to_capture", "expand", "final_capture", "metadata", "statement_descriptor_suffix"],
    [
      "amount_details",
      "application_fee_amount",
      "hooks",
      "payment_details",
      "statement_descriptor",
      "transfer_data",
    ],
  );
  const command: CaptureCommand = {
    amount: params.integer("amount_to_capture"),
    final: params.boolean("final_capture") ?? true,
    metadata: params.metadata(),
    statementDescriptorSuffix: params.string("statement_descriptor_suffix", 22),
    expand: params.strings("expand") ?? [],
  };
  return (work) => capture(work, id, command);
}

/** Takes reserved money, and gives back the rest unless more captures are to come. */
function capture(work: Work, id: string, command: CaptureCommand): Reply {
  const intent = findIntent(work, id);
  if (intent.status !== "requires_capture" || intent.latestCharge === null) {
    throw unexpectedState(work, intent, "captured", ["requires_capture"]);
  }
  const charge = work.get("charges", intent.latestCharge);
  const amount = checkCapture(work, intent, charge, command);
  // Overcapture takes more than was ever reserved.
  const left = Math.max(0, intent.amountCapturable - amount);
  const released = command.final ? left : 0;
  const balanceTransaction = amount === 0 ? null : recordBalance(work, "charge", charge, amount);
  const suffix = command.statementDescriptorSuffix ?? charge.statementDescriptorSuffix;
  const captured = work.put("charges", {
    ...charge,
    captured: command.final,
    ...(command.final ? { holdEnds: null } : {}),
    captures: charge.captures + 1,
    amountCaptured: charge.amountCaptured + amount,
    statementDescriptorSuffix: suffix,
    // The first capture's transaction stays the charge's own; later ones are listed by their source.
    balanceTransaction: charge.balanceTransaction ?? balanceTransaction,
  });
  const next = work.put("paymentIntents", {
    ...intent,
    status: command.final ? "succeeded" : "requires_capture",
    amountCapturable: left - released,
    amountReceived: intent.amountReceived + amount,
    metadata: applyMetadata(intent.metadata, command.metadata),
    statementDescriptorSuffix: suffix,
  });
  move(work, "captured", captured, amount);
  move(work, "released", captured, released);
  announceIntent(work, "payment_intent.amount_capturable_updated", next);
  announceCharge(work, command.final ? "charge.captured" : "charge.updated", captured);
  if (command.final) announceIntent(work, "payment_intent.succeeded", next);
  return ok(expand(work, renderPaymentIntent(work, next), command.expand));
}

/** The amount to capture, or a 400 that carries the payment intent. */
function checkCapture(
  work: Work,
  intent: PaymentIntentRecord,
  charge: ChargeRecord,
  command: CaptureCommand,
): number {
  const payment_intent = renderPaymentIntent(work, intent);
  const amount = command.amount ?? intent.amountCapturable;
  if (!command.final && !charge.multicapture) {
    throw invalidRequest("final_capture=false needs a payment for which multicapture is available.", {
      param: "final_capture",
      payment_intent,
    });
  }
  if (!command.final && charge.captures >= MAX_PARTIAL_CAPTURES) {
    throw invalidRequest(`A payment may be captured at most ${MAX_PARTIAL_CAPTURES} times before its last.`, {
      payment_intent,
    });
  }
  // Zero closes a payment that has been captured in part: nothing more is taken, the rest is given back.
  const closes = amount === 0 && command.final && charge.multicapture && charge.captures > 0;
  if (amount < 1 && !closes) {
    throw invalidRequest("The amount to capture must be at least 1.", {
      code: "parameter_invalid_integer",
      param: "amount_to_capture",
      payment_intent,
    });
  }
  const most = command.final ? charge.maximumCapturable - charge.amountCaptured : intent.amountCapturable;
  if (amount > most) {
    throw invalidRequest("The amount to capture is more than can be captured.", {
      code: "amount_too_large",
      param: "amount_to_capture",
      payment_intent,
    });
  }
  checkDecimals(amount, intent.currency, "amount_to_capture");
  return amount;
}

const CANCELABLE: readonly PaymentIntentStatus[] = [
  "requires_payment_method",
  "requires_capture",
  "requires_confirmation",
  "requires_action",
];
const CANCELLATION_REASONS = ["abandoned", "duplicate", "fraudulent", "requested_by_customer"] as const;

function prepareCancel(params: Params, id: string): Execution {
  params.expectOnly(["cancellation_reason", "expand"]);
  const reason = params.oneOf("cancellation_reason", CANCELLATION_REASONS);
  const paths = params.strings("expand") ?? [];
  return (work) => {
    const intent = findIntent(work, id);
    if (!CANCELABLE.includes(intent.status)) throw unexpectedState(work, intent, "canceled", CANCELABLE);
    const released = intent.amountCapturable;
    const canceled = work.put("paymentIntents", {
      ...intent,
      status: "canceled",
      amountCapturable: 0,
      canceledAt: work.nowSeconds,
      cancellationReason: reason ?? null,
      nextAction: null,
    });
    if (released > 0 && intent.latestCharge !== null) {
      const charge = work.get("charges", intent.latestCharge);
      // What was captured before stays captured; the charge is closed, so that it may be refunded in full.
      work.put("charges", { ...charge, holdEnds: null, captured: charge.captures > 0 });
      move(work, "released", charge, released);
    }
    announceIntent(work, "payment_intent.canceled", canceled);
    return ok(expand(work, renderPaymentIntent(work, canceled), paths));
  };
}

export const capturingRoutes: readonly Route[] = [
  { method: "POST", path: "/v1/payment_intents/:id/capture", operation: "capture", prepare: prepareCapture },
  { method: "POST", path: "/v1/payment_intents/:id/cancel", operation: "cancel", prepare: prepareCancel },
];
