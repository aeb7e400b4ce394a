import type { Payment } from "../../subgraphs/payments/domain/payment.ts";
import type { ProviderName } from "./connectors.ts";
import { operationsOf, sandboxOf } from "./payment-steps.ts";
import type { PaymentWorld } from "./payments.ts";

/** Steps of tests about a payment's attempts. */

type Direct = Exclude<ProviderName, "mollie">;

/** What each provider calls an authorization, and an answer of its own after which nothing was done. */
const REFUSALS = {
  stripe: {
    operation: "create",
    status: 400,
    body: { error: { type: "invalid_request_error", code: "parameter_unknown", message: "" } },
  },
  acquirer: { operation: "authorize", status: 400, body: { error: { code: "format_error", message: "" } } },
  adyen: {
    operation: "authorise",
    status: 422,
    body: { status: 422, errorCode: "14_006", message: "", errorType: "validation" },
  },
} as const satisfies Record<Direct, object>;

/** The provider refuses the next authorizations as such, for certain and before anybody else sees them. */
export function refuseNext(world: PaymentWorld, provider: Direct, times = 1): Promise<void> {
  const { operation, status, body } = REFUSALS[provider];
  return sandboxOf(world, provider).faults([
    { match: { operation }, times, fault: { kind: "status", status, body } },
  ]);
}

/** The payment's attempts in their order: number, provider, state, failure, and why this provider. */
export async function attemptsOf(world: PaymentWorld, payment: Payment) {
  const operations = await operationsOf(world, payment);
  return operations
    .filter(({ kind }) => kind === "authorize")
    .map(
      ({ provider, attempt, state, failure, routing }) =>
        [attempt, provider, state, failure?.code ?? null, routing?.because ?? null] as const,
    );
}
