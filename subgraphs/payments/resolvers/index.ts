import {
  publicEntry,
  type RequestContext,
  requireScope,
  secretEntry,
  secretReference,
} from "../../api/context.ts";
import { scalars } from "../../api/scalars.ts";
import type { ResolverMap } from "../../api/subgraph.ts";
import { type CustomerId, kindOf, parseId } from "../../kernel/ids.ts";
import {
  type AuthorizeInput,
  type CreateCustomerInput,
  type FollowUpInput,
  type OpenCheckoutInput,
  parseAuthorize,
  parseBrowser,
  parseCreateCustomer,
  parseFollowUp,
  parseOpenCheckout,
} from "../domain/commands.ts";
import { fingerprint } from "../domain/idempotency.ts";
import type { Operation } from "../domain/operation.ts";
import { authorize } from "../flow/authorize.ts";
import {
  clientSecretOf,
  confirmCheckout,
  openCheckout,
  sessionOfSecret,
  viewSession,
} from "../flow/checkout.ts";
import { createCustomer, removePaymentMethod } from "../flow/customer.ts";
import type { PaymentDeps } from "../flow/deps.ts";
import { type FollowUpKind, followUp } from "../flow/follow-up.ts";
import type { Routing } from "../routing/open-routing.ts";
import { type ConnectionArguments, paymentConnection } from "./connection.ts";
import {
  confirmView,
  customerOutcomeView,
  invalidInput,
  methodNotFound,
  notFound,
  openView,
  outcomeView,
  sessionNotFound,
} from "./results.ts";
import { routingResolvers } from "./routing.ts";
import {
  type CheckoutSessionView,
  customerView,
  methodView,
  operationView,
  type PaymentView,
  paymentView,
  sessionView,
} from "./views.ts";

/** Resolvers of the payments subgraph: parse, run a flow, say what happened. */

type Input<T> = { readonly input: T };
type Context = RequestContext;

export function paymentResolvers(deps: PaymentDeps, routing: Routing): ResolverMap {
  const ofRouting = routingResolvers(routing);
  return {
    ...scalars,
    Query: { ...queries(deps), ...ofRouting.Query },
    Mutation: { ...mutations(deps), ...ofRouting.Mutation },
    Payment: paymentFields(deps),
    Customer: customerFields(deps),
    PaymentMethod: {
      __resolveReference: secretReference(({ id }, context) => oneMethod(deps, id, context)),
    },
    CheckoutSession: sessionFields(deps),
    Node: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
    UserError: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
  };
}

async function onePayment(deps: PaymentDeps, id: string, { identity }: Context): Promise<PaymentView | null> {
  const parsed = parseId("pay", id);
  if (!parsed.ok) return null;
  const payment = await deps.reads.payment(identity.merchant, parsed.value);
  return payment === null ? null : paymentView(payment);
}

async function oneSession(deps: PaymentDeps, id: string, { identity }: Context) {
  const parsed = parseId("cs", id);
  const view = parsed.ok ? await viewSession(deps, identity.merchant, parsed.value) : null;
  return view === null ? null : sessionView(view);
}

function queries(deps: PaymentDeps) {
  return {
    payment: secretEntry((_, { id }: { id: string }, context) => onePayment(deps, id, context)),
    customer: secretEntry((_, { id }: { id: string }, context) => oneCustomer(deps, id, context)),
    payments: secretEntry((_, args: ConnectionArguments, { identity }) =>
      paymentConnection(deps.reads, identity.merchant, args),
    ),
    checkoutSession: publicEntry(async (_, { clientSecret }: { clientSecret: string }, context) => {
      const id = sessionOfSecret(deps, clientSecret);
      return id === null ? null : oneSession(deps, id, context);
    }),
    node: secretEntry((_, { id }: { id: string }, context) => {
      switch (kindOf(id)) {
        case "pay":
          return onePayment(deps, id, context);
        case "cs":
          return oneSession(deps, id, context);
        case "mer":
          return id === context.identity.merchant ? { __typename: "Merchant", id } : null;
        default:
          return null;
      }
    }),
  };
}

/** As the API has it: our words in upper case. */
type Api<T> = Omit<T, "captureMethod" | "storeFor" | "initiator"> & {
  readonly captureMethod: "AUTOMATIC" | "MANUAL";
  readonly storeFor?: string | null;
  readonly initiator?: string | null;
};
const lower = <T>(text: string | null | undefined) => (text ?? null)?.toLowerCase() as T | undefined;
const captureMethodOf = ({ captureMethod }: Api<object>) =>
  captureMethod === "MANUAL" ? ("manual" as const) : ("automatic" as const);

function mutations(deps: PaymentDeps) {
  return {
    authorizePayment: secretEntry(async (_, { input }: Input<Api<AuthorizeInput>>, { identity }) => {
      const parsed = parseAuthorize(identity.merchant, {
        ...input,
        captureMethod: captureMethodOf(input),
        storeFor: lower<AuthorizeInput["storeFor"]>(input.storeFor),
        initiator: lower<AuthorizeInput["initiator"]>(input.initiator),
      });
      if (!parsed.ok) return invalidInput(parsed.error);
      const { merchant: _merchant, key: _key, amount, payer, browser: _browser, ...rest } = parsed.value;
      const digest = fingerprint("authorize", {
        ...rest,
        amount: amount.minor,
        currency: amount.currency,
        payer,
      });
      const outcome = await authorize(deps, { command: parsed.value, fingerprint: digest, session: null });
      if (outcome.kind === "session_moved") throw new Error("invariant broken: there is no session to move");
      return outcomeView(outcome);
    }),
    createCustomer: secretEntry(async (_, { input }: Input<CreateCustomerInput>, { identity }) => {
      const parsed = parseCreateCustomer(identity.merchant, input);
      return parsed.ok
        ? customerOutcomeView(await createCustomer(deps, parsed.value))
        : invalidInput(parsed.error);
    }),
    removePaymentMethod: secretEntry(async (_, { input }: Input<{ paymentMethod: string }>, { identity }) => {
      const id = parseId("pm", input.paymentMethod);
      const removed = id.ok ? await removePaymentMethod(deps, identity.merchant, id.value) : null;
      return removed === null ? methodNotFound() : methodView(removed);
    }),
    incrementAuthorization: followUpEntry(deps, "increment"),
    capturePayment: followUpEntry(deps, "capture"),
    voidPayment: followUpEntry(deps, "void"),
    refundPayment: followUpEntry(deps, "refund"),
    createCheckoutSession: secretEntry(async (_, { input }: Input<Api<OpenCheckoutInput>>, { identity }) => {
      const method = captureMethodOf(input);
      const parsed = parseOpenCheckout(identity.merchant, { ...input, captureMethod: method });
      return parsed.ok ? openView(await openCheckout(deps, parsed.value)) : invalidInput(parsed.error);
    }),
    confirmCheckoutSession: publicEntry(async (_, { input }: Input<ConfirmInput>, { identity }) => {
      const session = sessionOfSecret(deps, input.clientSecret);
      if (session === null) return sessionNotFound();
      const { merchant, ip, country } = identity;
      const told = parseBrowser(input.browser ?? null, identity);
      if (!told.ok) return invalidInput(told.error);
      // A browser's own address is the payer's; a server's says nothing of the payer.
      const payer = { ip, country, email: null };
      const unknownPayer = { ip: null, country: null, email: null };
      const outcome = await confirmCheckout(deps, {
        merchant,
        session,
        token: input.token ?? null,
        attempt: input.attempt,
        browser: told.value,
        payer: identity.scope === "publishable" ? payer : unknownPayer,
      });
      return confirmView(outcome);
    }),
  };
}

type ConfirmInput = {
  readonly clientSecret: string;
  readonly token?: string | null;
  readonly attempt: number;
  readonly browser?: unknown;
};

function followUpEntry(deps: PaymentDeps, kind: FollowUpKind) {
  return secretEntry(async (_, { input }: Input<FollowUpInput & { payment: string }>, { identity }) => {
    const id = parseId("pay", input.payment);
    if (!id.ok) return notFound();
    const parsed = parseFollowUp(identity.merchant, id.value, input);
    return parsed.ok ? outcomeView(await followUp(deps, kind, parsed.value)) : invalidInput(parsed.error);
  });
}

async function oneCustomer(deps: PaymentDeps, id: string | null, { identity }: Context) {
  const parsed = id === null ? null : parseId("cus", id);
  const customer = parsed?.ok ? await deps.reads.customer(identity.merchant, parsed.value) : null;
  return customer === null ? null : customerView(customer);
}

async function oneMethod(deps: PaymentDeps, id: string | null, { identity }: Context) {
  const parsed = id === null ? null : parseId("pm", id);
  const method = parsed?.ok ? await deps.reads.method(identity.merchant, parsed.value) : null;
  return method === null ? null : methodView(method);
}

function customerFields(deps: PaymentDeps) {
  return {
    __resolveReference: secretReference(({ id }, context) => oneCustomer(deps, id, context)),
    paymentMethods: async ({ id }: { id: CustomerId }, _: unknown, { identity }: Context) =>
      (await deps.reads.methodsOf(identity.merchant, id)).map(methodView),
  };
}

function paymentFields(deps: PaymentDeps) {
  const attempts = ({ kind }: Operation) => kind === "authorize" || kind === "authenticate";
  return {
    __resolveReference: secretReference(({ id }, context) => onePayment(deps, id, context)),
    customer: ({ customerId }: PaymentView, _: unknown, context: Context) =>
      oneCustomer(deps, customerId, context),
    paymentMethod: ({ paymentMethodId }: PaymentView, _: unknown, context: Context) =>
      oneMethod(deps, paymentMethodId, context),
    duplicateOf: ({ duplicateOfId }: PaymentView, _: unknown, context: Context) =>
      duplicateOfId === null ? null : onePayment(deps, duplicateOfId, context),
    attempts: async ({ id, amount }: PaymentView, _: unknown, { identity }: Context) => {
      const operations = await deps.reads.operations(identity.merchant, id);
      return operations.filter(attempts).map((operation) => operationView(operation, amount.currency));
    },
    operations: async ({ id, amount }: PaymentView, _: unknown, { identity }: Context) => {
      const operations = await deps.reads.operations(identity.merchant, id);
      return operations.map((operation) => operationView(operation, amount.currency));
    },
    checkoutSession: ({ checkoutSessionId }: PaymentView, _: unknown, context: Context) =>
      checkoutSessionId === null ? null : oneSession(deps, checkoutSessionId, context),
  };
}

function sessionFields(deps: PaymentDeps) {
  return {
    __resolveReference: secretReference(({ id }, context) => oneSession(deps, id, context)),
    merchantName: async (_: CheckoutSessionView, __: unknown, { identity }: Context) =>
      (await deps.merchants.profile(identity.merchant))?.name ?? "",
    clientSecret: (view: CheckoutSessionView, _: unknown, context: Context) => {
      requireScope(context, "secret");
      return clientSecretOf(deps, view.id);
    },
    payment: ({ latestPayment }: CheckoutSessionView, _: unknown, context: Context) => {
      requireScope(context, "secret");
      return latestPayment === null ? null : paymentView(latestPayment);
    },
  };
}
