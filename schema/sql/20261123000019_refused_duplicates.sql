-- migrate:up

-- Merchants who refuse duplicates: one more guard, which holds exactly, since it is judged under the lock of the shard's chain.
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
      union all
      -- Its key is what is paid, its id the time from which on another payment of the same is a duplicate.
      select json_build_object('ordinal', g.ordinal, 'outcome', 'guard_failed', 'guard', g.what)
      from g
      where g.what = 'not_duplicate'
        and payments.has_other_use(g.shard, g.merchant, g.key::bigint, g.id, g.payment)
    ) failed
  $$;

-- migrate:down
-- Migrations only go forward.
