import { type CustomerId, homeOf, idFromUuid, type MerchantId, newId, uuidOf } from "../../kernel/ids.ts";
import type { Commit } from "../../ledger/commit.ts";
import type { KeyClaim } from "./claims.ts";
import type { DatabaseRow } from "./rows.ts";
import { type StoredMethod, storedMethodRow } from "./stored-method.ts";

/** A merchant's customer: who stored cards belong to. */
export type Customer = {
  readonly id: CustomerId;
  readonly merchant: MerchantId;
  /** The merchant's own words for it. */
  readonly reference: string | null;
  readonly email: string | null;
  readonly name: string | null;
  readonly createdAt: Date;
};

export const customerFrom = (row: DatabaseRow): Customer => ({
  id: idFromUuid("cus", row["id"] as string),
  merchant: idFromUuid("mer", row["merchant"] as string),
  reference: row["reference"] as string | null,
  email: row["email"] as string | null,
  name: row["name"] as string | null,
  createdAt: row["created_at"] as Date,
});

/** Creates a customer under an idempotency key. */
export function createCustomer(customer: Customer, { key, fingerprint }: KeyClaim, at: Date): Commit {
  const { id, merchant, reference, email, name, createdAt } = customer;
  return {
    id: newId("cmt", homeOf(merchant), at),
    merchant,
    at,
    claim: { key, fingerprint, kind: "customer", subject: id, payment: null },
    customer: {
      shard: homeOf(merchant).shard,
      merchant: uuidOf(merchant),
      id: uuidOf(id),
      reference,
      email,
      name,
      created_at: createdAt.toISOString(),
    },
    events: [],
  };
}

/** Removes a stored card: no payment that is claimed after it can use it. Removing it again changes nothing. */
export function removeMethod(method: StoredMethod, at: Date): Commit {
  const removed: StoredMethod = { ...method, status: "removed", updatedAt: at };
  return {
    id: newId("cmt", homeOf(method.merchant), at),
    merchant: method.merchant,
    at,
    method: { update: storedMethodRow(removed) },
    events: [],
  };
}
