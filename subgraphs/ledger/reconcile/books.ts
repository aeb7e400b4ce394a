import { idFromUuid } from "../../kernel/ids.ts";
import type { Check, WrongRow } from "./report.ts";
import { cutOf, movedIn, ofMerchant } from "./scope.ts";

/** Checks within the ledger: journals, balances, statements and what is pending. */

/** A transfer between accounts of its own currency adds nothing to any sum, so only others need be summed. */
export const journals: Check = {
  names: ["journals"],
  judged: (sql, scope) => sql`
    with ${cutOf(sql, scope)}, ${movedIn(sql, scope)}, side as (
      select m.shard, m.id, m.amount, m.currency, d.currency as debit, c.currency as credit
      from moved m
      left join ledger.account d on d.shard = m.shard and d.id = m.debit
      left join ledger.account c on c.shard = m.shard and c.id = m.credit
      where m.inside
    ), astray as (
      select s.shard, ledger.commit_of(s.id) as journal, coalesce(e.currency, 'no account') as currency,
             sum(e.amount) as sum
      from side s cross join lateral (values (s.debit, s.amount), (s.credit, -s.amount)) as e (currency, amount)
      where (s.debit, s.credit) is distinct from (s.currency, s.currency)
      group by 1, 2, 3
    )
    select 'journals' as check_name, false as wrong, s.shard, null::uuid as subject, null::json as detail from side s
    union all
    select 'journals', true, a.shard, a.journal, json_object_agg(a.currency, a.sum::text)
    from astray a group by a.shard, a.journal`,
  describe: ({ subject, detail }) => ({
    subject: idFromUuid("jrn", subject),
    message: `its entries are in accounts of other currencies, and come to ${amounts(detail)}`,
  }),
};

const amounts = (detail: WrongRow["detail"]): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");

/** What was there before the period, by its statements, with what the period's transfers give. */
export const balances: Check = {
  names: ["balances", "statements"],
  judged: (sql, scope) => sql`
    with ${cutOf(sql, scope)}, ${movedIn(sql, scope)}, replayed as (
      select m.shard, s.account,
             coalesce(sum(m.amount) filter (where s.is_debit and m.kind in (0, 2)), 0) as debits_posted,
             coalesce(sum(m.amount) filter (where not s.is_debit and m.kind in (0, 2)), 0) as credits_posted,
             coalesce(sum(s.held) filter (where s.is_debit), 0) as debits_pending,
             coalesce(sum(s.held) filter (where not s.is_debit), 0) as credits_pending
      from moved m
      cross join lateral (values
        (m.debit, true, case m.kind when 0 then 0 when 1 then m.amount else -m.amount end),
        (m.credit, false, case m.kind when 0 then 0 when 1 then m.amount else -m.amount end)
      ) as s (account, is_debit, held)
      where m.inside
      group by 1, 2
    ), compared as (
      select a.shard, a.id, a.code, a.currency, a.book,
             (coalesce(o.debits_posted, 0) + coalesce(r.debits_posted, 0))::text || ' / ' ||
             (coalesce(o.credits_posted, 0) + coalesce(r.credits_posted, 0))::text || ' / ' ||
             (coalesce(o.debits_pending, 0) + coalesce(r.debits_pending, 0))::text || ' / ' ||
             (coalesce(o.credits_pending, 0) + coalesce(r.credits_pending, 0))::text as due,
             b.debits_posted || ' / ' || b.credits_posted || ' / ' || b.debits_pending || ' / ' || b.credits_pending
               as kept,
             coalesce(l.debits_posted || ' / ' || l.credits_posted || ' / ' || l.debits_pending || ' / ' ||
                      l.credits_pending, '0 / 0 / 0 / 0') as line,
             cut.live, cut.projected
      from cut
      join ledger.account a on a.shard = cut.shard and ${ofMerchant(sql, sql`a.book`, scope)}
      left join replayed r on r.shard = a.shard and r.account = a.id
      left join ledger.balance b on b.shard = a.shard and b.id = a.id
      left join lateral (
        select * from ledger.statement_line o
        where o.shard = a.shard and o.account = a.id and o.seq <= cut.low order by o.seq desc limit 1
      ) o on cut.low > 0
      left join lateral (
        select * from ledger.statement_line l
        where l.shard = a.shard and l.account = a.id and l.seq <= cut.high order by l.seq desc limit 1
      ) l on cut.projected
    )
    select v.check_name, v.found is distinct from c.due as wrong, c.shard, c.book as subject,
           json_build_object('code', c.code, 'currency', c.currency, 'found', v.found, 'due', c.due) as detail
    from compared c
    cross join lateral (values ('balances', c.kept, c.live), ('statements', c.line, c.projected))
      as v (check_name, found, comparable)
    where v.comparable`,
  describe: ({ check, shard, subject, detail }) => ({
    subject: `${idFromUuid("book", subject)}/${String(detail["code"])}/${String(detail["currency"])}`,
    message:
      `its ${check === "balances" ? "kept balances are" : "statement ends with"} ` +
      `${String(detail["found"])}, its transfers give ${String(detail["due"])} ` +
      `(debits / credits posted, debits / credits pending; shard ${shard})`,
  }),
};

/** Parts are looked for up to now, since what is pending is known only as of now. */
export const pending: Check = {
  names: ["pending"],
  judged: (sql, scope) => sql`
    with ${cutOf(sql, scope)}, ${movedIn(sql, scope)}, resolved as (
      select m.shard, m.pending, sum(m.amount) as amount from moved m where m.kind in (2, 3) group by 1, 2
    )
    select 'pending' as check_name, w.wrong, m.shard, m.id as subject,
           case when w.wrong then
             json_build_object('left', m.amount - coalesce(r.amount, 0), 'kept', coalesce(p.remaining, 0)) end as detail
    from moved m
    left join resolved r on r.shard = m.shard and r.pending = m.id
    left join ledger.pending p on p.shard = m.shard and p.transfer = m.id
    cross join lateral (
      select (m.amount - coalesce(r.amount, 0), m.debit, m.credit, m.currency)
        is distinct from (coalesce(p.remaining, 0), coalesce(p.debit, m.debit), coalesce(p.credit, m.credit),
                          coalesce(p.currency, m.currency)) as wrong
      offset 0
    ) w
    where m.kind = 1 and m.inside
    union all
    select 'pending', true, m.shard, m.id, json_build_object('part_of', m.pending)
    from moved m
    left join ledger.transfer p on p.shard = m.shard and p.id = m.pending
    where m.kind in (2, 3) and m.inside
      and (p.kind, p.debit, p.credit, p.currency) is distinct from (1::smallint, m.debit, m.credit, m.currency)
    union all
    select 'pending', true, p.shard, p.transfer, json_build_object('kept', p.remaining, 'payment', p.payment)
    from moved m
    join ledger.pending p on p.shard = m.shard and p.transfer = m.id
    where m.kind = 1 and m.inside and p.payment is not null
      and not exists (
        select from ledger.payment_journal j
        where j.shard = p.shard and j.payment = p.payment and j.commit = ledger.commit_of(p.transfer))
    union all
    select 'pending', true, p.shard, p.transfer, json_build_object('kept', p.remaining)
    from cut
    join ledger.pending p on p.shard = cut.shard
    left join ledger.transfer t on t.shard = p.shard and t.id = p.transfer and t.kind = 1
    where t.id is null
      and ${
        scope.merchant === null
          ? sql`true`
          : sql`exists (select from ledger.account a
                        where a.shard = p.shard and a.id in (p.debit, p.credit) and a.book = ${scope.merchant})`
      }`,
  describe: ({ subject, detail }) => ({
    subject: idFromUuid("trf", subject),
    message: pendingMessage(detail),
  }),
};

function pendingMessage(detail: WrongRow["detail"]): string {
  const kept = `${String(detail["kept"])} is kept as pending`;
  if ("part_of" in detail)
    return `it resolves a part of ${idFromUuid("trf", detail["part_of"] as string)}, which is no such pending transfer`;
  if ("left" in detail) return `its parts leave ${String(detail["left"])}, and ${kept}`;
  if ("payment" in detail)
    return `${kept} for ${idFromUuid("pay", detail["payment"] as string)}, which did not ask for it`;
  return `${kept}, and there is no such pending transfer`;
}
