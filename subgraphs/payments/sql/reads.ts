import type { Parameter, Query, TenantReader } from "../../database/tenant-reader.ts";
import {
  type CheckoutSessionId,
  type CustomerId,
  homeOf,
  idFromUuid,
  type MerchantId,
  type OperationId,
  type PaymentId,
  type PaymentMethodId,
  uuidOf,
} from "../../kernel/ids.ts";
import type { ClaimKind } from "../../ledger/commit.ts";
import type { CheckoutSession } from "../domain/checkout-session.ts";
import { type Customer, customerFrom } from "../domain/customer.ts";
import type { Operation } from "../domain/operation.ts";
import type { Payment, PaymentState } from "../domain/payment.ts";
import { type DatabaseRow, operationFrom, paymentFrom, sessionFrom } from "../domain/rows.ts";

import { type StoredMethod, storedMethodFrom } from "../domain/stored-method.ts";

/** What payments are read by. Everything is scoped to a merchant; what is another's is not there. */
export interface PaymentReads {
  payment(merchant: MerchantId, id: PaymentId): Promise<Payment | null>;
  payments(merchant: MerchantId, ids: readonly PaymentId[]): Promise<Payment[]>;
  operations(merchant: MerchantId, payment: PaymentId): Promise<Operation[]>;
  operation(
    merchant: MerchantId,
    payment: PaymentId,
    id: OperationId,
  ): Promise<{ payment: Payment; operation: Operation } | null>;
  /** A payment and, in the same snapshot, whoever holds the idempotency key. */
  paymentAndClaim(
    merchant: MerchantId,
    id: PaymentId,
    key: string,
  ): Promise<{ payment: Payment | null; claim: StoredClaim | null }>;
  claim(merchant: MerchantId, key: string): Promise<StoredClaim | null>;
  page(merchant: MerchantId, page: PageRequest): Promise<Payment[]>;
  session(merchant: MerchantId, id: CheckoutSessionId): Promise<CheckoutSession | null>;
  /** A stored card, whatever its status. */
  method(merchant: MerchantId, id: PaymentMethodId): Promise<StoredMethod | null>;
  customer(merchant: MerchantId, id: CustomerId): Promise<Customer | null>;
  /** A customer's stored cards that can be paid with, oldest first. */
  methodsOf(merchant: MerchantId, customer: CustomerId): Promise<StoredMethod[]>;
}

export type StoredClaim = {
  readonly fingerprint: string;
  readonly kind: ClaimKind;
  readonly subject: string;
  readonly payment: PaymentId | null;
};

/** `limit` payments next to `cursor`, newest first when `direction` is "older". */
export type PageRequest = {
  readonly limit: number;
  readonly cursor: PaymentId | null;
  readonly direction: "older" | "newer";
  readonly states: readonly PaymentState[] | null;
};

const shard = (merchant: MerchantId): number => homeOf(merchant).shard;
const own = (merchant: MerchantId) => [shard(merchant), uuidOf(merchant)] as const;

/** A payment with what of it never changes; `p` and `t`. */
const PAYMENT = `payments.payment p
  join payments.payment_terms t on t.shard = p.shard and t.merchant = p.merchant and t.id = p.id`;
const PAYMENT_COLUMNS = `p.*, t.card, t.checkout_session, t.description, t.reference, t.customer, t.payment_method,
  t.stored, t.duplicate_of`;
/** An operation with what is kept of it while it is in flight; `o` and `f`. */
const OPERATION = `payments.operation o
  left join payments.in_flight f on f.shard = o.shard and f.operation = o.id`;
const OPERATION_COLUMNS = "o.*, f.request, f.accepted, f.last_sent_at";

const paymentById = (merchant: MerchantId, id: PaymentId): Query => ({
  text: `select ${PAYMENT_COLUMNS} from ${PAYMENT} where p.shard = $1 and p.merchant = $2 and p.id = $3`,
  parameters: [...own(merchant), uuidOf(id)],
});

const claimByKey = (merchant: MerchantId, key: string): Query => ({
  text: `select encode(fingerprint, 'hex') as fingerprint, kind, subject, payment
         from payments.idempotency where shard = $1 and merchant = $2 and key = $3`,
  parameters: [...own(merchant), key],
});

const claimFrom = (row: DatabaseRow | undefined): StoredClaim | null =>
  row === undefined
    ? null
    : {
        fingerprint: row["fingerprint"] as string,
        kind: row["kind"] as ClaimKind,
        subject: row["subject"] as string,
        payment: row["payment"] === null ? null : idFromUuid("pay", row["payment"] as string),
      };

export function createPaymentReads(reader: TenantReader): PaymentReads {
  const first = async (merchant: MerchantId, query: Query): Promise<DatabaseRow | undefined> =>
    (await reader.read(merchant, query))[0]?.[0];
  return {
    async payment(merchant, id) {
      const row = await first(merchant, paymentById(merchant, id));
      return row === undefined ? null : paymentFrom(row);
    },
    async payments(merchant, ids) {
      const [rows] = await reader.read(merchant, {
        text: `select ${PAYMENT_COLUMNS} from ${PAYMENT}
               where p.shard = $1 and p.merchant = $2 and p.id = any($3::text::uuid[])`,
        parameters: [...own(merchant), uuidArray(ids)],
      });
      return (rows ?? []).map(paymentFrom);
    },
    async operations(merchant, payment) {
      const [rows] = await reader.read(merchant, {
        text: `select ${OPERATION_COLUMNS} from ${OPERATION}
               where o.shard = $1 and o.merchant = $2 and o.payment = $3 order by o.id`,
        parameters: [...own(merchant), uuidOf(payment)],
      });
      return (rows ?? []).map(operationFrom);
    },
    async operation(merchant, payment, id) {
      const [payments, operations] = await reader.read(merchant, paymentById(merchant, payment), {
        text: `select ${OPERATION_COLUMNS} from ${OPERATION}
               where o.shard = $1 and o.merchant = $2 and o.payment = $3 and o.id = $4`,
        parameters: [...own(merchant), uuidOf(payment), uuidOf(id)],
      });
      const [paymentRow, operationRow] = [payments?.[0], operations?.[0]];
      if (paymentRow === undefined || operationRow === undefined) return null;
      return { payment: paymentFrom(paymentRow), operation: operationFrom(operationRow) };
    },
    async paymentAndClaim(merchant, id, key) {
      const [payments, claims] = await reader.read(
        merchant,
        paymentById(merchant, id),
        claimByKey(merchant, key),
      );
      const row = payments?.[0];
      return { payment: row === undefined ? null : paymentFrom(row), claim: claimFrom(claims?.[0]) };
    },
    async claim(merchant, key) {
      return claimFrom(await first(merchant, claimByKey(merchant, key)));
    },
    async page(merchant, page) {
      const [rows] = await reader.read(merchant, pageQuery(merchant, page));
      return (rows ?? []).map(paymentFrom);
    },
    async session(merchant, id) {
      const row = await first(merchant, {
        text: "select * from payments.checkout_session where shard = $1 and merchant = $2 and id = $3",
        parameters: [...own(merchant), uuidOf(id)],
      });
      return row === undefined ? null : sessionFrom(row);
    },
    async method(merchant, id) {
      const row = await first(merchant, {
        text: "select * from payments.payment_method where shard = $1 and merchant = $2 and id = $3",
        parameters: [...own(merchant), uuidOf(id)],
      });
      return row === undefined ? null : storedMethodFrom(row);
    },
    async customer(merchant, id) {
      const row = await first(merchant, {
        text: "select * from payments.customer where shard = $1 and merchant = $2 and id = $3",
        parameters: [...own(merchant), uuidOf(id)],
      });
      return row === undefined ? null : customerFrom(row);
    },
    async methodsOf(merchant, customer) {
      const [rows] = await reader.read(merchant, {
        text: `select * from payments.payment_method
               where shard = $1 and merchant = $2 and customer = $3 and status = 'active' order by id limit 100`,
        parameters: [...own(merchant), uuidOf(customer)],
      });
      return (rows ?? []).map(storedMethodFrom);
    },
  };
}

const uuidArray = (ids: readonly PaymentId[]): string => `{${ids.map(uuidOf).join(",")}}`;

/**
 * Ids are UUIDv7: their order is the order of creation, and the primary key serves the page from its cursor on,
 * however deep. (One text with "or cursor is null" would read every page before it.)
 */
function pageQuery(merchant: MerchantId, { limit, cursor, direction, states }: PageRequest): Query {
  const [compare, order] = direction === "older" ? ["<", "desc"] : [">", "asc"];
  const parameters: Parameter[] = [...own(merchant), limit];
  let where = "p.shard = $1 and p.merchant = $2";
  if (cursor !== null) where += ` and p.id ${compare} $${parameters.push(uuidOf(cursor))}::uuid`;
  if (states !== null)
    where += ` and p.state = any ($${parameters.push(`{${states.join(",")}}`)}::text::text[])`;
  const text = `select ${PAYMENT_COLUMNS} from ${PAYMENT} where ${where} order by p.id ${order} limit $3`;
  return { text, parameters };
}
