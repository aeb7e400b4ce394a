-- migrate:up

-- What a payment adds to (or a refund takes from) what a merchant is owed, one row for each event.
create table settlement.item (
  shard smallint not null,
  merchant uuid not null,
  event uuid not null,    -- the event's id: a second delivery changes nothing
  payment uuid not null,
  kind text not null check (kind in ('capture', 'refund')),
  currency text not null,
  gross bigint not null,  -- signed minor units
  fee bigint not null,
  net bigint not null,
  available_on date not null,
  created_at timestamptz not null,
  primary key (shard, merchant, event),
  check (net = gross - fee)
);

alter table settlement.item enable row level security;
create policy own_items on settlement.item for select using (merchant = merchants.current_merchant());
grant select on settlement.item to tessera_settlement;

create function settlement.record_items(p_items jsonb) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
  as $$
declare
  recorded integer;
begin
  insert into settlement.item
  select * from jsonb_populate_recordset(null::settlement.item, p_items)
  on conflict (shard, merchant, event) do nothing;
  get diagnostics recorded = row_count;
  return recorded;
end $$;
grant execute on function settlement.record_items(jsonb) to tessera_relay;

-- migrate:down
-- Migrations only go forward.
