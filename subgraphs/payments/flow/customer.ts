import { homeOf, idFromUuid, type MerchantId, newId, type PaymentMethodId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import type { CreateCustomerCommand } from "../domain/commands.ts";
import { type Customer, createCustomer as creating, removeMethod } from "../domain/customer.ts";
import { fingerprint } from "../domain/idempotency.ts";
import type { StoredMethod } from "../domain/stored-method.ts";
import type { PaymentDeps } from "./deps.ts";

/** Customers and their stored cards. Each is one commit. */
export type CustomerOutcome =
  | { readonly kind: "created"; readonly customer: Customer }
  | { readonly kind: "key_reused" }
  | { readonly kind: "overloaded" };

export async function createCustomer(
  deps: PaymentDeps,
  { merchant, key, reference, email, name }: CreateCustomerCommand,
): Promise<CustomerOutcome> {
  const at = deps.clock.now();
  const id = newId("cus", homeOf(merchant), at);
  const customer: Customer = { id, merchant, reference, email, name, createdAt: at };
  const digest = fingerprint("customer", { reference, email, name });
  const result = await deps.commit(creating(customer, { key, fingerprint: digest }, at));
  switch (result.outcome) {
    case "applied":
    case "replayed":
      return { kind: "created", customer };
    case "overloaded":
      return { kind: "overloaded" };
    case "key_taken": {
      if (result.claim.kind !== "customer" || result.claim.fingerprint !== digest)
        return { kind: "key_reused" };
      const stored = await deps.reads.customer(merchant, idFromUuid("cus", result.claim.subject));
      invariant(stored !== null, "a claim's customer exists");
      return { kind: "created", customer: stored };
    }
    default:
      throw new Error(`invariant broken: creating a customer was answered ${result.outcome}`);
  }
}

/** Removes a stored card, once and for all; null if there is none. */
export async function removePaymentMethod(
  deps: PaymentDeps,
  merchant: MerchantId,
  id: PaymentMethodId,
): Promise<StoredMethod | null> {
  const method = await deps.reads.method(merchant, id);
  if (method === null || method.status === "removed") return method;
  const at = deps.clock.now();
  const result = await deps.commit(removeMethod(method, at));
  invariant(
    result.outcome === "applied" || result.outcome === "replayed",
    `a stored card can be removed: ${result.outcome}`,
  );
  return { ...method, status: "removed", updatedAt: at };
}
