-- migrate:up

-- Payments by what is paid: the same merchant, card, amount and currency have the same `what`, 63 bits of a digest. Written
-- in the commit that claims the payment, read by whoever looks for duplicates, forgotten after the merchant's window. Its
-- key is what it is looked up by, so it has one index.
create table payments.card_use (
  shard smallint not null,
  what bigint not null,
  payment uuid not null, -- UUIDv7: it says when
  merchant uuid not null,
  primary key (shard, what, payment)
);

-- What a merchant wants of duplicates; without a row: 10 minutes, and none is refused.
create table payments.duplicate_policy (
  shard smallint not null,
  merchant uuid not null,
  window_minutes smallint not null default 10 check (window_minutes between 1 and 60),
  refuse boolean not null default false, -- decline them before anything is sent
  primary key (shard, merchant)
);

alter table payments.card_use enable row level security;
alter table payments.duplicate_policy enable row level security;
create policy own_card_uses on payments.card_use for select using (merchant = merchants.current_merchant());
create policy own_duplicate_policy on payments.duplicate_policy for select
  using (merchant = merchants.current_merchant());
grant select on payments.card_use, payments.duplicate_policy to tessera_payments;

-- Whether a payment took nothing in the end, so that the same again is no duplicate of it.
create function payments.took_nothing(p_state text) returns boolean
  language sql immutable parallel safe
  return p_state in ('declined', 'failed', 'voided', 'expired', 'refunded');

-- The guard of a claim that must be no duplicate: whether there is another payment of the same since p_since, an id. It
-- holds exactly where it is asked by whoever has locked the shard's chain.
create function payments.has_other_use(p_shard smallint, p_merchant uuid, p_what bigint, p_since uuid, p_but uuid)
  returns boolean
  language sql stable set search_path = pg_catalog
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
    select exists (
      select
      from (
        select c.payment from payments.card_use c
        where c.shard = p_shard and c.what = p_what and c.payment >= p_since and c.payment <> p_but
          and c.merchant = p_merchant
        order by c.payment desc limit 50
      ) c
      join payments.payment p on p.shard = p_shard and p.merchant = p_merchant and p.id = c.payment
      where not payments.took_nothing(p.state))
  $$;

-- Of claimed payments and all others of the same between p_from and p_to the later ones that are not flagged yet, each with
-- the latest before it. Asked once a claim is committed, so of two at the same moment, in whatever processes, at least one
-- sees the other. Of a card that is tried over and over 50 on either side are enough.
create function payments.find_duplicates(
  p_shards smallint[], p_merchants uuid[], p_payments uuid[], p_whats bigint[], p_from uuid[], p_to uuid[])
  returns table (merchant uuid, payment uuid, earlier uuid)
  language sql stable security definer set search_path = pg_catalog
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  as $$
    with pair as materialized (
      select a.shard, a.merchant, greatest(a.payment, c.payment) as payment, least(a.payment, c.payment) as earlier
      from unnest(p_shards, p_merchants, p_payments, p_whats, p_from, p_to)
        as a (shard, merchant, payment, what, first, last)
      cross join lateral (
        (select u.payment from payments.card_use u
         where u.shard = a.shard and u.what = a.what and u.payment >= a.first and u.payment < a.payment
           and u.merchant = a.merchant
         order by u.payment desc limit 50)
        union all
        (select u.payment from payments.card_use u
         where u.shard = a.shard and u.what = a.what and u.payment > a.payment and u.payment <= a.last
           and u.merchant = a.merchant
         order by u.payment limit 50)
      ) c
    )
    select distinct on (pair.payment) pair.merchant, pair.payment, pair.earlier
    from pair
    join payments.payment later
      on later.shard = pair.shard and later.merchant = pair.merchant and later.id = pair.payment
    join payments.payment before
      on before.shard = pair.shard and before.merchant = pair.merchant and before.id = pair.earlier
    join payments.payment_terms t
      on t.shard = pair.shard and t.merchant = pair.merchant and t.id = pair.payment
    where t.duplicate_of is null and not payments.took_nothing(before.state)
      and not payments.took_nothing(later.state)
    order by pair.payment, pair.earlier desc
  $$;
grant execute on function payments.find_duplicates(smallint[], uuid[], uuid[], bigint[], uuid[], uuid[])
  to tessera_recovery;

-- Flags a payment and announces it; false if it was flagged before, and then nothing is announced again.
create function payments.flag_duplicate(
  p_shard smallint, p_merchant uuid, p_payment uuid, p_earlier uuid, p_event uuid, p_type text, p_body jsonb)
  returns boolean
  language sql volatile security definer set search_path = pg_catalog
  as $$
    with flagged as (
      update payments.payment_terms t set duplicate_of = p_earlier
      where t.shard = p_shard and t.merchant = p_merchant and t.id = p_payment and t.duplicate_of is null
      returning t.shard, t.merchant, t.id
    ), waiting as (
      insert into payments.unpublished (shard, id) select f.shard, p_event from flagged f
    ), announced as (
      insert into payments.outbox (shard, merchant, id, type, payment, body, created_at)
      select f.shard, f.merchant, p_event, p_type, f.id, p_body, now() from flagged f
    )
    select exists (select from flagged)
  $$;
grant execute on function payments.flag_duplicate(smallint, uuid, uuid, uuid, uuid, text, jsonb) to tessera_recovery;

-- Forgets what no merchant of these shards asks for any more; says how much.
create function payments.forget_card_uses(p_shards smallint[]) returns bigint
  language sql volatile security definer set search_path = pg_catalog
  as $$
    with kept as materialized (
      select s.shard, greatest(10, (
               select max(d.window_minutes) from payments.duplicate_policy d where d.shard = s.shard)) as minutes
      from unnest(p_shards) as s (shard)
    ), forgotten as (
      delete from payments.card_use c using kept k
      where c.shard = k.shard and uuid_extract_timestamp(c.payment) < now() - make_interval(mins => k.minutes)
      returning 1
    )
    select count(*) from forgotten
  $$;
grant execute on function payments.forget_card_uses(smallint[]) to tessera_recovery;

-- migrate:down
-- Migrations only go forward.
