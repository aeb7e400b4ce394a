import type { Sql } from "postgres";
import { connectAs, type DatabaseUrl } from "../../database/pool.ts";
import {
  homeOf,
  idFromUuid,
  type MerchantId,
  type OperationId,
  type PaymentId,
  uuidOf,
} from "../../kernel/ids.ts";
import { shardOfReference } from "../domain/idempotency.ts";

export type LeasedOperation = {
  readonly merchant: MerchantId;
  readonly payment: PaymentId;
  readonly operation: OperationId;
  /** How often its outcome has been asked for, this time included. */
  readonly inquiries: number;
};

/** Operations whose outcome is unknown and due to be asked for. Several processes may lease from it at once. */
export interface RecoveryQueue {
  lease(limit: number, leaseMs: number): Promise<LeasedOperation[]>;
  inquireIn(operation: Omit<LeasedOperation, "inquiries">, delayMs: number): Promise<void>;
  /** Writes down that the operation's request is about to be sent again. */
  markSent(operation: Omit<LeasedOperation, "inquiries">): Promise<void>;
  /**
   * Writes down that the provider has the request and tells its outcome later. `providerOperation` is the provider's own id of
   * the operation, if it gave one.
   */
  markAccepted(
    operation: Omit<LeasedOperation, "inquiries">,
    providerOperation: string | null,
    askInMs: number,
  ): Promise<void>;
  /** The operation that a provider knows by this reference, in the reference's shard. */
  operationByReference(reference: string): Promise<Omit<LeasedOperation, "inquiries"> | null>;
  /** Notes a piece of a provider's news, with what came of it; false if it was noted before. */
  noteNews(news: NotedNews): Promise<boolean>;
  /** Payments with an authorization whose time is over and that still holds something. */
  overdueAuthorizations(limit: number): Promise<{ merchant: MerchantId; payment: PaymentId }[]>;
  unresolved(): Promise<{ count: number; oldest: Date | null }>;
  forgetOldKeys(limit: number): Promise<number>;
  close(): Promise<void>;
}

type LeasedRow = {
  readonly merchant: string;
  readonly payment: string;
  readonly operation: string;
  readonly inquiries: number;
};

/** A provider's news as it is kept: `id` is the provider's, the same for every delivery of it. */
export type NotedNews = {
  readonly provider: string;
  readonly id: string;
  readonly merchant: MerchantId;
  readonly payment: PaymentId;
  readonly operation: OperationId | null;
  readonly outcome: string;
};

export function createRecoveryQueue(url: DatabaseUrl): RecoveryQueue {
  const sql: Sql = connectAs("tessera_recovery", url, { connections: 2 });
  return {
    async lease(limit, leaseMs) {
      const rows = await sql.unsafe<LeasedRow[]>(
        "select merchant, payment, operation, inquiries from payments.lease_unresolved($1, $2::text::interval)",
        [limit, `${leaseMs} milliseconds`],
        { prepare: true },
      );
      return rows.map((row) => ({
        merchant: idFromUuid("mer", row.merchant),
        payment: idFromUuid("pay", row.payment),
        operation: idFromUuid("op", row.operation),
        inquiries: row.inquiries,
      }));
    },
    async inquireIn({ merchant, payment, operation }, delayMs) {
      await sql.unsafe(
        "select payments.inquire_later($1, $2, $3, $4, $5::text::interval)",
        [
          homeOf(merchant).shard,
          uuidOf(merchant),
          uuidOf(payment),
          uuidOf(operation),
          `${delayMs} milliseconds`,
        ],
        { prepare: true },
      );
    },
    async markSent({ merchant, payment, operation }) {
      await sql.unsafe(
        "select payments.mark_sent($1, $2, $3, $4)",
        [homeOf(merchant).shard, uuidOf(merchant), uuidOf(payment), uuidOf(operation)],
        { prepare: true },
      );
    },
    async markAccepted({ merchant, payment, operation }, providerOperation, askInMs) {
      await sql.unsafe(
        "select payments.mark_accepted($1, $2, $3, $4, $5, $6::text::interval)",
        [
          homeOf(merchant).shard,
          uuidOf(merchant),
          uuidOf(payment),
          uuidOf(operation),
          providerOperation,
          `${askInMs} milliseconds`,
        ],
        { prepare: true },
      );
    },
    async operationByReference(reference) {
      const shard = shardOfReference(reference);
      if (shard === null) return null;
      const [row] = await sql.unsafe<Omit<LeasedRow, "inquiries">[]>(
        "select merchant, payment, operation from payments.operation_by_reference($1, $2)",
        [shard, reference],
        { prepare: true },
      );
      if (row === undefined) return null;
      return {
        merchant: idFromUuid("mer", row.merchant),
        payment: idFromUuid("pay", row.payment),
        operation: idFromUuid("op", row.operation),
      };
    },
    async noteNews({ provider, id, merchant, payment, operation, outcome }) {
      const [row] = await sql.unsafe<{ noted: boolean }[]>(
        "select payments.note_news($1, $2, $3, $4, $5, $6, $7) as noted",
        [
          homeOf(merchant).shard,
          provider,
          id,
          uuidOf(merchant),
          uuidOf(payment),
          operation === null ? null : uuidOf(operation),
          outcome,
        ],
        { prepare: true },
      );
      return row?.noted === true;
    },
    async overdueAuthorizations(limit) {
      const rows = await sql.unsafe<{ merchant: string; payment: string }[]>(
        "select merchant, payment from payments.overdue_authorizations($1)",
        [limit],
        { prepare: true },
      );
      return rows.map(({ merchant, payment }) => ({
        merchant: idFromUuid("mer", merchant),
        payment: idFromUuid("pay", payment),
      }));
    },
    async unresolved() {
      const [row] = await sql.unsafe<{ unresolved: bigint; oldest: Date | null }[]>(
        "select * from payments.count_unresolved()",
      );
      return { count: Number(row?.unresolved ?? 0), oldest: row?.oldest ?? null };
    },
    async forgetOldKeys(limit) {
      const [row] = await sql.unsafe<{ forgotten: number }[]>(
        "select payments.forget_idempotency_keys($1) as forgotten",
        [limit],
      );
      return row?.forgotten ?? 0;
    },
    close: () => sql.end({ timeout: 2 }),
  };
}
