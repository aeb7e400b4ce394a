/**
 * The payment intent's endpoints, save capture and cancel.
 */

import type { Bending, Reply } from "../kit/world.ts";
import { checkAmount, checkCurrency } from "./amounts.ts";
import { type AttemptOptions, attempt } from "./charging.ts";
import { findCustomer } from "./customers.ts";
import { invalidRequest, resourceMissing } from "./errors.ts";
import { expand } from "./expand.ts";
import {
  applied,
  CONFIRM_ONLY,
  NOT_PLAYED,
  readConfirm,
  readShared,
  refuseConfirmOnly,
  SHARED,
  SHARED_WITH_CONFIRM,
  type SharedParams,
} from "./intent-params.ts";
import { LIST_PARAMS, list, listQuery } from "./listing.ts";
import { newIntent } from "./new-intent.ts";
import { renderPaymentIntent } from "./objects.ts";
import { applyMetadata, type Params } from "./params.ts";
import { type PaymentSource, resolvePaymentMethod } from "./payment-methods.ts";
import type { CaptureMethod, PaymentIntentRecord, PaymentIntentStatus } from "./records.ts";
import { type Execution, ok, type Route } from "./route.ts";
import type { Work } from "./store.ts";

/** States in which the amount and the way of paying may still change. */
const OPEN: readonly PaymentIntentStatus[] = [
  "requires_payment_method",
  "requires_confirmation",
  "requires_action",
];

/** From this version on, an unnamed capture method means an asynchronous one. */
const ASYNC_BY_DEFAULT_SINCE = "2024-04-10";

/** The payment intent with this id, or a 404. */
export function findIntent(work: Work, id: string): PaymentIntentRecord {
  const intent = work.find("paymentIntents", id);
  if (intent === undefined) throw resourceMissing("payment_intent", id, "intent");
  return intent;
}

/** 400 `payment_intent_unexpected_state`, with the payment intent in it. */
export function unexpectedState(
  work: Work,
  intent: PaymentIntentRecord,
  verb: string,
  allowed: readonly PaymentIntentStatus[],
  param?: string,
): Error {
  return invalidRequest(
    `This PaymentIntent cannot be ${verb}: its status is ${intent.status}, and would have to be ${allowed.join(" or ")}.`,
    {
      code: "payment_intent_unexpected_state",
      ...(param === undefined ? {} : { param }),
      payment_intent: renderPaymentIntent(work, intent),
    },
  );
}

type CreateCommand = {
  readonly amount: number;
  readonly currency: string;
  readonly confirm: AttemptOptions | null;
  readonly confirmationMethod: "automatic" | "manual";
  readonly automaticPaymentMethods: PaymentIntentRecord["automaticPaymentMethods"];
  readonly customer: string | null;
  readonly shared: SharedParams;
};

function prepareCreate(params: Params): Execution {
  params.expectOnly(
    [
      ...SHARED,
      ...CONFIRM_ONLY,
      "amount",
      "automatic_payment_methods",
      "confirm",
      "confirmation_method",
      "currency",
      "customer",
      "payment_method_types",
      "use_stripe_sdk",
    ],
    NOT_PLAYED,
  );
  const amount = params.requiredInteger("amount");
  const currency = params.requiredString("currency");
  checkCurrency(currency);
  checkAmount(amount, currency);
  const confirm = params.boolean("confirm") ?? false;
  if (!confirm) refuseConfirmOnly(params);
  const command: CreateCommand = {
    amount,
    currency,
    confirm: confirm ? readConfirm(params) : null,
    confirmationMethod: params.oneOf("confirmation_method", ["automatic", "manual"]) ?? "automatic",
    automaticPaymentMethods: readAutomaticMethods(params),
    customer: params.string("customer") || null,
    shared: readShared(params),
  };
  return (work, bending) => create(work, command, bending);
}

function readAutomaticMethods(params: Params): PaymentIntentRecord["automaticPaymentMethods"] {
  const types = params.strings("payment_method_types");
  const automatic = params.child("automatic_payment_methods");
  if (types?.some((type) => type !== "card")) {
    throw invalidRequest("The sandbox plays cards only.", { param: "payment_method_types" });
  }
  if (automatic === undefined) return types === undefined ? { allowRedirects: "always" } : null;
  automatic.expectOnly(["enabled", "allow_redirects"]);
  if (types !== undefined) {
    throw invalidRequest("Give automatic_payment_methods or payment_method_types, not both.", {
      code: "parameters_exclusive",
    });
  }
  const enabled = automatic.boolean("enabled");
  if (enabled === undefined) throw automatic.missing("enabled");
  const allowRedirects = automatic.oneOf("allow_redirects", ["always", "never"]) ?? "always";
  return enabled ? { allowRedirects } : null;
}

function create(work: Work, command: CreateCommand, bending: Bending): Reply {
  const { shared } = command;
  const { amount, currency, confirmationMethod, automaticPaymentMethods } = command;
  const customer = command.customer === null ? null : findCustomer(work, command.customer).id;
  const captureMethod = defaultCaptureMethod(work);
  const fresh: PaymentIntentRecord = {
    ...newIntent(work, {
      amount,
      currency,
      captureMethod,
      confirmationMethod,
      automaticPaymentMethods,
      customer,
    }),
    ...applied(shared.change),
    metadata: applyMetadata({}, shared.metadata),
  };
  const intent = work.put("paymentIntents", withSource(work, fresh, shared.source));
  if (command.confirm === null) return answer(work, intent, shared);
  return confirm(work, intent, undefined, command.confirm, shared, bending);
}

function defaultCaptureMethod(work: Work): CaptureMethod {
  const apiVersion = work.request?.apiVersion ?? null;
  const older = apiVersion !== null && apiVersion < ASYNC_BY_DEFAULT_SINCE;
  return older ? "automatic" : "automatic_async";
}

/** Chooses the way of paying, which makes the payment intent ready to be confirmed. */
function withSource(
  work: Work,
  intent: PaymentIntentRecord,
  source: PaymentSource | undefined,
): PaymentIntentRecord {
  if (source === undefined) return intent;
  const method = resolvePaymentMethod(work, source);
  return {
    ...intent,
    paymentMethod: method.id,
    status: "requires_confirmation",
    authenticated: false,
    nextAction: null,
  };
}

function answer(
  work: Work,
  intent: PaymentIntentRecord,
  shared: { readonly expand: readonly string[] },
): Reply {
  return ok(expand(work, renderPaymentIntent(work, intent), shared.expand));
}

function confirm(
  work: Work,
  intent: PaymentIntentRecord,
  source: PaymentSource | undefined,
  options: AttemptOptions,
  shared: { readonly expand: readonly string[] },
  bending: Bending,
): Reply {
  const chosen = source ?? (intent.paymentMethod === null ? undefined : { id: intent.paymentMethod });
  if (chosen === undefined) {
    throw invalidRequest("This PaymentIntent cannot be confirmed: it has no payment method.", {
      code: "payment_intent_unexpected_state",
      payment_intent: renderPaymentIntent(work, intent),
    });
  }
  const method = resolvePaymentMethod(work, chosen);
  if (method.customer !== null && method.customer !== intent.customer) {
    throw invalidRequest("The PaymentMethod belongs to a customer, who must be given as customer.", {
      param: "payment_method",
    });
  }
  const result = attempt(work, intent, method, options, bending);
  if (result.error !== undefined) return { status: 402, body: { error: result.error } };
  return answer(work, result.intent, shared);
}

function prepareConfirm(params: Params, id: string): Execution {
  params.expectOnly([...SHARED_WITH_CONFIRM, ...CONFIRM_ONLY, "client_secret", "use_stripe_sdk"], NOT_PLAYED);
  const shared = readShared(params);
  const options = readConfirm(params);
  return (work, bending) => {
    const intent = findIntent(work, id);
    if (!OPEN.includes(intent.status)) throw unexpectedState(work, intent, "confirmed", OPEN);
    return confirm(work, { ...intent, ...applied(shared.change) }, shared.source, options, shared, bending);
  };
}

function prepareUpdate(params: Params, id: string): Execution {
  params.expectOnly([...SHARED, "amount", "currency"], ["customer", ...NOT_PLAYED]);
  const amount = params.integer("amount");
  const currency = params.string("currency");
  if (currency !== undefined) checkCurrency(currency);
  const shared = readShared(params);
  return (work) => {
    const intent = findIntent(work, id);
    const guarded = ["amount", "currency", "payment_method", "payment_method_data", "capture_method"];
    const late = guarded.find((name) => params.has(name));
    if (late !== undefined && !OPEN.includes(intent.status)) {
      throw unexpectedState(work, intent, `changed in its ${late}`, OPEN, late);
    }
    if (amount !== undefined || currency !== undefined) {
      checkAmount(amount ?? intent.amount, currency ?? intent.currency);
    }
    const changed = withSource(work, intent, shared.source);
    const next = work.put("paymentIntents", {
      ...changed,
      ...applied(shared.change),
      amount: amount ?? intent.amount,
      currency: currency ?? intent.currency,
      metadata: applyMetadata(intent.metadata, shared.metadata),
      lastPaymentError: null,
    });
    return answer(work, next, shared);
  };
}

function prepareRetrieve(params: Params, id: string): Execution {
  params.expectOnly(["client_secret", "expand"]);
  const paths = params.strings("expand") ?? [];
  return (work) => answer(work, findIntent(work, id), { expand: paths });
}

function prepareList(params: Params): Execution {
  params.expectOnly([...LIST_PARAMS, "customer"], ["customer_account"]);
  const query = listQuery(params);
  const of = params.string("customer");
  const paths = params.strings("expand") ?? [];
  return (work) => {
    const page = list(query, {
      table: work.store.tables.paymentIntents,
      noun: "payment_intent",
      url: "/v1/payment_intents",
      accept: ({ customer }) => of === undefined || customer === of,
      render: (intent) => renderPaymentIntent(work, intent),
    });
    return ok(expand(work, page, paths));
  };
}

const BASE = "/v1/payment_intents";

export const paymentIntentRoutes: readonly Route[] = [
  { method: "POST", path: BASE, operation: "create", prepare: prepareCreate },
  { method: "GET", path: BASE, operation: "lookup", prepare: prepareList },
  { method: "GET", path: `${BASE}/:id`, operation: "lookup", prepare: prepareRetrieve },
  { method: "POST", path: `${BASE}/:id`, operation: "update", prepare: prepareUpdate },
  { method: "POST", path: `${BASE}/:id/confirm`, operation: "confirm", prepare: prepareConfirm },
];
