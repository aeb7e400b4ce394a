-- migrate:up

-- Statements: what each account's balances were after each transfer, written by a projector that follows the chain.
-- The hot table needs no index for them, and a payment does not wait for them.

do $$
declare
  role_name text;
begin
  foreach role_name in array array[
    'tessera_projector', -- writes statements from the transfers: may execute one function and nothing else
    'tessera_reconciler' -- compares ledger, payments and outbox: may read them and nothing else
  ] loop
    begin
      execute format('create role %I nologin', role_name);
    exception when duplicate_object or unique_violation then
      null;
    end;
    execute format('grant %I to current_user', role_name);
  end loop;
end $$;
grant usage on schema ledger to tessera_projector, tessera_reconciler;
grant usage on schema payments to tessera_reconciler;

-- One side of one transfer, and the account's balances with it.
create table ledger.statement_line (
  seq bigint not null,      -- the transfer's
  account bigint not null,
  amount bigint not null,   -- signed: debits positive, as in ledger.entry
  at timestamptz not null,
  debits_posted bigint not null,
  credits_posted bigint not null,
  debits_pending bigint not null,
  credits_pending bigint not null,
  transfer uuid not null,
  merchant uuid,            -- the account's; null: the operator's
  shard smallint not null,
  kind smallint not null,
  cause smallint not null,
  primary key (shard, account, seq)
);

-- How far each shard's batches are projected.
create table ledger.projection (
  shard smallint primary key,
  batch bigint not null,    -- number of the last one
  seq bigint not null,      -- of its last transfer
  at timestamptz not null   -- of the last one
) with (fillfactor = 10);

alter table ledger.statement_line enable row level security;
create policy own_lines on ledger.statement_line for select using (merchant = merchants.current_merchant());
grant select on ledger.statement_line to tessera_ledger;

-- Pages that the index on time does not know of yet are read by every scan of it, and it learns of them when the
-- table is vacuumed, which is too seldom. The range that is being filled is left alone: summarized, it would cost
-- every insert. A table that is locked is being vacuumed, which does the same.
create table ledger.summarized (
  one boolean primary key default true check (one),
  ranges bigint not null -- of 32 pages, from the table's begin
);
insert into ledger.summarized (ranges) values (0);
create function ledger.summarize_new_transfers() returns void
  language plpgsql volatile set search_path = pg_catalog set lock_timeout = '20ms'
  as $$
declare
  v_full bigint := pg_relation_size('ledger.transfer') / current_setting('block_size')::bigint / 32;
  v_done bigint;
begin
  select s.ranges into v_done from ledger.summarized s where s.ranges <> v_full for update skip locked;
  if not found then
    return;
  end if;
  v_full := least(v_full, v_done + 1000);
  perform brin_summarize_range('ledger.transfer_in_time', r * 32) from generate_series(v_done, v_full - 1) r;
  update ledger.summarized set ranges = v_full;
exception when lock_not_available then
  null;
end $$;

-- Writes the statement lines of the batches that come next, of up to 32 shards and about p_limit transfers, the oldest
-- first; answers how many transfers it projected, and the shards that it cannot project since their transfers
-- are not what their batches say. Shards that another projector has locked are left to it.
--
-- A shard's batches become visible in order, because each holds the chain's row until it commits: what follows the last
-- one projected is the next one, and none can come in between. The transfers are found by the time of their batches.
create function ledger.project_batches(p_limit integer, out projected bigint, out stalled smallint[])
  language plpgsql volatile security definer
  set search_path = pg_catalog
  set enable_seqscan = off -- a plan that was made while the tables were small would read all of them
  as $$
declare
  v_shards smallint[];
  v_batches bigint[];
  k_shard smallint[];
  k_number bigint[];
  k_first bigint[];
  k_count integer[];
  k_at timestamptz[];
begin
  select array_agg(m.shard), array_agg(m.batch) into v_shards, v_batches
  from (
    select p.shard, p.batch
    from ledger.projection p
    join ledger.chain c on c.shard = p.shard
    where c.batch > p.batch
    order by p.at, p.shard
    limit 32
    for update of p skip locked
  ) m;
  if v_shards is null then
    projected := 0;
    return;
  end if;
  perform ledger.summarize_new_transfers();

  with next as (
    -- Ordered by what cannot go back within a shard, so that no batch is taken before the one it follows.
    select b.*, max(b.at) over (partition by b.shard order by b.number) as reached
    from unnest(v_shards, v_batches) as m (shard, batch)
    cross join lateral (
      select b.shard, b.number, b.first_seq, b.count, b.at
      from ledger.batch b where b.shard = m.shard and b.number > m.batch order by b.number limit 100
    ) b
  ), counted as (
    select n.*, sum(n.count) over (order by n.reached, n.shard, n.number) - n.count as transfers_before from next n
  )
  select array_agg(c.shard), array_agg(c.number), array_agg(c.first_seq), array_agg(c.count), array_agg(c.at)
  into k_shard, k_number, k_first, k_count, k_at
  from counted c where c.transfers_before < p_limit;

  with taken as (
    select x.* from unnest(k_shard, k_number, k_first, k_count, k_at) as x (shard, number, first_seq, count, at)
  ), moment as (
    select at, sum(case when gap > interval '1 second' then 1 else 0 end) over (order by at) as island
    from (select distinct at, at - lag(at) over (order by at) as gap from taken) g
  ), span as (
    select min(at) as first, max(at) as last from moment group by island
  ), found as materialized (
    select t.shard, t.seq, t.at, t.id, t.kind, t.cause, t.debit, t.credit, t.amount, k.number
    from span
    cross join lateral (
      select * from ledger.transfer t where t.at between span.first and span.last offset 0
    ) t
    join taken k on k.shard = t.shard and k.at = t.at and t.seq between k.first_seq and k.first_seq + k.count - 1
  ), bad as materialized (
    select distinct k.shard
    from taken k
    left join (select f.shard, f.number, count(*) as count from found f group by 1, 2) f
      on f.shard = k.shard and f.number = k.number
    where f.count is distinct from k.count
  ), side as (
    select f.shard, f.seq, f.at, f.id, f.kind, f.cause, s.account, s.amount,
           case when f.kind in (0, 2) then f.amount else 0 end as posted,
           case f.kind when 0 then 0 when 1 then f.amount else -f.amount end as held
    from found f
    cross join lateral (values (f.debit, f.amount), (f.credit, -f.amount)) as s (account, amount)
    where not exists (select from bad where bad.shard = f.shard)
  ), lines as (
    insert into ledger.statement_line
      (shard, account, seq, at, transfer, kind, cause, amount, debits_posted, credits_posted, debits_pending,
       credits_pending, merchant)
    select s.shard, s.account, s.seq, s.at, s.id, s.kind, s.cause, s.amount,
           coalesce(l.debits_posted, 0) + coalesce(sum(s.posted) filter (where s.amount > 0) over before, 0),
           coalesce(l.credits_posted, 0) + coalesce(sum(s.posted) filter (where s.amount < 0) over before, 0),
           coalesce(l.debits_pending, 0) + coalesce(sum(s.held) filter (where s.amount > 0) over before, 0),
           coalesce(l.credits_pending, 0) + coalesce(sum(s.held) filter (where s.amount < 0) over before, 0),
           l.merchant
    from side s
    join (
      select a.shard, a.account, o.merchant, l.*
      from (select distinct shard, account from side) a
      left join ledger.account o on o.shard = a.shard and o.id = a.account
      left join lateral (
        select l.debits_posted, l.credits_posted, l.debits_pending, l.credits_pending
        from ledger.statement_line l where l.shard = a.shard and l.account = a.account order by l.seq desc limit 1
      ) l on true
    ) l on l.shard = s.shard and l.account = s.account
    window before as (partition by s.shard, s.account order by s.seq)
  ), moved as (
    update ledger.projection p
    set batch = k.number, seq = k.last_seq, at = k.at
    from (
      select distinct on (t.shard) t.shard, t.number, t.first_seq + t.count - 1 as last_seq, t.at
      from taken t where not exists (select from bad where bad.shard = t.shard)
      order by t.shard, t.number desc
    ) k
    where p.shard = k.shard
    returning 1
  )
  select coalesce(sum(t.count) filter (where not exists (select from bad where bad.shard = t.shard)), 0),
         (select array_agg(shard) from bad)
  into projected, stalled
  from taken t;
end $$;
revoke execute on function ledger.summarize_new_transfers(), ledger.project_batches(integer) from public;
grant execute on function ledger.project_batches(integer) to tessera_projector;

-- What stands before the chain begins has no batch.
insert into ledger.projection (shard, batch, seq, at)
select c.shard, 0, coalesce(b.first_seq - 1, c.seq), coalesce(t.at, 'epoch')
from ledger.chain c
left join ledger.batch b on b.shard = c.shard and b.number = 1
left join (
  select t.shard, max(t.at) as at
  from ledger.transfer t
  left join ledger.batch b on b.shard = t.shard and b.number = 1
  where b.first_seq is null or t.seq < b.first_seq
  group by t.shard
) t on t.shard = c.shard;
insert into ledger.statement_line
  (shard, account, seq, at, transfer, kind, cause, amount, debits_posted, credits_posted, debits_pending,
   credits_pending, merchant)
select s.shard, s.account, s.seq, s.at, s.id, s.kind, s.cause, s.amount,
       coalesce(sum(s.posted) filter (where s.amount > 0) over before, 0),
       coalesce(sum(s.posted) filter (where s.amount < 0) over before, 0),
       coalesce(sum(s.held) filter (where s.amount > 0) over before, 0),
       coalesce(sum(s.held) filter (where s.amount < 0) over before, 0),
       a.merchant
from (
  select t.shard, t.seq, t.at, t.id, t.kind, t.cause, side.account, side.amount,
         case when t.kind in (0, 2) then t.amount else 0 end as posted,
         case t.kind when 0 then 0 when 1 then t.amount else -t.amount end as held
  from ledger.projection p
  join ledger.transfer t on t.shard = p.shard and t.seq <= p.seq
  cross join lateral (values (t.debit, t.amount), (t.credit, -t.amount)) as side (account, amount)
) s
join ledger.account a on a.shard = s.shard and a.id = s.account
window before as (partition by s.shard, s.account order by s.seq);

-- Through which instant statements are complete: no batch of that instant or before can come any more. Batches carry
-- the committer's clock, which never goes back within a shard; where everything is projected, the next one may
-- have been stamped up to 15 seconds ago (a statement may take 10) and not be committed yet.
create function ledger.projected_through(p_shard smallint) returns timestamptz
  language sql stable security definer set search_path = pg_catalog
  as $$
    select date_trunc('milliseconds', case
      when p.batch = c.batch then greatest(p.at - interval '1 millisecond', now() - interval '15 seconds')
      else p.at - interval '1 millisecond' end)
    from ledger.projection p join ledger.chain c on c.shard = p.shard
    where p.shard = p_shard
  $$;

-- The last transfer of a shard, among those projected, that was made at p_at or before; 0 if none was. Batches are
-- numbered without gaps and in order of time, so halving finds it in a few dozen look-ups.
create function ledger.seq_at(p_shard smallint, p_at timestamptz) returns bigint
  language plpgsql stable security definer set search_path = pg_catalog set enable_seqscan = off
  as $$
declare
  v_low bigint := 0;
  v_high bigint := (select p.batch from ledger.projection p where p.shard = p_shard);
  v_middle bigint;
begin
  while v_low < v_high loop
    v_middle := (v_low + v_high + 1) / 2;
    if (select b.at <= p_at from ledger.batch b where b.shard = p_shard and b.number = v_middle) then
      v_low := v_middle;
    else
      v_high := v_middle - 1;
    end if;
  end loop;
  if v_low > 0 then
    return (select b.first_seq + b.count - 1 from ledger.batch b where b.shard = p_shard and b.number = v_low);
  end if;
  return coalesce((
    select max(t.seq) from ledger.transfer t
    where t.at <= p_at and t.shard = p_shard
      and t.seq < coalesce((select b.first_seq from ledger.batch b where b.shard = p_shard and b.number = 1), t.seq + 1)
  ), 0);
end $$;
revoke execute on function ledger.projected_through(smallint), ledger.seq_at(smallint, timestamptz) from public;
grant execute on function ledger.projected_through(smallint), ledger.seq_at(smallint, timestamptz),
  ledger.transfer_id(uuid, integer), ledger.commit_of(uuid) to tessera_ledger, tessera_reconciler;

-- Reconciliation sees all of what it compares, and changes nothing of it.
create policy for_reconciler on ledger.account for select to tessera_reconciler using (true);
create policy for_reconciler on ledger.balance for select to tessera_reconciler using (true);
create policy for_reconciler on ledger.transfer for select to tessera_reconciler using (true);
create policy for_reconciler on ledger.pending for select to tessera_reconciler using (true);
create policy for_reconciler on ledger.payment_journal for select to tessera_reconciler using (true);
create policy for_reconciler on ledger.statement_line for select to tessera_reconciler using (true);
create policy for_reconciler on payments.payment for select to tessera_reconciler using (true);
create policy for_reconciler on payments.operation for select to tessera_reconciler using (true);
grant select on ledger.account, ledger.balance, ledger.transfer, ledger.pending, ledger.payment_journal, ledger.cause,
  ledger.chain, ledger.batch, ledger.projection, ledger.statement_line to tessera_reconciler;
grant select on payments.payment, payments.operation, payments.outbox to tessera_reconciler;
grant execute on function ledger.account_id(uuid, text, text) to tessera_reconciler;

-- migrate:down
-- Migrations only go forward.
