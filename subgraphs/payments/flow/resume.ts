import type { Payment } from "../domain/payment.ts";
import { isLive } from "../domain/records.ts";
import type { PaymentDeps } from "./deps.ts";
import { settle } from "./recover.ts";

/**
 * Asks at once what became of a payment's operations that are under way: the payer has come back, or the provider has hinted at
 * news. It is what recovery does by itself a little later, and may run beside it: only one of them records.
 */
export async function resume(deps: PaymentDeps, payment: Payment): Promise<void> {
  const operations = await deps.reads.operations(payment.merchant, payment.id);
  // An authentication's end is told to us: there is nobody to ask.
  const asked = operations.filter((operation) => isLive(operation) && operation.kind !== "authenticate");
  for (const operation of asked) {
    try {
      await settle(deps, payment, operation, 1);
    } catch (error) {
      deps.log.warn({ operation: operation.id, err: error }, "it could not be asked for: recovery will");
    }
  }
}
