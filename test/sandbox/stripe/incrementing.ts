/**
 * `POST /v1/payment_intents/:id/increment_authorization`: raises what is reserved to a new total.
 * Source: docs.stripe.com/api/payment_intents/increment_authorization: at most ten attempts, declined ones included; a
 * decline changes nothing but their count.
 */

import type { Bending, Reply } from "../kit/world.ts";
import { checkAmount, checkBrandMaximum } from "./amounts.ts";
import { move } from "./book.ts";
import { invalidRequest, withDocumentation } from "./errors.ts";
import { announceIntent } from "./events.ts";
import { expand } from "./expand.ts";
import { maximumCapturable } from "./holds.ts";
import { renderPaymentIntent } from "./objects.ts";
import { applyMetadata, type MetadataChange, type Params } from "./params.ts";
import { findIntent, unexpectedState } from "./payment-intents.ts";
import { type Execution, ok, type Route } from "./route.ts";
import type { Work } from "./store.ts";
import { declineOf } from "./test-cards.ts";

const MAX_ATTEMPTS = 10;

type IncrementCommand = {
  /** The new total. */
  readonly amount: number;
  readonly description: string | undefined;
  readonly metadata: MetadataChange | undefined;
  readonly expand: readonly string[];
};

function prepareIncrement(params: Params, id: string): Execution {
  params.expectOnly(
    ["amount", "description", "expand", "metadata"],
    [
      "amount_details",
      "application_fee_amount",
      "hooks",
      "payment_details",
      "statement_descriptor",
      "transfer_data",
    ],
  );
  const command: IncrementCommand = {
    amount: params.requiredInteger("amount"),
    description: params.string("description", 1_000),
    metadata: params.metadata(),
    expand: params.strings("expand") ?? [],
  };
  return (work, bending) => increment(work, id, command, bending);
}

function increment(work: Work, id: string, command: IncrementCommand, bending: Bending): Reply {
  const intent = findIntent(work, id);
  if (intent.status !== "requires_capture" || intent.latestCharge === null) {
    throw unexpectedState(work, intent, "incremented", ["requires_capture"]);
  }
  const charge = work.get("charges", intent.latestCharge);
  const payment_intent = renderPaymentIntent(work, intent);
  if (!charge.incrementable || charge.captures > 0 || intent.increments >= MAX_ATTEMPTS) {
    throw invalidRequest("This PaymentIntent is not eligible for incremental authorization.", {
      payment_intent,
    });
  }
  if (command.amount <= charge.amount) {
    throw invalidRequest("The amount must be greater than what is authorized already.", {
      param: "amount",
      payment_intent,
    });
  }
  checkAmount(command.amount, intent.currency);
  const { brand } = work.get("paymentMethods", charge.paymentMethod);
  checkBrandMaximum(command.amount, brand);
  const counted = work.put("paymentIntents", { ...intent, increments: intent.increments + 1 });
  if (bending.declineCode !== undefined) {
    const { code, declineCode, message } = declineOf(bending.declineCode);
    const reason = declineCode === undefined ? {} : { decline_code: declineCode };
    const error = withDocumentation({ type: "card_error", code, message, charge: charge.id, ...reason });
    return { status: 402, body: { error: { ...error, payment_intent: renderPaymentIntent(work, counted) } } };
  }
  const raised = work.put("charges", {
    ...charge,
    amount: command.amount,
    maximumCapturable: maximumCapturable(work, intent, brand, command.amount),
  });
  move(work, "authorized", raised, command.amount - charge.amount);
  const next = work.put("paymentIntents", {
    ...counted,
    amount: command.amount,
    amountCapturable: command.amount,
    description: command.description ?? intent.description,
    metadata: applyMetadata(intent.metadata, command.metadata),
  });
  announceIntent(work, "payment_intent.amount_capturable_updated", next);
  return ok(expand(work, renderPaymentIntent(work, next), command.expand));
}

export const incrementingRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/payment_intents/:id/increment_authorization",
    operation: "increment",
    prepare: prepareIncrement,
  },
];
