-- migrate:up

-- Reference rates, and what caches hear of changes by.

-- The latest rate of each pair: what one unit of base is in units of quote. Nobody's in particular; without a shard.
create schema rates;
create table rates.reference_rate (
  base text not null check (base ~ '^[A-Z]{3}$'),
  quote text not null check (quote ~ '^[A-Z]{3}$'),
  rate text not null check (rate ~ '^(0|[1-9][0-9]{0,11})([.][0-9]{1,12})?$' and rate::numeric > 0),
  source text not null check (length(source) between 1 and 100),
  as_of timestamptz not null,
  primary key (base, quote),
  check (base <> quote)
);
grant usage on schema rates to tessera_payments, tessera_risk;
grant select on rates.reference_rate to tessera_payments, tessera_risk;

-- What has changed lately, by the transaction that changed it: whoever keeps a copy asks what is new since the oldest
-- transaction that was under way when they asked before, so that none is missed in whatever order they commit. One row
-- for each thing, written by the transaction that changes it, also by one made by hand.
create table merchants.change (
  shard smallint not null,
  merchant uuid not null,
  changed_by xid8 not null,
  changed_at timestamptz not null,
  primary key (shard, merchant)
);
create index change_in_order on merchants.change (changed_by);

create table payments.method_change (
  shard smallint not null,
  merchant uuid not null,
  method uuid not null,
  changed_by xid8 not null,
  changed_at timestamptz not null,
  primary key (shard, merchant, method)
);
create index method_change_in_order on payments.method_change (changed_by);

create function merchants.note_change() returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog
  as $$
begin
  insert into merchants.change (shard, merchant, changed_by, changed_at)
  values (old.shard, old.id, pg_current_xact_id(), clock_timestamp())
  on conflict (shard, merchant) do update set changed_by = excluded.changed_by, changed_at = excluded.changed_at;
  return null;
end $$;
create trigger merchant_changed after update or delete on merchants.merchant
  for each row execute function merchants.note_change();

create function payments.note_method_change() returns trigger
  language plpgsql volatile security definer set search_path = pg_catalog
  as $$
begin
  insert into payments.method_change (shard, merchant, method, changed_by, changed_at)
  values (old.shard, old.merchant, old.id, pg_current_xact_id(), clock_timestamp())
  on conflict (shard, merchant, method)
  do update set changed_by = excluded.changed_by, changed_at = excluded.changed_at;
  return null;
end $$;
-- Nobody keeps a copy of a pending one, so the payment that makes it active writes nothing here.
create trigger payment_method_changed after update or delete on payments.payment_method
  for each row when (old.status <> 'pending') execute function payments.note_method_change();

-- Changes since a position, or without one those of the last p_lookback seconds; and the next position. At least one row,
-- with nulls if nothing has changed.
create function merchants.changes_since(p_position text, p_lookback integer, p_limit integer)
  returns table (up_to text, merchant uuid, id uuid, changed_by text)
  language sql stable security definer set search_path = pg_catalog
  as $$
    select s.up_to::text, c.merchant, c.merchant, c.changed_by::text
    from (select pg_snapshot_xmin(pg_current_snapshot()) as up_to) s
    left join lateral (
      select m.merchant, m.changed_by
      from merchants.change m
      where m.changed_by >= coalesce(p_position, '0')::xid8
        and (p_position is not null or m.changed_at > now() - make_interval(secs => p_lookback))
      limit p_limit
    ) c on true
  $$;
grant execute on function merchants.changes_since(text, integer, integer) to tessera_merchants;

create function payments.method_changes_since(p_position text, p_lookback integer, p_limit integer)
  returns table (up_to text, merchant uuid, id uuid, changed_by text)
  language sql stable security definer set search_path = pg_catalog
  as $$
    select s.up_to::text, c.merchant, c.method, c.changed_by::text
    from (select pg_snapshot_xmin(pg_current_snapshot()) as up_to) s
    left join lateral (
      select m.merchant, m.method, m.changed_by
      from payments.method_change m
      where m.changed_by >= coalesce(p_position, '0')::xid8
        and (p_position is not null or m.changed_at > now() - make_interval(secs => p_lookback))
      limit p_limit
    ) c on true
  $$;
grant execute on function payments.method_changes_since(text, integer, integer) to tessera_payments;

-- What is older than any copy can be.
create function merchants.forget_changes() returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$ delete from merchants.change where changed_at < now() - interval '1 day' $$;
grant execute on function merchants.forget_changes() to tessera_merchants;

create function payments.forget_method_changes() returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$ delete from payments.method_change where changed_at < now() - interval '1 day' $$;
grant execute on function payments.forget_method_changes() to tessera_payments;

-- migrate:down
-- Migrations only go forward.
