-- migrate:up

-- What was decided about an authorization, and why; written in the commit that claims it.
create table risk.assessment (
  shard smallint not null,
  merchant uuid not null,
  payment uuid not null,
  decision text not null check (decision in ('allow', 'review', 'block')),
  score smallint not null check (score between 0 and 100),
  reasons jsonb not null,  -- [{"rule": "…", "message": "…", "weight": 0..100}]
  degraded boolean not null, -- a fact could not be had in time: decided by the rules that need none
  ruleset text not null,
  created_at timestamptz not null,
  primary key (shard, merchant, payment)
);

-- A merchant's own lists: "block" refuses, "allow" lets pass what only looked unusual.
create table risk.list_entry (
  shard smallint not null,
  merchant uuid not null,
  kind text not null check (kind in ('card', 'bin', 'email', 'ip')),
  value text not null check (length(value) between 1 and 320),
  list text not null check (list in ('block', 'allow')),
  note text,
  created_at timestamptz not null default now(),
  primary key (shard, merchant, kind, value)
);

-- Amounts above which a merchant wants a person to look, or nobody to be charged.
create table risk.amount_limit (
  shard smallint not null,
  merchant uuid not null,
  currency text not null,
  review_above bigint check (review_above > 0),
  block_above bigint check (block_above > 0),
  primary key (shard, merchant, currency)
);

-- Issuer ranges by the longest matching prefix (6 to 8 digits). Reference data: imported, the same everywhere.
create table risk.bin_range (
  prefix text primary key check (prefix ~ '^[0-9]{6,8}$'),
  country text not null check (country ~ '^[A-Z]{2}$')
);

alter table risk.assessment enable row level security;
alter table risk.list_entry enable row level security;
alter table risk.amount_limit enable row level security;
create policy own_assessments on risk.assessment for select using (merchant = merchants.current_merchant());
create policy own_lists on risk.list_entry for select using (merchant = merchants.current_merchant());
create policy own_limits on risk.amount_limit for select using (merchant = merchants.current_merchant());
grant usage on schema risk to tessera_committer;
grant select on risk.assessment, risk.list_entry, risk.amount_limit, risk.bin_range to tessera_risk;

-- migrate:down
-- Migrations only go forward.
