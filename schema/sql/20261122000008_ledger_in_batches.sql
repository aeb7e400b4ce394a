-- migrate:up

-- The ledger as batches write it. A commit's transfers share its id but for one byte, so that a transfer's primary
-- key finds a commit, its journal and a pending transfer alike, and the hot table needs no other index. Balances
-- stand apart from accounts, narrow, since they change all the time. What was posted before is kept.

-- A commit's id has 0 in byte 13; its transfers have their position there, 1 to 255.
create function ledger.transfer_id(p_commit uuid, p_position integer) returns uuid
  language sql immutable strict parallel safe
  return overlay(p_commit::text placing lpad(to_hex(p_position), 2, '0') from 31 for 2)::uuid;
create function ledger.commit_of(p_transfer uuid) returns uuid
  language sql immutable strict parallel safe
  return overlay(p_transfer::text placing '00' from 31 for 2)::uuid;
grant execute on function ledger.transfer_id(uuid, integer), ledger.commit_of(uuid) to public;

-- An account's id is a digest of what it is, so that whoever names it knows it. Two that collide cannot both be
-- opened.
create function ledger.account_id(p_book uuid, p_code text, p_currency text) returns bigint
  language sql immutable strict parallel safe
  return ('x' || encode(substring(sha256(convert_to(p_book || '/' || p_code || '/' || p_currency, 'UTF8')) from 1 for 8),
                        'hex'))::bit(64)::bigint & 9223372036854775807;

drop function ledger.apply_commit(jsonb);
drop function ledger.refuse_commit(smallint, uuid, bytea, jsonb);
drop function ledger.post_journal(smallint, uuid, timestamptz, jsonb);
drop function ledger.account_id(smallint, uuid, uuid, text, text, text);
drop function ledger.account_names(smallint, bigint[]);
drop view ledger.entry;
alter table ledger.transfer rename to old_transfer;
alter table ledger.account rename to old_account;
alter table ledger.journal rename to old_journal;
alter table ledger.pending rename to old_pending;
alter table ledger.commit rename to old_commit;
alter index ledger.transfer_pkey rename to old_transfer_pkey;
alter index ledger.account_pkey rename to old_account_pkey;
alter index ledger.journal_pkey rename to old_journal_pkey;
alter index ledger.pending_pkey rename to old_pending_pkey;
alter index ledger.commit_pkey rename to old_commit_pkey;

-- Why transfers were made: reference data, the same everywhere.
create table ledger.cause (
  code smallint primary key,
  name text not null unique
);
insert into ledger.cause (code, name) values
  (0, 'adjustment'), (1, 'authorization'), (2, 'sale'), (3, 'capture'), (4, 'void'), (5, 'refund_hold'),
  (6, 'refund'), (7, 'refund_failed'), (8, 'expiry'), (9, 'conversion');

-- What an account is. It never changes.
create table ledger.account (
  shard smallint not null,
  id bigint not null,
  book uuid not null,
  merchant uuid, -- null: the operator's
  code text not null check (code ~ '^[a-z][a-z0-9_]*(:[A-Za-z0-9_.-]+)?$' and length(code) <= 64),
  currency text not null check (currency ~ '^[A-Z]{3,10}$'),
  normal_side text not null check (normal_side in ('debit', 'credit')),
  -- Whether its balance may go below zero on its normal side.
  overdraft boolean not null,
  opened_at timestamptz not null,
  primary key (shard, id),
  unique (shard, book, code, currency),
  check (id = ledger.account_id(book, code, currency)),
  foreign key (shard, book) references ledger.book (shard, id)
);

-- What an account has: kept by each batch, provable from the transfers.
create table ledger.balance (
  id bigint not null,
  debits_posted bigint not null default 0 check (debits_posted >= 0),
  credits_posted bigint not null default 0 check (credits_posted >= 0),
  debits_pending bigint not null default 0 check (debits_pending >= 0),
  credits_pending bigint not null default 0 check (credits_pending >= 0),
  shard smallint not null,
  -- 0: nothing | 1: debits, also pending ones, must not exceed posted credits | 2: credits, likewise, debits
  limited smallint not null check (limited in (0, 1, 2)),
  primary key (shard, id)
) with (fillfactor = 50);

-- One amount from a debit account to a credit account: balanced by construction, never changed.
create table ledger.transfer (
  seq bigint not null,      -- position in the shard, without gaps
  debit bigint not null,
  credit bigint not null,
  amount bigint not null check (amount > 0 and amount <= 4611686018427387904),
  at timestamptz not null,  -- when its batch was made, by the committer's clock
  content bigint not null,  -- digest of the whole commit that it belongs to
  id uuid not null,
  shard smallint not null,
  kind smallint not null,   -- 0 single | 1 pending | 2 post | 3 release
  cause smallint not null,
  currency text not null,
  pending uuid,             -- the pending transfer that a post or release resolves a part of
  primary key (shard, id),
  check (debit <> credit),
  check ((pending is not null) = (kind in (2, 3)))
);
create index transfer_in_time on ledger.transfer using brin (at) with (pages_per_range = 32);

-- What is left of each pending transfer. A part is resolved exactly once because it is taken from here; a row
-- whose parts are all resolved is gone. Ids are in order of time, so the oldest are found first.
create table ledger.pending (
  shard smallint not null,
  transfer uuid not null,
  debit bigint not null,
  credit bigint not null,
  currency text not null,
  remaining bigint not null check (remaining > 0),
  payment uuid,            -- that it is held for
  expires_at timestamptz,  -- what is left by then is to be released
  primary key (shard, transfer)
) with (fillfactor = 80);

-- Commits without transfers; the others are known by their first transfer.
create table ledger.commit (
  shard smallint not null,
  id uuid not null,
  content bigint not null,
  primary key (shard, id)
);

-- Which commits posted for a payment.
create table ledger.payment_journal (
  shard smallint not null,
  merchant uuid not null,
  payment uuid not null,
  commit uuid not null,
  primary key (shard, payment, commit)
);

-- Each shard's batches are a chain that only holders of the audit key can continue.
create table ledger.chain (
  shard smallint primary key,
  seq bigint not null,     -- of the last transfer
  batch bigint not null,   -- number of the last batch
  mac bytea not null,      -- of the last batch
  at timestamptz not null
) with (fillfactor = 10);
create table ledger.batch (
  shard smallint not null,
  number bigint not null,
  first_seq bigint not null,
  count integer not null check (count > 0),
  at timestamptz not null,
  root bytea not null,     -- of the Merkle tree over its transfers, every column of each
  mac bytea not null,      -- keyed, over the one before, the header and the root
  primary key (shard, number)
);

-- What was posted before batches: it stands before the chain begins.
insert into ledger.account (shard, id, book, merchant, code, currency, normal_side, overdraft, opened_at)
select shard, ledger.account_id(book, code, currency), book, merchant, code, currency, normal_side, true, now()
from ledger.old_account;
insert into ledger.balance (shard, id, debits_posted, credits_posted, debits_pending, credits_pending, limited)
select shard, ledger.account_id(book, code, currency), debits_posted, credits_posted, debits_pending, credits_pending, 0
from ledger.old_account;
create temporary table renamed as
  select t.shard, t.id as old, ledger.transfer_id(t.journal, t.ordinal) as new,
         ledger.account_id(d.book, d.code, d.currency) as debit, ledger.account_id(c.book, c.code, c.currency) as credit
  from ledger.old_transfer t
  join ledger.old_account d on d.shard = t.shard and d.id = t.debit
  join ledger.old_account c on c.shard = t.shard and c.id = t.credit;
insert into ledger.transfer (shard, seq, id, kind, cause, debit, credit, amount, currency, pending, at, content)
select t.shard, row_number() over (partition by t.shard order by t.created_at, t.journal, t.ordinal), r.new,
       case t.kind when 'single' then 0 when 'pending' then 1 when 'post' then 2 else 3 end, k.code,
       r.debit, r.credit, t.amount, t.currency, p.new, t.created_at, 0
from ledger.old_transfer t
join ledger.old_journal j on j.shard = t.shard and j.id = t.journal
join ledger.cause k on k.name = j.cause
join renamed r on r.shard = t.shard and r.old = t.id
left join renamed p on p.shard = t.shard and p.old = t.pending;
insert into ledger.pending (shard, transfer, debit, credit, currency, remaining, payment, expires_at)
select p.shard, r.new, r.debit, r.credit, p.currency, p.remaining, j.payment,
       case when j.cause = 'authorization' then pay.authorization_expires_at end
from ledger.old_pending p
join renamed r on r.shard = p.shard and r.old = p.transfer
join ledger.old_transfer t on t.shard = p.shard and t.id = p.transfer
join ledger.old_journal j on j.shard = t.shard and j.id = t.journal
left join payments.payment pay on pay.shard = j.shard and pay.merchant = j.merchant and pay.id = j.payment
where p.remaining > 0;
insert into ledger.payment_journal (shard, merchant, payment, commit)
select shard, merchant, payment, ledger.commit_of(id) from ledger.old_journal;
update payments.payment p set authorization_transfer = r.new
from renamed r where r.shard = p.shard and r.old = p.authorization_transfer;
update payments.operation o set pending_transfer = r.new
from renamed r where r.shard = o.shard and r.old = o.pending_transfer;
insert into ledger.chain (shard, seq, batch, mac, at)
select s, coalesce((select max(t.seq) from ledger.transfer t where t.shard = s), 0), 0,
       '\x0000000000000000000000000000000000000000000000000000000000000000', 'epoch'
from generate_series(0, 255) s;
drop table renamed;
drop table ledger.old_transfer, ledger.old_pending, ledger.old_journal, ledger.old_account, ledger.old_commit;

-- Every transfer as its two sides, signed: debits positive.
create view ledger.entry with (security_invoker = true) as
  select t.shard, ledger.commit_of(t.id) as journal, t.id as transfer, t.seq, t.kind, t.cause, side.account,
         side.amount, t.currency, t.at
  from ledger.transfer t
  cross join lateral (values (t.debit, t.amount), (t.credit, -t.amount)) as side (account, amount);

alter table ledger.account enable row level security;
alter table ledger.balance enable row level security;
alter table ledger.transfer enable row level security;
alter table ledger.payment_journal enable row level security;
alter table ledger.pending enable row level security;
alter table ledger.batch enable row level security;
create policy own_accounts on ledger.account for select using (merchant = merchants.current_merchant());
create policy own_balances on ledger.balance for select using (exists (
  select 1 from ledger.account a where a.shard = balance.shard and a.id = balance.id));
-- A merchant sees the transfers of which one side at least is in its book.
create policy own_transfers on ledger.transfer for select using (exists (
  select 1 from ledger.account a where a.shard = transfer.shard and a.id in (transfer.debit, transfer.credit)));
create policy own_journals on ledger.payment_journal for select using (merchant = merchants.current_merchant());
create policy own_pending on ledger.pending for select using (exists (
  select 1 from ledger.account a where a.shard = pending.shard and a.id in (pending.debit, pending.credit)));
-- Batches say nothing of what is in them but how many.
create policy any_batch on ledger.batch for select using (true);
grant select on ledger.account, ledger.balance, ledger.transfer, ledger.payment_journal, ledger.pending, ledger.entry,
  ledger.cause, ledger.batch to tessera_ledger;

-- What an account is called, for a merchant that sees a transfer's other side in the operator's book: the
-- name, and no balance.
create function ledger.account_names(p_shard smallint, p_ids bigint[])
  returns table (id bigint, code text, operator boolean)
  language sql stable security definer rows 4 set search_path = pg_catalog
  as $$
    select a.id, a.code, a.merchant is null from ledger.account a where a.shard = p_shard and a.id = any (p_ids)
  $$;
grant execute on function ledger.account_names(smallint, bigint[]) to tessera_ledger;

-- A payment and its operations are updated soon after they are written: room for the next version on the same page.
alter table payments.payment set (fillfactor = 60);
alter table payments.operation set (fillfactor = 70);

-- migrate:down
-- Migrations only go forward.
