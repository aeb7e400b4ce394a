import {
  type CustomerId,
  homeOf,
  idFromUuid,
  type MerchantId,
  type PaymentMethodId,
  uuidOf,
} from "../../kernel/ids.ts";
import type { Row } from "../../ledger/commit.ts";
import type { AnswerDetails } from "./operation.ts";
import type { Card } from "./payment.ts";
import type { DatabaseRow } from "./rows.ts";
import type { StoredCredential } from "./stored-credential.ts";

/**
 * A card that a customer has stored. It is `pending` until a payment with the payer present has been authorized with it,
 * and `removed` at once, everywhere, when the merchant removes it: commit 1 of every payment reads its status.
 */
export type StoredMethod = {
  readonly id: PaymentMethodId;
  readonly merchant: MerchantId;
  readonly customer: CustomerId;
  readonly status: "pending" | "active" | "removed";
  readonly card: Card;
  /** What the payer agreed to. */
  readonly mandate: Mandate;
  /** The scheme's id of the payment that stored it. */
  readonly networkTransactionId: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** The payer's agreement to payments without them: what a scheme asks for in a dispute. */
export type Mandate = {
  readonly reason: StoredCredential["reason"];
  readonly acceptedAt: string;
  readonly ip: string | null;
  /** Of a series: what the first payment was of, in minor units. */
  readonly amount?: { readonly minor: string; readonly currency: string };
};

export function storedMethodRow(method: StoredMethod): Row {
  return {
    shard: homeOf(method.merchant).shard,
    merchant: uuidOf(method.merchant),
    id: uuidOf(method.id),
    customer: uuidOf(method.customer),
    status: method.status,
    card: method.card,
    mandate: method.mandate,
    network_transaction_id: method.networkTransactionId,
    created_at: method.createdAt.toISOString(),
    updated_at: method.updatedAt.toISOString(),
  };
}

/** The stored card's row after the payment that stores it was authorized. */
export function storedBy(method: StoredMethod, details: AnswerDetails | null, at: Date): Row {
  return storedMethodRow({
    ...method,
    status: "active",
    networkTransactionId: details?.networkTransactionId ?? method.networkTransactionId,
    updatedAt: at,
  });
}

export const storedMethodFrom = (row: DatabaseRow): StoredMethod => ({
  id: idFromUuid("pm", row["id"] as string),
  merchant: idFromUuid("mer", row["merchant"] as string),
  customer: idFromUuid("cus", row["customer"] as string),
  status: row["status"] as StoredMethod["status"],
  card: row["card"] as Card,
  mandate: row["mandate"] as Mandate,
  networkTransactionId: row["network_transaction_id"] as string | null,
  createdAt: row["created_at"] as Date,
  updatedAt: row["updated_at"] as Date,
});
