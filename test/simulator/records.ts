import type { Sql } from "postgres";
import { idFromUuid, type PaymentId, uuidOf } from "../../subgraphs/kernel/ids.ts";

/** What the region's database holds after a run, read as its owner: nothing here goes through the product. */
export type OperationRecord = {
  readonly id: string;
  readonly payment: string;
  readonly kind: string;
  readonly state: string;
  readonly amount: bigint;
  readonly final: boolean;
  readonly attempt: number;
  readonly provider: string;
  readonly reference: string;
  readonly claimedAt: Date;
  readonly resolvedAt: Date | null;
};

export type PaymentRecord = {
  readonly id: string;
  readonly merchant: string;
  readonly state: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly captureMethod: string;
  readonly authorized: bigint;
  readonly captured: bigint;
  readonly capturing: bigint;
  readonly refunded: bigint;
  readonly refunding: bigint;
  readonly incrementing: bigint;
  readonly closing: boolean;
  readonly finalized: boolean;
  readonly fee: bigint;
  readonly provider: string;
  readonly providerPayment: string | null;
  /** The payment's number in the plan: its reference is the key that it was asked for with. */
  readonly number: number | null;
  readonly createdAt: Date;
  readonly operations: readonly OperationRecord[];
  readonly posted: Posted;
};

/** What the ledger has of one payment: minor units. */
export type Posted = {
  readonly captured: bigint;
  readonly refunded: bigint;
  readonly fee: bigint;
  readonly held: bigint;
};

const NOTHING: Posted = { captured: 0n, refunded: 0n, fee: 0n, held: 0n };

export async function readPayments(owner: Sql): Promise<ReadonlyMap<string, PaymentRecord>> {
  const rows = await owner`
    select p.id, p.merchant, p.state, p.currency, p.amount, p.capture_method as "captureMethod", p.authorized,
      p.captured, p.capturing, p.refunded, p.refunding, p.incrementing, p.closing, p.finalized, p.fee, p.provider,
      p.provider_payment as "providerPayment", p.created_at as "createdAt",
      substring(t.reference from '^s[0-9]+-p([0-9]+)-')::int as number
    from payments.payment p
    left join payments.payment_terms t on t.shard = p.shard and t.merchant = p.merchant and t.id = p.id`;
  const operations = await readOperations(owner);
  const posted = await readPosted(owner);
  return new Map(
    rows.map((row) => {
      const uuid = row["id"] as string;
      const id = idFromUuid("pay", uuid) as string;
      const merchant = idFromUuid("mer", row["merchant"] as string) as string;
      const own = { id, merchant, operations: operations.get(id) ?? [], posted: posted.get(uuid) ?? NOTHING };
      return [id, { ...row, ...own } as unknown as PaymentRecord];
    }),
  );
}

async function readOperations(owner: Sql): Promise<ReadonlyMap<string, readonly OperationRecord[]>> {
  const rows = await owner`
    select id, payment, kind, state, amount, final, attempt, provider, reference,
      claimed_at as "claimedAt", resolved_at as "resolvedAt"
    from payments.operation order by claimed_at, id`;
  const operations = rows.map(
    (row): OperationRecord =>
      ({
        ...row,
        id: idFromUuid("op", row["id"] as string),
        payment: idFromUuid("pay", row["payment"] as string),
      }) as unknown as OperationRecord,
  );
  return Map.groupBy(operations, ({ payment }) => payment);
}

/** By the payment's UUID. A refund that came back is posted the other way round. */
async function readPosted(owner: Sql): Promise<ReadonlyMap<string, Posted>> {
  const rows = await owner`
    select j.payment,
      coalesce(sum(t.amount) filter (where t.kind in (0, 2) and d.code = 'provider_receivable'
               and t.cause <> k.code), 0)::bigint as captured,
      coalesce(sum(case when t.cause = k.code then -t.amount when c.code = 'provider_receivable' then t.amount
                        else 0 end) filter (where t.kind in (0, 2)), 0)::bigint as refunded,
      coalesce(sum(t.amount) filter (where t.kind = 0 and c.code = 'fee_revenue'), 0)::bigint as fee,
      coalesce(sum(case t.kind when 1 then t.amount when 0 then 0 else -t.amount end)
               filter (where d.code = 'provider_receivable'), 0)::bigint as held
    from ledger.payment_journal j
    join ledger.transfer t on t.shard = j.shard and ledger.commit_of(t.id) = j.commit
    join ledger.cause k on k.name = 'refund_reversed'
    join ledger.account d on d.shard = t.shard and d.id = t.debit
    join ledger.account c on c.shard = t.shard and c.id = t.credit
    group by j.payment`;
  return new Map(rows.map(({ payment, ...amounts }) => [payment as string, amounts as unknown as Posted]));
}

/** The operation that each key of a merchant's has made: `merchant key` to the operation's id. */
export async function readKeys(owner: Sql): Promise<ReadonlyMap<string, string>> {
  const rows = await owner`select merchant, key, subject from payments.idempotency`;
  return new Map(
    rows.map(({ merchant, key, subject }) => [
      `${idFromUuid("mer", merchant as string)} ${key}`,
      idFromUuid("op", subject as string) as string,
    ]),
  );
}

/** What the database knows of some payments that a problem may need: their operations and the news of them. */
export async function dossier(owner: Sql, payments: readonly string[]): Promise<readonly object[]> {
  const uuids = payments.map((id) => uuidOf(id as PaymentId));
  const rows = await owner`
    select p.id, p.state, t.reference,
      (select json_agg(o order by o.claimed_at) from payments.operation o where o.shard = p.shard and o.payment = p.id)
        as operations,
      (select json_agg(n order by n.received_at) from payments.inbound_news n
       where n.shard = p.shard and n.payment = p.id) as news
    from payments.payment p
    left join payments.payment_terms t on t.shard = p.shard and t.merchant = p.merchant and t.id = p.id
    where p.id = any(${uuids}::uuid[])`;
  return rows.map((row) => ({ ...row, id: idFromUuid("pay", row["id"] as string) }));
}

/** What is still under way: operations without an outcome, and events that nobody has taken. */
export async function underWay(owner: Sql): Promise<{
  readonly operations: readonly { readonly payment: string; readonly state: string }[];
  readonly events: number;
}> {
  const rows = await owner`
    select payment, state from payments.operation where state in ('claimed', 'requires_action')`;
  const [events] = await owner`select count(*)::int as count from payments.unpublished`;
  const operations = rows.map((row) => ({
    payment: idFromUuid("pay", row["payment"] as string) as string,
    state: row["state"] as string,
  }));
  return { operations, events: events?.["count"] as number };
}
