-- migrate:up

create table payments.payment (
  shard smallint not null,
  merchant uuid not null,
  id uuid not null,
  version integer not null,
  state text not null check (state in (
    'processing', 'authorized', 'partially_captured', 'captured', 'partially_refunded', 'refunded', 'voided',
    'declined', 'failed')),
  amount bigint not null check (amount > 0),
  currency text not null,
  capture_method text not null check (capture_method in ('automatic', 'manual')),
  authorized bigint not null check (authorized >= 0),
  captured bigint not null check (captured >= 0),
  capturing bigint not null check (capturing >= 0),   -- claimed by captures in flight
  refunded bigint not null check (refunded >= 0),
  refunding bigint not null check (refunding >= 0),   -- claimed by refunds in flight
  finalized boolean not null,                         -- nothing more can be captured
  closing boolean not null,                           -- a void or a final capture is in flight
  fee bigint not null,                                -- taken so far
  authorization_transfer uuid,                        -- the ledger's pending transfer
  provider text not null,
  provider_payment text,                              -- the provider's own id, kept forever
  card jsonb not null,                                -- token, brand, bin, last4, expiry, fingerprint
  checkout_session uuid,
  description text,
  reference text,
  decline jsonb,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  authorization_expires_at timestamptz,
  primary key (shard, merchant, id),
  check (captured + capturing <= authorized),
  check (refunded + refunding <= captured)
);

-- One request to a provider: claimed before it is sent, resolved by what the provider did. A claim without
-- a result is an unknown outcome.
create table payments.operation (
  shard smallint not null,
  merchant uuid not null,
  payment uuid not null,
  id uuid not null,
  kind text not null check (kind in ('authorize', 'capture', 'void', 'refund')),
  state text not null check (state in ('claimed', 'succeeded', 'declined', 'failed')),
  amount bigint not null,
  final boolean not null,
  attempt integer not null,
  reference text not null,             -- sent as the provider's idempotency key; made once, then only read
  request jsonb not null,              -- what is sent, so that a replay is identical
  pending_transfer uuid,               -- a refund's hold on the merchant's money
  failure jsonb,
  claimed_at timestamptz not null,
  resolved_at timestamptz,
  last_sent_at timestamptz not null,   -- the latest time at which the request may have been sent
  resolve_after timestamptz not null,  -- when recovery may ask the provider
  inquiries integer not null default 0,
  primary key (shard, merchant, payment, id)
);
create index operation_unresolved on payments.operation (resolve_after) where state = 'claimed';

create table payments.idempotency (
  shard smallint not null,
  merchant uuid not null,
  key text not null check (length(key) between 1 and 255),
  fingerprint bytea not null,
  kind text not null,
  subject uuid not null,  -- the operation, or the checkout session, that the key made
  payment uuid,
  created_at timestamptz not null,
  primary key (shard, merchant, key)
);

create table payments.checkout_session (
  shard smallint not null,
  merchant uuid not null,
  id uuid not null,
  status text not null check (status in ('open', 'complete')),
  attempt integer not null,
  amount bigint not null check (amount > 0),
  currency text not null,
  capture_method text not null check (capture_method in ('automatic', 'manual')),
  description text,
  reference text,
  payment uuid,  -- the latest attempt's
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (shard, merchant, id)
);

create table payments.outbox (
  shard smallint not null,
  merchant uuid not null,
  id uuid not null,
  type text not null,
  payment uuid not null,
  body jsonb not null,
  created_at timestamptz not null,
  published_at timestamptz,
  primary key (shard, id)
);
create index outbox_unpublished on payments.outbox (id) where published_at is null;

alter table payments.payment enable row level security;
alter table payments.operation enable row level security;
alter table payments.idempotency enable row level security;
alter table payments.checkout_session enable row level security;
create policy own_payments on payments.payment for select using (merchant = merchants.current_merchant());
create policy own_operations on payments.operation for select using (merchant = merchants.current_merchant());
create policy own_keys on payments.idempotency for select using (merchant = merchants.current_merchant());
create policy own_sessions on payments.checkout_session for select
  using (merchant = merchants.current_merchant());
grant select on payments.payment, payments.operation, payments.idempotency, payments.checkout_session
  to tessera_payments;

-- Leases operations whose outcome is unknown: nobody else gets them before p_lease has passed. Several
-- region processes may sweep at once.
create function payments.lease_unresolved(p_limit integer, p_lease interval)
  returns setof payments.operation
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.operation o
    set resolve_after = now() + p_lease, inquiries = o.inquiries + 1
    where (o.shard, o.merchant, o.payment, o.id) in (
      select d.shard, d.merchant, d.payment, d.id
      from payments.operation d
      where d.state = 'claimed' and d.resolve_after <= now()
      order by d.resolve_after
      limit p_limit
      for update skip locked
    )
    returning o.*
  $$;
grant execute on function payments.lease_unresolved(integer, interval) to tessera_recovery;

-- Puts an operation that stayed unknown back for a later inquiry.
create function payments.inquire_later(
  p_shard smallint, p_merchant uuid, p_payment uuid, p_operation uuid, p_delay interval)
  returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.operation set resolve_after = now() + p_delay
    where shard = p_shard and merchant = p_merchant and payment = p_payment and id = p_operation
      and state = 'claimed'
  $$;
grant execute on function payments.inquire_later(smallint, uuid, uuid, uuid, interval) to tessera_recovery;

-- Written before a replay: until the request can no longer land, counted from here, absence proves nothing.
create function payments.mark_sent(p_shard smallint, p_merchant uuid, p_payment uuid, p_operation uuid)
  returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.operation set last_sent_at = clock_timestamp()
    where shard = p_shard and merchant = p_merchant and payment = p_payment and id = p_operation
  $$;
grant execute on function payments.mark_sent(smallint, uuid, uuid, uuid) to tessera_recovery;

create function payments.count_unresolved() returns table (unresolved bigint, oldest timestamptz)
  language sql stable security definer set search_path = pg_catalog
  as $$ select count(*), min(claimed_at) from payments.operation where state = 'claimed' $$;
grant execute on function payments.count_unresolved() to tessera_recovery;

-- Keys are kept 30 days after the payment's last operation.
create function payments.forget_idempotency_keys(p_limit integer) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog
  as $$
declare
  forgotten integer;
begin
  delete from payments.idempotency i
  where (i.shard, i.merchant, i.key) in (
    select old.shard, old.merchant, old.key
    from payments.idempotency old
    left join payments.payment p
      on p.shard = old.shard and p.merchant = old.merchant and p.id = old.payment
    where old.created_at < now() - interval '30 days'
      and (p.updated_at is null or p.updated_at < now() - interval '30 days')
    limit p_limit
  );
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;
grant execute on function payments.forget_idempotency_keys(integer) to tessera_recovery;

-- The relay claims rows and marks them in one transaction with what the consumer writes. Remembering the
-- last id instead would lose events: they become visible in commit order, which is not id order.
create function payments.claim_events(p_limit integer)
  returns table (shard smallint, id uuid, merchant uuid, payment uuid, type text, body jsonb,
                 created_at timestamptz)
  language sql volatile security definer set search_path = pg_catalog
  as $$
    select o.shard, o.id, o.merchant, o.payment, o.type, o.body, o.created_at
    from payments.outbox o
    where o.published_at is null
    order by o.id
    limit p_limit
    for update skip locked
  $$;
create function payments.mark_published(p_shards smallint[], p_ids uuid[]) returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.outbox o set published_at = now()
    from unnest(p_shards, p_ids) as done (shard, id)
    where o.shard = done.shard and o.id = done.id
  $$;
grant execute on function payments.claim_events(integer) to tessera_relay;
grant execute on function payments.mark_published(smallint[], uuid[]) to tessera_relay;

-- migrate:down
-- Migrations only go forward.
