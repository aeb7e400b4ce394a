-- migrate:up

create table merchants.merchant (
  shard smallint not null check (shard between 0 and 255),
  id uuid not null,
  name text not null check (length(name) between 1 and 200),
  country text not null check (country ~ '^[A-Z]{2}$'),
  active boolean not null default true,
  -- {"default": {"bps": 290, "fixed": 0}, "USD": {"bps": 290, "fixed": 30}}: fixed is in minor units
  pricing jsonb not null,
  settlement_delay_days smallint not null default 2 check (settlement_delay_days between 0 and 90),
  created_at timestamptz not null,
  primary key (shard, id)
);

-- Keys are stored as SHA-256 only; the hint is what a person needs to tell two keys apart.
create table merchants.api_key (
  shard smallint not null,
  hash bytea not null check (length(hash) = 32),
  merchant uuid not null,
  scope text not null check (scope in ('secret', 'publishable')),
  hint text not null check (length(hint) <= 16),
  created_at timestamptz not null,
  revoked_at timestamptz,
  primary key (shard, hash),
  foreign key (shard, merchant) references merchants.merchant (shard, id)
);

alter table merchants.merchant enable row level security;
alter table merchants.api_key enable row level security;
create policy own_row on merchants.merchant for select using (id = merchants.current_merchant());
create policy own_keys on merchants.api_key for select using (merchant = merchants.current_merchant());
grant select on merchants.merchant, merchants.api_key to tessera_merchants;

-- Whose key this is, before any merchant is known: the one read that no row policy can scope.
create function merchants.find_api_key(p_shard smallint, p_hash bytea)
  returns table (merchant uuid, scope text)
  language sql stable security definer set search_path = pg_catalog
  as $$
    select k.merchant, k.scope
    from merchants.api_key k
    join merchants.merchant m on m.shard = k.shard and m.id = k.merchant
    where k.shard = p_shard and k.hash = p_hash and k.revoked_at is null and m.active
  $$;
grant execute on function merchants.find_api_key(smallint, bytea) to tessera_merchants;

-- migrate:down
-- Migrations only go forward.
