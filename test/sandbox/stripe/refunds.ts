/**
 * Refunds and the charges that they send money back from.
 * Source: docs.stripe.com/refunds, docs.stripe.com/api/refunds and docs.stripe.com/testing ("Refunds").
 */

import type { Reply } from "../kit/world.ts";
import { checkDecimals } from "./amounts.ts";
import { recordBalance } from "./balance.ts";
import { renderRefund } from "./balance-objects.ts";
import { move } from "./book.ts";
import { invalidRequest, resourceMissing } from "./errors.ts";
import { announceCharge, announceRefund } from "./events.ts";
import { expand } from "./expand.ts";
import { newId } from "./ids.ts";
import { LIST_PARAMS, list, listQuery } from "./listing.ts";
import { renderCharge } from "./objects.ts";
import { applyMetadata, type MetadataChange, type Params } from "./params.ts";
import type { ChargeRecord, RefundRecord } from "./records.ts";
import { type Execution, ok, type Route } from "./route.ts";
import type { Work } from "./store.ts";

const REASONS = ["duplicate", "fraudulent", "requested_by_customer"] as const;

type RefundCommand = {
  readonly charge: string | undefined;
  readonly paymentIntent: string | undefined;
  readonly amount: number | undefined;
  readonly reason: string | null;
  readonly metadata: MetadataChange | undefined;
  readonly expand: readonly string[];
};

function prepareCreate(params: Params): Execution {
  params.expectOnly(
    ["amount", "charge", "expand", "metadata", "payment_intent", "reason"],
    ["currency", "customer", "instructions_email", "origin", "refund_application_fee", "reverse_transfer"],
  );
  const command: RefundCommand = {
    charge: params.string("charge"),
    paymentIntent: params.string("payment_intent"),
    amount: params.integer("amount"),
    reason: params.oneOf("reason", REASONS) ?? null,
    metadata: params.metadata(),
    expand: params.strings("expand") ?? [],
  };
  if (command.charge === undefined && command.paymentIntent === undefined) {
    throw invalidRequest("A refund needs a payment_intent or a charge.");
  }
  if (command.amount !== undefined && command.amount < 1) {
    throw invalidRequest("The amount must be at least 1.", {
      code: "parameter_invalid_integer",
      param: "amount",
    });
  }
  return (work) => refund(work, command);
}

function refund(work: Work, command: RefundCommand): Reply {
  const charge = chargeToRefund(work, command);
  const refundable = charge.amountCaptured - charge.amountRefunded - charge.amountRefundPending;
  if (refundable <= 0) {
    throw invalidRequest(`Charge ${charge.id} has been refunded already.`, {
      code: "charge_already_refunded",
    });
  }
  const amount = command.amount ?? refundable;
  // Stripe's documentation names no code for this one, and recorded answers carry none.
  if (amount > refundable) {
    throw invalidRequest("The refund is greater than what is left of the charge.", { param: "amount" });
  }
  checkDecimals(amount, charge.currency, "amount");
  const { behaviour } = work.get("paymentMethods", charge.paymentMethod);
  const draft: RefundRecord = {
    id: newId("re"),
    created: work.nowSeconds,
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    paymentMethod: charge.paymentMethod,
    amount,
    currency: charge.currency,
    status: "pending",
    reason: command.reason,
    metadata: applyMetadata({}, command.metadata),
    balanceTransaction: null,
    failureBalanceTransaction: null,
    failureReason: null,
    decision:
      behaviour.refund === undefined
        ? null
        : { atMs: work.nowMs + work.settings.refundDelayMs, idempotencyKey: work.idempotencyKey },
  };
  const pending = work.put("charges", {
    ...charge,
    amountRefundPending: charge.amountRefundPending + amount,
  });
  const waits = behaviour.refund === "pending_then_succeeds";
  const made = waits ? work.put("refunds", draft) : succeed(work, draft, pending);
  announceRefund(work, "refund.created", made);
  if (!waits) announceCharge(work, "charge.refunded", work.get("charges", charge.id));
  return ok(expand(work, renderRefund(made), command.expand));
}

function chargeToRefund(work: Work, command: RefundCommand): ChargeRecord {
  const intent =
    command.paymentIntent === undefined ? undefined : work.find("paymentIntents", command.paymentIntent);
  if (command.paymentIntent !== undefined && intent === undefined) {
    throw resourceMissing("payment_intent", command.paymentIntent, "payment_intent");
  }
  const id = command.charge ?? intent?.latestCharge;
  const charge = id ? work.find("charges", id) : undefined;
  if (command.charge !== undefined && charge === undefined)
    throw resourceMissing("charge", command.charge, "id");
  if (charge === undefined || charge.status === "failed") {
    const paymentIntent = charge?.paymentIntent ?? command.paymentIntent ?? "";
    throw invalidRequest(`This PaymentIntent (${paymentIntent}) has no successful charge to refund.`);
  }
  if (intent !== undefined && charge.paymentIntent !== intent.id) {
    throw invalidRequest("The charge does not belong to the payment intent.", { param: "charge" });
  }
  if (charge.captures === 0) {
    throw invalidRequest(
      `The charge of this PaymentIntent (${charge.paymentIntent}) is not captured. Cancel the PaymentIntent instead.`,
    );
  }
  return charge;
}

/** The refund reaches the card: money leaves the balance. */
export function succeed(work: Work, pending: RefundRecord, charge: ChargeRecord): RefundRecord {
  const refunded = work.put("charges", {
    ...charge,
    amountRefundPending: charge.amountRefundPending - pending.amount,
    amountRefunded: charge.amountRefunded + pending.amount,
  });
  const balanceTransaction = recordBalance(work, "refund", refunded, pending.amount, { refund: pending });
  const done = work.put("refunds", { ...pending, status: "succeeded", balanceTransaction });
  move(work, "refunded", refunded, done.amount, done);
  return done;
}

/** A refund that had succeeded comes back: the money is in the balance again, and may be refunded again. */
export function fail(work: Work, succeeded: RefundRecord, charge: ChargeRecord): RefundRecord {
  const returned = work.put("charges", {
    ...charge,
    amountRefunded: charge.amountRefunded - succeeded.amount,
  });
  const failed = work.put("refunds", {
    ...succeeded,
    status: "failed",
    failureReason: "expired_or_canceled_card",
    failureBalanceTransaction: recordBalance(work, "refund_failure", returned, succeeded.amount, {
      refund: succeeded,
    }),
    decision: null,
  });
  move(work, "refund_failed", returned, failed.amount, failed);
  announceRefund(work, "refund.updated", failed);
  announceRefund(work, "charge.refund.updated", failed);
  announceRefund(work, "refund.failed", failed);
  return failed;
}

function prepareUpdate(params: Params, id: string): Execution {
  params.expectOnly(["expand", "metadata"]);
  const change = params.metadata();
  const paths = params.strings("expand") ?? [];
  return (work) => {
    const found = findRefund(work, id);
    const next = work.put("refunds", { ...found, metadata: applyMetadata(found.metadata, change) });
    return ok(expand(work, renderRefund(next), paths));
  };
}

function findRefund(work: Work, id: string): RefundRecord {
  const found = work.find("refunds", id);
  if (found === undefined) throw resourceMissing("refund", id, "refund");
  return found;
}

function prepareRetrieve(params: Params, id: string): Execution {
  params.expectOnly(["expand"]);
  const paths = params.strings("expand") ?? [];
  return (work) => ok(expand(work, renderRefund(findRefund(work, id)), paths));
}

function prepareList(params: Params): Execution {
  params.expectOnly([...LIST_PARAMS, "charge", "payment_intent"]);
  const query = listQuery(params);
  const owner = params.string("charge") ?? params.string("payment_intent");
  const paths = params.strings("expand") ?? [];
  return (work) => {
    const { refunds: table } = work.store.tables;
    const page = list(query, { table, noun: "refund", url: "/v1/refunds", owner, render: renderRefund });
    return ok(expand(work, page, paths));
  };
}

function prepareChargeList(params: Params): Execution {
  params.expectOnly([...LIST_PARAMS, "payment_intent"], ["customer", "transfer_group"]);
  const query = listQuery(params);
  const owner = params.string("payment_intent");
  const paths = params.strings("expand") ?? [];
  return (work) => {
    const render = (charge: ChargeRecord) => renderCharge(work, charge);
    const page = list(query, {
      table: work.store.tables.charges,
      noun: "charge",
      url: "/v1/charges",
      owner,
      render,
    });
    return ok(expand(work, page, paths));
  };
}

function prepareCharge(params: Params, id: string): Execution {
  params.expectOnly(["expand"]);
  const paths = params.strings("expand") ?? [];
  return (work) => {
    const charge = work.find("charges", id);
    if (charge === undefined) throw resourceMissing("charge", id, "id");
    return ok(expand(work, renderCharge(work, charge), paths));
  };
}

export const refundRoutes: readonly Route[] = [
  { method: "POST", path: "/v1/refunds", operation: "refund", prepare: prepareCreate },
  { method: "GET", path: "/v1/refunds", operation: "lookup", prepare: prepareList },
  { method: "GET", path: "/v1/refunds/:id", operation: "lookup", prepare: prepareRetrieve },
  { method: "POST", path: "/v1/refunds/:id", operation: "update", prepare: prepareUpdate },
  { method: "GET", path: "/v1/charges", operation: "lookup", prepare: prepareChargeList },
  { method: "GET", path: "/v1/charges/:id", operation: "lookup", prepare: prepareCharge },
];
