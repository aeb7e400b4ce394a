import type { Fragment, TransactionSql } from "postgres";
import { idFromUuid } from "../../kernel/ids.ts";
import { OPERATOR_BOOK } from "../accounts.ts";
import { CAUSES, type JournalCause } from "../commit.ts";
import type { Check } from "./report.ts";
import { cutOf, paymentsOf } from "./scope.ts";

/** Checks between the ledger and the payments. */

const code = (cause: JournalCause): number => CAUSES.indexOf(cause);

/** For a FROM: the transfers `t` of the journals of the payment `p`. */
const transfers = (sql: TransactionSql): Fragment => sql`
  ledger.payment_journal j
  cross join lateral (select ledger.transfer_id(j.commit, 255) as last offset 0) range
  join ledger.transfer t on t.shard = j.shard and t.id > j.commit and t.id <= range.last`;

/** The accounts of payment `p`'s currency that say what a transfer is. */
export const known = (sql: TransactionSql): Fragment => sql`(
  select ledger.account_id(${OPERATOR_BOOK}, 'provider_receivable', p.currency) as receivable,
         ledger.account_id(${OPERATOR_BOOK}, 'fee_revenue', p.currency) as fee
  offset 0) known`;

/** What the transfers of a payment say of it, beside what it says of itself. */
export const payments: Check = {
  names: ["payments"],
  judged: (sql, scope) => sql`
    with ${cutOf(sql, scope)}, ${paymentsOf(sql, scope)}, compared as (
      select p.shard, p.id, p.state, p.authorized, p.captured, p.refunded, p.fee, p.refunding,
             case when p.finalized or p.state in ('voided', 'expired') then 0
                  else greatest(p.authorized - p.captured, 0) end as open, l.*,
             case when l.l_authorized = 0
                    then case when p.state in ('processing', 'requires_action', 'declined', 'failed') then p.state
                              else 'failed' end
                  when l.l_captured = 0
                    then case when l.l_open > 0 then case when p.in_review then 'in_review' else 'authorized' end when l.l_expired then 'expired' else 'voided' end
                  when l.l_refunded = 0 then case when l.l_open > 0 then 'partially_captured' else 'captured' end
                  when l.l_refunded = l.l_captured and l.l_open = 0 then 'refunded'
                  else 'partially_refunded' end as l_state
      from payment p
      cross join lateral ${known(sql)}
      cross join lateral (
        select coalesce(sum(t.amount) filter (where t.debit = known.receivable
                 and ((t.kind = 1 and t.cause in (${code("authorization")}, ${code("increment")})) or (t.kind = 0 and t.cause = ${code("sale")}))), 0)
                 as l_authorized,
               coalesce(sum(t.amount) filter (where t.debit = known.receivable and t.kind in (0, 2)
                 and t.cause <> ${code("refund_reversed")}), 0) as l_captured,
               coalesce(sum(case when t.cause = ${code("refund_reversed")} then -t.amount else t.amount end)
                 filter (where t.kind in (0, 2) and (t.credit = known.receivable
                   or t.cause = ${code("refund_reversed")})), 0) as l_refunded,
               coalesce(sum(t.amount) filter (where t.credit = known.fee and t.kind in (0, 2)), 0) as l_fee,
               coalesce(sum(case when t.kind = 1 then t.amount else -t.amount end)
                 filter (where t.debit = known.receivable and t.kind <> 0), 0) as l_open,
               coalesce(sum(case when t.kind = 1 then t.amount else -t.amount end)
                 filter (where t.credit = known.receivable and t.kind <> 0), 0) as l_refunding,
               coalesce(bool_or(t.cause = ${code("expiry")}), false) as l_expired,
               coalesce(sum(t.amount) filter (where t.currency <> p.currency), 0) as l_other
        from ${transfers(sql)}
        where j.shard = p.shard and j.payment = p.id
      ) l
    )
    select 'payments' as check_name, w.wrong, c.shard, c.id as subject,
           case when w.wrong then json_build_object(
             'state', json_build_array(c.state, c.l_state), 'authorized', json_build_array(c.authorized, c.l_authorized),
             'captured', json_build_array(c.captured, c.l_captured),
             'refunded', json_build_array(c.refunded, c.l_refunded), 'fee', json_build_array(c.fee, c.l_fee),
             'refunds in flight', json_build_array(c.refunding, c.l_refunding),
             'open', json_build_array(c.open, c.l_open),
             'in another currency', json_build_array(0, c.l_other)) end as detail
    from compared c
    cross join lateral (
      select (c.state, c.authorized, c.captured, c.refunded, c.fee, c.refunding, c.open, 0)
        is distinct from (c.l_state, c.l_authorized, c.l_captured, c.l_refunded, c.l_fee, c.l_refunding, c.l_open,
                          c.l_other) as wrong
      offset 0
    ) w`,
  describe: ({ subject, detail }) => ({
    subject: idFromUuid("pay", subject),
    message: Object.entries(detail as Record<string, [unknown, unknown]>)
      .filter(([, [says, posted]]) => String(says) !== String(posted))
      .map(([name, [says, posted]]) => `${name} is ${String(says)}, its transfers say ${String(posted)}`)
      .join("; "),
  }),
};

export const refunds: Check = {
  names: ["refunds"],
  judged: (sql, scope) => sql`
    with ${cutOf(sql, scope)}, ${paymentsOf(sql, scope)}
    select 'refunds' as check_name, held.amount <> due.amount as wrong, o.shard, o.id as subject,
           json_build_object('state', o.state, 'due', due.amount, 'held', held.amount) as detail
    from payment p
    join payments.operation o on o.shard = p.shard and o.merchant = p.merchant and o.payment = p.id
    cross join lateral (select case o.state when 'claimed' then o.amount else 0 end as amount) due
    cross join lateral (
      select coalesce(sum(case when t.id = o.pending_transfer then t.amount else -t.amount end)
        filter (where o.pending_transfer in (t.id, t.pending)), 0) as amount
      from ${transfers(sql)}
        where j.shard = p.shard and j.payment = p.id
    ) held
    where o.kind = 'refund'`,
  describe: ({ subject, detail }) => ({
    subject: idFromUuid("op", subject),
    message: `it is ${String(detail["state"])} and should hold ${String(detail["due"])}, and holds ${String(detail["held"])}`,
  }),
};
