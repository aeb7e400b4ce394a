-- migrate:up

-- Attempts through several providers, 3-D Secure, increments, stored cards, and news that providers send.
--
-- Rows that every payment writes several times are kept narrow: what never changes of a payment is beside it, what is
-- needed of an operation only until its outcome is known goes when it is known, and the outbox is only ever appended to.

insert into ledger.cause (code, name) values (10, 'increment'), (11, 'refund_reversed');

-- What of a payment never changes.
create table payments.payment_terms (
  shard smallint not null,
  merchant uuid not null,
  id uuid not null,
  card jsonb not null, -- token, brand, bin, last4, expiry, fingerprint
  checkout_session uuid,
  description text,
  reference text,
  customer uuid,
  payment_method uuid, -- the stored card that pays, or that this payment stores
  stored jsonb,        -- how a stored card is used
  duplicate_of uuid,   -- an earlier payment of the same card, amount and currency within minutes
  primary key (shard, merchant, id)
);
insert into payments.payment_terms (shard, merchant, id, card, checkout_session, description, reference)
select shard, merchant, id, card, checkout_session, description, reference from payments.payment;

alter table payments.payment
  drop column card, drop column checkout_session, drop column description, drop column reference,
  drop constraint payment_state_check,
  drop constraint payment_check,
  add column in_review boolean not null default false,
  add column over_capturable bigint not null default 0 check (over_capturable >= 0), -- above authorized, by a last capture
  add column incrementing bigint not null default 0 check (incrementing >= 0),       -- claimed by increments in flight
  add column holds jsonb not null default '[]',  -- [{"transfer": …, "amount": "…"}]: pending transfers, oldest first
  add column attempt integer not null default 0, -- raised when another provider is asked
  add column action jsonb,                       -- what the payer has to do
  add column authentication jsonb,               -- of 3-D Secure
  add constraint payment_state_check check (state in (
    'processing', 'requires_action', 'in_review', 'authorized', 'partially_captured', 'captured', 'partially_refunded',
    'refunded', 'voided', 'expired', 'declined', 'failed')),
  add constraint payment_not_over_captured check (captured + capturing <= authorized + over_capturable);
update payments.payment
set holds = json_build_array(json_build_object('transfer', authorization_transfer, 'amount', authorized::text))
where authorization_transfer is not null;
alter table payments.payment drop column authorization_transfer, alter column in_review drop default,
  alter column over_capturable drop default, alter column incrementing drop default, alter column holds drop default,
  alter column attempt drop default;
-- Room on each page for the next versions of its rows: an update then touches no index.
alter table payments.payment set (fillfactor = 60);

-- What is needed of an operation until its outcome is known: exactly what was sent, and when to ask.
create table payments.in_flight (
  shard smallint not null,
  merchant uuid not null,
  payment uuid not null,
  operation uuid not null,
  request jsonb not null,
  accepted boolean not null,         -- the provider has it and tells later: never sent again
  last_sent_at timestamptz not null, -- the latest time at which the request may have been sent
  resolve_after timestamptz not null, -- when recovery may ask the provider
  inquiries integer not null default 0,
  primary key (shard, operation)
);
create index in_flight_due on payments.in_flight (resolve_after);
insert into payments.in_flight
  (shard, merchant, payment, operation, request, accepted, last_sent_at, resolve_after, inquiries)
select shard, merchant, payment, id, request, false, last_sent_at, resolve_after, inquiries
from payments.operation where state = 'claimed';

drop function payments.lease_unresolved(integer, interval);
drop function payments.count_unresolved();
alter table payments.operation
  drop column request, drop column last_sent_at, drop column resolve_after, drop column inquiries,
  drop constraint operation_kind_check, drop constraint operation_state_check,
  add constraint operation_kind_check check (kind in (
    'authenticate', 'authorize', 'increment', 'capture', 'void', 'expire', 'refund')),
  add constraint operation_state_check check (state in (
    'claimed', 'requires_action', 'succeeded', 'declined', 'failed', 'reversed')),
  add column provider text,
  add column provider_operation text, -- the provider's own id of it
  add column routing jsonb,           -- why this provider
  add column details jsonb;           -- what the provider told besides the outcome
update payments.operation o set provider = p.provider
from payments.payment p where p.shard = o.shard and p.merchant = o.merchant and p.id = o.payment;
alter table payments.operation alter column provider set not null, set (fillfactor = 70);
-- A provider knows an operation by its reference, for ever; no two have the same. The shard comes last, so that no plan
-- for a look-up by the primary key takes this index for it.
create unique index operation_reference on payments.operation (reference, shard);

alter table payments.checkout_session add column return_url text; -- where a provider's page sends the payer back to

-- Events that wait to be relayed; the outbox itself is only appended to.
create table payments.unpublished (
  shard smallint not null,
  id uuid not null,
  primary key (shard, id)
);
create index unpublished_in_order on payments.unpublished (id);
insert into payments.unpublished (shard, id) select shard, id from payments.outbox where published_at is null;
drop index payments.outbox_unpublished;
alter table payments.outbox drop column published_at;

-- Customers of merchants, and the cards that they have stored.
create table payments.customer (
  shard smallint not null,
  merchant uuid not null,
  id uuid not null,
  reference text, -- the merchant's own
  email text,
  name text,
  created_at timestamptz not null,
  primary key (shard, merchant, id)
);
create table payments.payment_method (
  shard smallint not null,
  merchant uuid not null,
  id uuid not null,
  customer uuid not null,
  status text not null check (status in ('pending', 'active', 'removed')),
  card jsonb not null,
  mandate jsonb not null,
  network_transaction_id text, -- of the payment that stored it
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (shard, merchant, id)
);
create index payment_method_of_customer on payments.payment_method (shard, merchant, customer, id);

-- What providers told us, once for each piece of news.
create table payments.inbound_news (
  shard smallint not null,
  provider text not null,
  id text not null check (length(id) between 1 and 300),
  merchant uuid not null,
  payment uuid not null,
  operation uuid,
  received_at timestamptz not null,
  outcome text not null,
  primary key (shard, provider, id)
);

alter table payments.payment_terms enable row level security;
alter table payments.in_flight enable row level security;
alter table payments.customer enable row level security;
alter table payments.payment_method enable row level security;
create policy own_terms on payments.payment_terms for select using (merchant = merchants.current_merchant());
create policy own_in_flight on payments.in_flight for select using (merchant = merchants.current_merchant());
create policy own_customers on payments.customer for select using (merchant = merchants.current_merchant());
create policy own_methods on payments.payment_method for select using (merchant = merchants.current_merchant());
grant select on payments.payment_terms, payments.in_flight, payments.customer, payments.payment_method
  to tessera_payments;

-- Leases operations whose outcome is unknown: nobody else gets them before p_lease has passed. Several region processes
-- may sweep at once.
create function payments.lease_unresolved(p_limit integer, p_lease interval)
  returns setof payments.in_flight
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.in_flight f
    set resolve_after = now() + p_lease, inquiries = f.inquiries + 1
    where (f.shard, f.operation) in (
      select d.shard, d.operation
      from payments.in_flight d
      where d.resolve_after <= now()
      order by d.resolve_after
      limit p_limit
      for update skip locked
    )
    returning f.*
  $$;
grant execute on function payments.lease_unresolved(integer, interval) to tessera_recovery;

create function payments.count_unresolved() returns table (unresolved bigint, oldest timestamptz)
  language sql stable security definer set search_path = pg_catalog
  as $$ select count(*), min(last_sent_at) from payments.in_flight $$;
grant execute on function payments.count_unresolved() to tessera_recovery;

-- Puts an operation that stayed unknown back for a later inquiry.
create or replace function payments.inquire_later(
  p_shard smallint, p_merchant uuid, p_payment uuid, p_operation uuid, p_delay interval)
  returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.in_flight set resolve_after = now() + p_delay
    where shard = p_shard and operation = p_operation and merchant = p_merchant and payment = p_payment
  $$;

-- Written before a replay: until the request can no longer land, counted from here, absence proves nothing.
create or replace function payments.mark_sent(p_shard smallint, p_merchant uuid, p_payment uuid, p_operation uuid)
  returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.in_flight set last_sent_at = clock_timestamp()
    where shard = p_shard and operation = p_operation and merchant = p_merchant and payment = p_payment
  $$;

-- The provider has the request and will tell its outcome: it is not sent again, and asked for later.
create function payments.mark_accepted(
  p_shard smallint, p_merchant uuid, p_payment uuid, p_operation uuid, p_provider_operation text, p_delay interval)
  returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$
    update payments.in_flight set accepted = true, resolve_after = now() + p_delay
    where shard = p_shard and operation = p_operation and merchant = p_merchant and payment = p_payment;
    update payments.operation set provider_operation = p_provider_operation
    where shard = p_shard and merchant = p_merchant and payment = p_payment and id = p_operation
      and state = 'claimed' and provider_operation is distinct from p_provider_operation
  $$;
grant execute on function payments.mark_accepted(smallint, uuid, uuid, uuid, text, interval) to tessera_recovery;

-- The operation that a provider's news is about: by our reference, whoever's it is. The region of the reference is ours.
create function payments.operation_by_reference(p_shard smallint, p_reference text)
  returns table (merchant uuid, payment uuid, operation uuid)
  language sql stable security definer set search_path = pg_catalog
  as $$
    select o.merchant, o.payment, o.id from payments.operation o
    where o.shard = p_shard and o.reference = p_reference
  $$;
grant execute on function payments.operation_by_reference(smallint, text) to tessera_recovery;

-- Notes a piece of news; false if it was noted before.
create function payments.note_news(
  p_shard smallint, p_provider text, p_id text, p_merchant uuid, p_payment uuid, p_operation uuid, p_outcome text)
  returns boolean
  language sql volatile security definer set search_path = pg_catalog
  as $$
    with noted as (
      insert into payments.inbound_news (shard, provider, id, merchant, payment, operation, received_at, outcome)
      values (p_shard, p_provider, p_id, p_merchant, p_payment, p_operation, now(), p_outcome)
      on conflict do nothing
      returning 1
    )
    select exists (select from noted)
  $$;
grant execute on function payments.note_news(smallint, text, text, uuid, uuid, uuid, text) to tessera_recovery;

-- The relay claims rows and takes them off the list in one transaction with what the consumer writes. Remembering the
-- last id instead would lose events: they become visible in commit order, which is not id order.
create or replace function payments.claim_events(p_limit integer)
  returns table (shard smallint, id uuid, merchant uuid, payment uuid, type text, body jsonb,
                 created_at timestamptz)
  language sql volatile security definer set search_path = pg_catalog
  as $$
    with claimed as materialized (
      select u.shard, u.id from payments.unpublished u order by u.id limit p_limit for update skip locked
    )
    select o.shard, o.id, o.merchant, o.payment, o.type, o.body, o.created_at
    from claimed c join payments.outbox o on o.shard = c.shard and o.id = c.id
    order by o.id
  $$;
create or replace function payments.mark_published(p_shards smallint[], p_ids uuid[]) returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$
    delete from payments.unpublished u
    using unnest(p_shards, p_ids) as done (shard, id)
    where u.shard = done.shard and u.id = done.id
  $$;

-- Commits whose guard does not hold, or whose idempotency key names another subject: JSON as `ledger.apply_batch`
-- answers it, null if there are none.
create or replace function payments.failed_guards(
  g_commit integer[], g_shard smallint[], g_merchant uuid[], g_what text[], g_key text[], g_payment uuid[], g_id uuid[],
  g_expected integer[])
  returns json
  language sql stable set search_path = pg_catalog
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
    with g as materialized (
      select * from unnest(g_commit, g_shard, g_merchant, g_what, g_key, g_payment, g_id, g_expected)
        as x (ordinal, shard, merchant, what, key, payment, id, expected)
    )
    select json_agg(failed.answer)
    from (
      select json_build_object('ordinal', g.ordinal, 'outcome', 'key_taken', 'claim', json_build_object(
               'fingerprint', encode(i.fingerprint, 'hex'), 'kind', i.kind, 'subject', i.subject,
               'payment', i.payment)) as answer
      from g
      join payments.idempotency i on i.shard = g.shard and i.merchant = g.merchant and i.key = g.key
      where g.what = 'key'
      union all
      select json_build_object('ordinal', g.ordinal, 'outcome', 'guard_failed', 'guard', g.what)
      from g
      left join payments.payment p on p.shard = g.shard and p.merchant = g.merchant and p.id = g.id
      where g.what = 'payment_version' and p.version is distinct from g.expected
      union all
      -- Expected 0: its outcome is still to come. Expected 1: it has succeeded.
      select json_build_object('ordinal', g.ordinal, 'outcome', 'guard_failed', 'guard', g.what)
      from g
      left join payments.operation o
        on o.shard = g.shard and o.merchant = g.merchant and o.payment = g.payment and o.id = g.id
      where g.what = 'operation_state'
        and (o.state in ('claimed', 'requires_action') and g.expected = 0
             or o.state = 'succeeded' and g.expected = 1) is not true
      union all
      select json_build_object('ordinal', g.ordinal, 'outcome', 'guard_failed', 'guard', g.what)
      from g
      left join payments.checkout_session s on s.shard = g.shard and s.merchant = g.merchant and s.id = g.id
      where g.what = 'session_attempt' and (s.attempt is distinct from g.expected or s.status <> 'open')
      union all
      select json_build_object('ordinal', g.ordinal, 'outcome', 'guard_failed', 'guard', g.what)
      from g
      left join payments.payment_method m on m.shard = g.shard and m.merchant = g.merchant and m.id = g.id
      where g.what = 'payment_method' and coalesce(m.status, 'removed') = 'removed'
    ) failed
  $$;

-- Writes the rows of payments, risk and the outbox: JSON arrays of rows, null if there are none. Rows are always found by
-- their keys: a plan that was made while tables were small, or that read what was deleted, would last.
create or replace function payments.apply_rows(
  p_claims json, p_new_payments json, p_payments json, p_new_operations json, p_resolutions json, p_new_sessions json,
  p_sessions json, p_customers json, p_methods json, p_assessments json, p_events json)
  returns void
  language plpgsql volatile set search_path = pg_catalog
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
begin
  if p_claims is not null then
    insert into payments.idempotency (shard, merchant, key, fingerprint, kind, subject, payment, created_at)
    select x.shard, x.merchant, x.key, decode(x.fingerprint, 'hex'), x.kind, x.subject, x.payment, x.created_at
    from json_to_recordset(p_claims) as x (
      shard smallint, merchant uuid, key text, fingerprint text, kind text, subject uuid, payment uuid,
      created_at timestamptz);
  end if;
  if p_new_payments is not null then
    with r as materialized (
      select * from json_to_recordset(p_new_payments) as r (
        shard smallint, merchant uuid, id uuid, version integer, state text, amount bigint, currency text,
        capture_method text, authorized bigint, captured bigint, capturing bigint, refunded bigint, refunding bigint,
        finalized boolean, closing boolean, fee bigint, provider text, provider_payment text, decline jsonb,
        created_at timestamptz, updated_at timestamptz, authorization_expires_at timestamptz, in_review boolean,
        over_capturable bigint, incrementing bigint, holds jsonb, attempt integer, action jsonb, authentication jsonb,
        card jsonb, checkout_session uuid, description text, reference text, customer uuid, payment_method uuid,
        stored jsonb, duplicate_of uuid, what bigint)
    ), used as (
      insert into payments.card_use (shard, what, payment, merchant)
      select r.shard, r.what, r.id, r.merchant from r where r.what is not null
    ), terms as (
      insert into payments.payment_terms (
        shard, merchant, id, card, checkout_session, description, reference, customer, payment_method, stored,
        duplicate_of)
      select r.shard, r.merchant, r.id, r.card, r.checkout_session, r.description, r.reference, r.customer,
             r.payment_method, nullif(r.stored, 'null'::jsonb), r.duplicate_of
      from r
    )
    insert into payments.payment (
      shard, merchant, id, version, state, amount, currency, capture_method, authorized, captured, capturing, refunded,
      refunding, finalized, closing, fee, provider, provider_payment, decline, created_at, updated_at,
      authorization_expires_at, in_review, over_capturable, incrementing, holds, attempt, action, authentication)
    select r.shard, r.merchant, r.id, r.version, r.state, r.amount, r.currency, r.capture_method, r.authorized,
           r.captured, r.capturing, r.refunded, r.refunding, r.finalized, r.closing, r.fee, r.provider,
           r.provider_payment, nullif(r.decline, 'null'::jsonb), r.created_at, r.updated_at, r.authorization_expires_at,
           r.in_review, r.over_capturable, r.incrementing, r.holds, r.attempt, nullif(r.action, 'null'::jsonb),
           nullif(r.authentication, 'null'::jsonb)
    from r;
  end if;
  if p_payments is not null then
    update payments.payment p
    set version = r.version, state = r.state, authorized = r.authorized, captured = r.captured,
        capturing = r.capturing, refunded = r.refunded, refunding = r.refunding, finalized = r.finalized,
        closing = r.closing, in_review = r.in_review, over_capturable = r.over_capturable,
        incrementing = r.incrementing, fee = r.fee, holds = r.holds, attempt = r.attempt, provider = r.provider,
        provider_payment = r.provider_payment, action = nullif(r.action, 'null'::jsonb),
        authentication = nullif(r.authentication, 'null'::jsonb), decline = nullif(r.decline, 'null'::jsonb),
        updated_at = r.updated_at, authorization_expires_at = r.authorization_expires_at
    from json_to_recordset(p_payments) as r (
      shard smallint, merchant uuid, id uuid, version integer, state text, authorized bigint, captured bigint,
      capturing bigint, refunded bigint, refunding bigint, finalized boolean, closing boolean, in_review boolean,
      over_capturable bigint, incrementing bigint, fee bigint, holds jsonb, attempt integer, provider text,
      provider_payment text, action jsonb, authentication jsonb, decline jsonb, updated_at timestamptz,
      authorization_expires_at timestamptz)
    where p.shard = r.shard and p.merchant = r.merchant and p.id = r.id;
  end if;
  if p_resolutions is not null then
    with r as materialized (
      select * from json_to_recordset(p_resolutions) as r (
        shard smallint, merchant uuid, payment uuid, id uuid, state text, failure jsonb, details jsonb,
        provider_operation text, resolved_at timestamptz, resolve_after timestamptz, request jsonb)
    ), ended as (
      delete from payments.in_flight f using r
      where f.shard = r.shard and f.operation = r.id and r.state <> 'requires_action'
    ), waiting as (
      update payments.in_flight f
      set accepted = true, resolve_after = r.resolve_after, request = coalesce(nullif(r.request, 'null'::jsonb), f.request)
      from r
      where f.shard = r.shard and f.operation = r.id and r.state = 'requires_action'
    )
    update payments.operation o
    set state = r.state, failure = nullif(r.failure, 'null'::jsonb), details = nullif(r.details, 'null'::jsonb),
        provider_operation = r.provider_operation, resolved_at = r.resolved_at
    from r
    where o.shard = r.shard and o.merchant = r.merchant and o.payment = r.payment and o.id = r.id;
  end if;
  if p_new_operations is not null then
    with r as materialized (
      select * from json_to_recordset(p_new_operations) as r (
        shard smallint, merchant uuid, payment uuid, id uuid, kind text, state text, amount bigint, final boolean,
        attempt integer, provider text, reference text, pending_transfer uuid, routing jsonb, provider_operation text,
        details jsonb, failure jsonb, claimed_at timestamptz, resolved_at timestamptz,
        request jsonb, accepted boolean, last_sent_at timestamptz, resolve_after timestamptz)
    ), sent as (
      insert into payments.in_flight (
        shard, merchant, payment, operation, request, accepted, last_sent_at, resolve_after)
      select r.shard, r.merchant, r.payment, r.id, r.request, r.accepted, r.last_sent_at, r.resolve_after
      from r where r.request is not null
    )
    insert into payments.operation (
      shard, merchant, payment, id, kind, state, amount, final, attempt, provider, reference, pending_transfer, routing,
      provider_operation, details, failure, claimed_at, resolved_at)
    select r.shard, r.merchant, r.payment, r.id, r.kind, r.state, r.amount, r.final, r.attempt, r.provider, r.reference,
           r.pending_transfer, nullif(r.routing, 'null'::jsonb), r.provider_operation, nullif(r.details, 'null'::jsonb),
           nullif(r.failure, 'null'::jsonb), r.claimed_at, r.resolved_at
    from r;
  end if;
  if p_new_sessions is not null then
    insert into payments.checkout_session
    select r.* from json_populate_recordset(null::payments.checkout_session, p_new_sessions) r;
  end if;
  if p_sessions is not null then
    update payments.checkout_session s set attempt = r.attempt, status = r.status, payment = r.payment
    from json_to_recordset(p_sessions) as r (
      shard smallint, merchant uuid, id uuid, attempt integer, status text, payment uuid)
    where s.shard = r.shard and s.merchant = r.merchant and s.id = r.id;
  end if;
  if p_customers is not null then
    insert into payments.customer select r.* from json_populate_recordset(null::payments.customer, p_customers) r;
  end if;
  if p_methods is not null then
    insert into payments.payment_method
    select r.* from json_populate_recordset(null::payments.payment_method, p_methods) r
    on conflict (shard, merchant, id) do update
    set status = case payment_method.status when 'removed' then 'removed' else excluded.status end,
        network_transaction_id = coalesce(payment_method.network_transaction_id, excluded.network_transaction_id),
        updated_at = excluded.updated_at;
  end if;
  if p_assessments is not null then
    insert into risk.assessment select r.* from json_populate_recordset(null::risk.assessment, p_assessments) r;
  end if;
  if p_events is not null then
    with r as materialized (
      select * from json_to_recordset(p_events) as r (
        shard smallint, merchant uuid, id uuid, type text, payment uuid, body jsonb, created_at timestamptz)
    ), waiting as (
      insert into payments.unpublished (shard, id) select r.shard, r.id from r
    )
    insert into payments.outbox (shard, merchant, id, type, payment, body, created_at)
    select r.shard, r.merchant, r.id, r.type, r.payment, r.body, r.created_at from r;
  end if;
end $$;

-- migrate:down
-- Migrations only go forward.
