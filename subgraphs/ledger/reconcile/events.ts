import type { Fragment, TransactionSql } from "postgres";
import { idFromUuid } from "../../kernel/ids.ts";
import { CAUSES, type JournalCause } from "../commit.ts";
import { TRANSFER_KINDS, type TransferKind } from "../transfer.ts";
import { known } from "./payments.ts";
import type { Check } from "./report.ts";
import { array, cutOf, leastUuid, ofMerchant, paymentsOf, type Scope } from "./scope.ts";

/** Checks of the outbox. A journal and its event carry the time of their commit in their ids. */

/** The event that tells of a journal, and the kinds of its transfers, fees apart, whose amount it tells. */
const ANNOUNCED: Record<
  JournalCause,
  readonly [type: string, kind: TransferKind, beside?: TransferKind] | null
> = {
  adjustment: null,
  authorization: ["payment.authorized.v1", "pending"],
  sale: ["payment.captured.v1", "single"],
  // What a last capture takes above what was held is single.
  capture: ["payment.captured.v1", "post", "single"],
  void: ["payment.voided.v1", "release"],
  refund_hold: null,
  refund: ["payment.refunded.v1", "post"],
  refund_failed: ["payment.refund_failed.v1", "release"],
  expiry: ["payment.expired.v1", "release"],
  conversion: null,
  increment: ["payment.incremented.v1", "pending"],
  refund_reversed: ["payment.refund_reversed.v1", "single"],
};

const announced = (sql: TransactionSql): Fragment => {
  const rows = CAUSES.flatMap((cause, index) => {
    const told = ANNOUNCED[cause];
    if (told === null) return [];
    const [type, kind, beside] = told;
    const other = beside === undefined ? "null" : TRANSFER_KINDS.indexOf(beside);
    return [{ cause: index, type, kind: TRANSFER_KINDS.indexOf(kind), beside: other }];
  });
  const column = (name: keyof (typeof rows)[number]) => array(rows.map((row) => row[name]));
  return sql`announced as (
    select * from unnest(
      ${column("cause")}::text::smallint[], ${column("type")}::text::text[], ${column("kind")}::text::smallint[],
      ${column("beside")}::text::smallint[]
    ) as announced (cause, type, kind, beside))`;
};

/** For a FROM after `cut`: what the outbox was told in the period, `o`. */
const told = (sql: TransactionSql, scope: Scope): Fragment => sql`
  payments.outbox o on o.shard = cut.shard and o.id >= ${leastUuid(scope.from)} and o.id < ${leastUuid(scope.to)}
    and ${ofMerchant(sql, sql`o.merchant`, scope)}`;

/** Each journal is matched with one event of the same payment, type, currency, amount and fee. */
export const events: Check = {
  names: ["events"],
  judged: (sql, scope) => sql`
    with ${cutOf(sql, scope)}, ${paymentsOf(sql, scope)}, ${announced(sql)}, due as (
      select j.shard, j.commit as id, p.id as payment, a.type, p.currency,
             (w.by_kind[a.kind + 1] + coalesce(w.by_kind[a.beside + 1], 0))::text as amount, w.fee::text as fee
      from payment p
      cross join lateral ${known(sql)}
      join ledger.payment_journal j
        on j.shard = p.shard and j.payment = p.id
       and j.commit >= ${leastUuid(scope.from)} and j.commit < ${leastUuid(scope.to)}
      cross join lateral (
        select min(t.cause) as cause, coalesce(sum(t.amount) filter (where t.credit = known.fee), 0) as fee,
               array[coalesce(sum(t.amount) filter (where t.kind = 0 and t.credit <> known.fee), 0),
                     coalesce(sum(t.amount) filter (where t.kind = 1), 0),
                     coalesce(sum(t.amount) filter (where t.kind = 2), 0),
                     coalesce(sum(t.amount) filter (where t.kind = 3), 0)] as by_kind
        from (select ledger.transfer_id(j.commit, 255) as last offset 0) range
        join ledger.transfer t on t.shard = j.shard and t.id > j.commit and t.id <= range.last
      ) w
      join announced a on a.cause = w.cause
    ), told as (
      select o.shard, o.id, o.payment, o.type, o.body ->> 'currency' as currency, o.body ->> 'amount' as amount,
             coalesce(o.body ->> 'fee', '0') as fee
      from cut join ${told(sql, scope)}
      where o.type in (select a.type from announced a)
        and exists (
          select from payments.payment p where p.shard = o.shard and p.merchant = o.merchant and p.id = o.payment)
    )
    select 'events' as check_name, d.id is null or t.id is null as wrong, coalesce(d.shard, t.shard) as shard,
           coalesce(d.id, t.id) as subject,
           case when d.id is null or t.id is null then json_build_object('announced', t.id is not null, 'type', coalesce(d.type, t.type),
             'amount', coalesce(d.amount, t.amount), 'fee', coalesce(d.fee, t.fee),
             'currency', coalesce(d.currency, t.currency), 'payment', coalesce(d.payment, t.payment)) end as detail
    from (
      select *, row_number() over (partition by shard, payment, type, currency, amount, fee order by id) as nth
      from due
    ) d
    full join (
      select *, row_number() over (partition by shard, payment, type, currency, amount, fee order by id) as nth
      from told
    ) t using (shard, payment, type, currency, amount, fee, nth)`,
  describe({ subject, detail }) {
    const event = `${String(detail["type"])} of ${String(detail["amount"])} ${String(detail["currency"])}`;
    const what = `${event} with a fee of ${String(detail["fee"])}, of ${idFromUuid("pay", detail["payment"] as string)}`;
    return detail["announced"] === true
      ? { subject: idFromUuid("evt", subject), message: `it tells ${what}, and no journal posted that` }
      : { subject: idFromUuid("jrn", subject), message: `it should have announced ${what}` };
  },
};

/** All journals' payments are looked up only when all is: a merchant's are not found by their merchant. */
export const references: Check = {
  names: ["references"],
  judged: (sql, scope) => sql`
    with ${cutOf(sql, scope)}
    select 'references' as check_name, p.id is null as wrong, o.shard, o.id as subject,
           case when p.id is null then json_build_object('event', o.type, 'payment', o.payment) end as detail
    from cut join ${told(sql, scope)}
    left join payments.payment p on p.shard = o.shard and p.merchant = o.merchant and p.id = o.payment
    ${
      scope.merchant !== null
        ? sql``
        : sql`
    union all
    select 'references', p.id is null, j.shard, j.commit,
           case when p.id is null then json_build_object('payment', j.payment) end
    from cut
    join ledger.payment_journal j
      on j.shard = cut.shard and j.commit >= ${leastUuid(scope.from)} and j.commit < ${leastUuid(scope.to)}
    left join payments.payment p on p.shard = j.shard and p.merchant = j.merchant and p.id = j.payment`
    }`,
  describe: ({ subject, detail }) => ({
    subject: "event" in detail ? idFromUuid("evt", subject) : idFromUuid("jrn", subject),
    message: `it is of ${idFromUuid("pay", detail["payment"] as string)}, which is not there`,
  }),
};
