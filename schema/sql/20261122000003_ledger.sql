-- migrate:up

-- A book per merchant, and one operator book per shard (the nil merchant). A transfer stays within a shard:
-- between accounts of one merchant's book, or between it and the operator's.
create table ledger.book (
  shard smallint not null,
  id uuid not null,
  merchant uuid, -- null: the operator's
  created_at timestamptz not null default now(),
  primary key (shard, id)
);

-- Balances are kept here and provable from the transfers.
create table ledger.account (
  shard smallint not null,
  id bigint not null generated always as identity,
  book uuid not null,
  merchant uuid,
  code text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  normal_side text not null check (normal_side in ('debit', 'credit')),
  debits_posted bigint not null default 0 check (debits_posted >= 0),
  credits_posted bigint not null default 0 check (credits_posted >= 0),
  debits_pending bigint not null default 0 check (debits_pending >= 0),
  credits_pending bigint not null default 0 check (credits_pending >= 0),
  primary key (shard, id),
  unique (shard, book, code, currency),
  foreign key (shard, book) references ledger.book (shard, id)
);

-- Groups the transfers of one cause.
create table ledger.journal (
  shard smallint not null,
  merchant uuid not null,
  payment uuid not null,
  id uuid not null,
  cause text not null,
  operation uuid not null,
  created_at timestamptz not null,
  primary key (shard, merchant, payment, id)
);

-- One amount from a debit account to a credit account: balanced by construction, never changed.
--   single   debits and credits at once
--   pending  holds the amount; later parts resolve it
--   post     turns a part of a pending transfer into a posted one
--   release  gives a part of a pending transfer back
create table ledger.transfer (
  shard smallint not null,
  merchant uuid not null,
  journal uuid not null,
  ordinal smallint not null,
  id uuid not null,
  kind text not null check (kind in ('single', 'pending', 'post', 'release')),
  debit bigint not null,
  credit bigint not null,
  amount bigint not null check (amount > 0 and amount <= 4611686018427387904),
  currency text not null,
  pending uuid,
  created_at timestamptz not null,
  primary key (shard, journal, ordinal),
  check (debit <> credit),
  check ((pending is not null) = (kind in ('post', 'release')))
);

-- What is left of each pending transfer; a part is resolved exactly once because it is taken from here.
create table ledger.pending (
  shard smallint not null,
  transfer uuid not null,
  debit bigint not null,
  credit bigint not null,
  currency text not null,
  remaining bigint not null check (remaining >= 0),
  primary key (shard, transfer)
);

-- What has been applied: a commit that comes twice is answered, not applied again.
create table ledger.commit (
  shard smallint not null,
  id uuid not null,
  digest bytea not null,
  created_at timestamptz not null default now(),
  primary key (shard, id)
);

-- Every transfer as its two sides, signed: debits positive. Sums to zero in every journal and currency.
create view ledger.entry with (security_invoker = true) as
  select t.shard, t.merchant, t.journal, t.id as transfer, t.kind, side.account, side.amount, t.currency,
         t.created_at
  from ledger.transfer t
  cross join lateral (values (t.debit, t.amount), (t.credit, -t.amount)) as side (account, amount);

alter table ledger.book enable row level security;
alter table ledger.account enable row level security;
alter table ledger.journal enable row level security;
alter table ledger.transfer enable row level security;
create policy own_book on ledger.book for select using (merchant = merchants.current_merchant());
create policy own_accounts on ledger.account for select using (merchant = merchants.current_merchant());
create policy own_journals on ledger.journal for select using (merchant = merchants.current_merchant());
create policy own_transfers on ledger.transfer for select using (merchant = merchants.current_merchant());
grant select on ledger.book, ledger.account, ledger.journal, ledger.transfer, ledger.entry to tessera_ledger;

-- What an account is called, for a merchant that sees a transfer's other side in the operator's book: the
-- name, and no balance.
create function ledger.account_names(p_shard smallint, p_ids bigint[])
  returns table (id bigint, code text, operator boolean)
  language sql stable security definer set search_path = pg_catalog
  as $$
    select a.id, a.code, a.merchant is null from ledger.account a where a.shard = p_shard and a.id = any (p_ids)
  $$;
grant execute on function ledger.account_names(smallint, bigint[]) to tessera_ledger;

-- migrate:down
-- Migrations only go forward.
