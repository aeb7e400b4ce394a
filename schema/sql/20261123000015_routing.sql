-- migrate:up

-- Merchants' routing rules: every version that was ever in force, since payments name the version that chose for them.
create table payments.routing_rules (
  shard smallint not null,
  merchant uuid not null,
  version integer not null check (version >= 1),
  rules text not null check (length(rules) <= 65536), -- in the language of docs/routing.md
  providers jsonb not null,                           -- that the rules name: they stay readable if one goes
  idempotency_key text not null check (length(idempotency_key) between 1 and 255),
  actor text not null,                                -- whose request it was
  created_at timestamptz not null,
  primary key (shard, merchant, version)
);
create unique index routing_rules_by_key on payments.routing_rules (shard, merchant, idempotency_key);
alter table payments.routing_rules enable row level security;
create policy own_routing_rules on payments.routing_rules for select using (merchant = merchants.current_merchant());
grant select on payments.routing_rules to tessera_payments;

-- Who writes them: by one function, which only ever adds.
do $$
begin
  create role tessera_routing nologin;
exception when duplicate_object or unique_violation then
  null;
end $$;
grant tessera_routing to current_user;
grant usage on schema payments to tessera_routing;

-- Adds the version after p_expected if that is the latest. A request that comes again is known by its key and answered as
-- before, so its answer can be lost; of two at once one is told that the other was first.
create function payments.set_routing_rules(
  p_shard smallint, p_merchant uuid, p_expected integer, p_key text, p_rules text, p_providers jsonb, p_actor text)
  returns table (outcome text, version integer)
  language plpgsql volatile security definer set search_path = pg_catalog
  as $$
declare
  same payments.routing_rules;
  latest integer;
begin
  for attempt in 1..2 loop
    select r.* into same from payments.routing_rules r
    where r.shard = p_shard and r.merchant = p_merchant and r.idempotency_key = p_key;
    if found then
      return query select
        case when same.rules = p_rules and same.version - 1 = p_expected then 'stored' else 'key_reused' end, same.version;
      return;
    end if;
    select coalesce(max(r.version), 0) into latest from payments.routing_rules r
    where r.shard = p_shard and r.merchant = p_merchant;
    if latest <> p_expected then
      return query select 'version_conflict', latest;
      return;
    end if;
    insert into payments.routing_rules (shard, merchant, version, rules, providers, idempotency_key, actor, created_at)
    values (p_shard, p_merchant, p_expected + 1, p_rules, p_providers, p_key, p_actor, now())
    on conflict do nothing;
    if found then
      return query select 'stored', p_expected + 1;
      return;
    end if;
    -- Another has added one since it was looked: look again.
  end loop;
  raise exception 'routing rules of % change too fast', p_merchant;
end $$;
grant execute on function payments.set_routing_rules(smallint, uuid, integer, text, text, jsonb, text)
  to tessera_routing;

-- migrate:down
-- Migrations only go forward.
