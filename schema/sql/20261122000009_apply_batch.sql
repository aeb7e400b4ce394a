-- migrate:up

-- The one write door. Applies a batch of commits in one transaction, all or none of it, and answers
--   null                                  everything is applied
--   {"moved": true}                       another writer has continued a shard's chain: nothing is written
--   {"failed": [{"ordinal": 3, …}, …]}    these commits cannot be applied: nothing is written
-- A failed commit says {"outcome": "replayed"} or {"outcome": "conflict"} of a commit id that was applied before,
-- {"outcome": "key_taken", "claim": {…}}, {"outcome": "guard_failed", "guard": "…"} or {"outcome": "refused",
-- "reason": "…"}.
--
-- Guards are always judged before anything is written. What the ledger itself may refuse (an id that was applied
-- before, an unknown account, a limit, a part of a pending transfer that is not there) is rare, and found by writing:
-- a batch that meets one of them is undone with TS002 or 23505, and comes again with p_careful, which judges each
-- commit of it, in order. p_careful answers the same as ever, only slower.
--
-- Arrays of one prefix belong together: one element each for a shard (c_), a commit (k_), a transfer (t_), and
-- again a pending transfer (h_), what the transfers come to for an account (b_), a guard of a commit (g_).
-- Where all transfers are single, t_pending and the last four of b_ are left empty: nothing is held, and what is new is
-- what is posted. A
-- commit's ordinal is its position among the commits, from 1. The rest are JSON arrays of rows, null if empty.
create function ledger.apply_batch(
  p_careful boolean, p_at timestamptz, p_shards smallint[],
  c_shard smallint[], c_number bigint[], c_first bigint[], c_count integer[], c_prev bytea[], c_root bytea[],
  c_mac bytea[],
  k_shard smallint[], k_id uuid[], k_content bigint[], k_bare boolean[],
  t_commit integer[], t_shard smallint[], t_seq bigint[], t_id uuid[], t_kind smallint[], t_cause smallint[],
  t_debit bigint[], t_credit bigint[], t_amount bigint[], t_currency text[], t_pending uuid[],
  h_shard smallint[], h_id uuid[], h_debit bigint[], h_credit bigint[], h_amount bigint[], h_currency text[],
  h_payment uuid[], h_expires timestamptz[],
  b_shard smallint[], b_account bigint[], b_debits_posted bigint[], b_credits_posted bigint[],
  b_debits_pending bigint[], b_credits_pending bigint[], b_more_debits bigint[], b_more_credits bigint[],
  g_commit integer[], g_shard smallint[], g_merchant uuid[], g_what text[], g_key text[], g_payment uuid[], g_id uuid[],
  g_expected integer[],
  p_accounts json, p_journals json,
  p_claims json, p_new_payments json, p_payments json, p_new_operations json, p_resolutions json,
  p_new_sessions json, p_sessions json, p_assessments json, p_events json)
  returns json
  language plpgsql volatile security definer
  set search_path = pg_catalog
  as $$
declare
  v_failed json;
  v_expected integer;
  v_found integer;
  v_resolved boolean := 2::smallint = any (t_kind) or 3::smallint = any (t_kind);
begin
  -- From the locked rows outward: all are locked, also of shards whose commits move no money.
  select count(x.shard) into v_found
  from (
    select c.shard, c.batch, c.seq, c.mac, c.at from ledger.chain c
    where c.shard = any (p_shards) order by c.shard for update
  ) c
  left join unnest(c_shard, c_number, c_first, c_prev) as x (shard, number, first, prev)
    on x.shard = c.shard and c.batch = x.number - 1 and c.seq = x.first - 1 and c.mac = x.prev and c.at <= p_at;
  if v_found <> cardinality(c_shard) then
    return json_build_object('moved', true);
  end if;

  if p_careful then
    v_failed := ledger.applied_before(k_shard, k_id, k_content, t_commit, t_shard, t_id);
    if v_failed is not null then
      return json_build_object('failed', v_failed);
    end if;
  end if;

  if cardinality(g_commit) > 0 then
    v_failed := ledger.failed_guards(g_commit, g_shard, g_merchant, g_what, g_key, g_payment, g_id, g_expected);
    if v_failed is not null then
      return json_build_object('failed', v_failed);
    end if;
  end if;

  if p_careful then
    v_failed := ledger.refused_transfers(
      t_commit, t_shard, t_kind, t_debit, t_credit, t_amount, t_currency, t_pending, p_accounts);
    if v_failed is not null then
      return json_build_object('failed', v_failed);
    end if;
  end if;

  if p_accounts is not null then
    perform ledger.open_accounts(p_accounts, p_at);
  end if;

  if cardinality(t_id) > 0 then
    insert into ledger.transfer
      (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency, pending)
    select x.seq, x.debit, x.credit, x.amount, p_at, k_content[x.commit], x.id, x.shard, x.kind, x.cause, x.currency,
           x.pending
    from unnest(t_commit, t_shard, t_seq, t_id, t_kind, t_cause, t_debit, t_credit, t_amount, t_currency, t_pending)
      as x (commit, shard, seq, id, kind, cause, debit, credit, amount, currency, pending);

    if cardinality(h_id) > 0 then
      insert into ledger.pending (shard, transfer, debit, credit, currency, remaining, payment, expires_at)
      select x.shard, x.id, x.debit, x.credit, x.currency, x.amount, x.payment, x.expires
      from unnest(h_shard, h_id, h_debit, h_credit, h_amount, h_currency, h_payment, h_expires)
        as x (shard, id, debit, credit, amount, currency, payment, expires);
    end if;

    if v_resolved then
      with part as materialized (
        select x.shard, x.pending, x.debit, x.credit, x.currency, sum(x.amount)::bigint as amount
        from unnest(t_shard, t_kind, t_debit, t_credit, t_amount, t_currency, t_pending)
          as x (shard, kind, debit, credit, amount, currency, pending)
        where x.kind in (2, 3)
        group by 1, 2, 3, 4, 5
      ), ended as (
        delete from ledger.pending p using part
        where p.shard = part.shard and p.transfer = part.pending and p.debit = part.debit
          and p.credit = part.credit and p.currency = part.currency and p.remaining = part.amount
        returning 1
      ), lessened as (
        update ledger.pending p set remaining = p.remaining - part.amount
        from part
        where p.shard = part.shard and p.transfer = part.pending and p.debit = part.debit
          and p.credit = part.credit and p.currency = part.currency and p.remaining > part.amount
        returning 1
      )
      select (select count(*) from part), (select count(*) from ended) + (select count(*) from lessened)
      into v_expected, v_found;
      if v_expected <> v_found then
        raise exception 'a pending transfer has not what is to be resolved of it' using errcode = 'TS002';
      end if;
    end if;

    -- Limits are judged as if nothing came in; where that is too strict, carefully and in order (see above).
    update ledger.balance b
    set debits_posted = b.debits_posted + c.debits_posted, credits_posted = b.credits_posted + c.credits_posted,
        debits_pending = b.debits_pending + coalesce(c.debits_pending, 0),
        credits_pending = b.credits_pending + coalesce(c.credits_pending, 0)
    from unnest(b_shard, b_account, b_debits_posted, b_credits_posted, b_debits_pending, b_credits_pending,
                b_more_debits, b_more_credits)
      as c (shard, account, debits_posted, credits_posted, debits_pending, credits_pending, more_debits, more_credits)
    where b.shard = c.shard and b.id = c.account
      and (b.limited = 0 or p_careful
           or (b.limited = 1 and b.debits_posted + b.debits_pending + coalesce(c.more_debits, c.debits_posted) <= b.credits_posted)
           or (b.limited = 2 and b.credits_posted + b.credits_pending + coalesce(c.more_credits, c.credits_posted) <= b.debits_posted));
    get diagnostics v_found = row_count;
    if v_found <> cardinality(b_account) then
      raise exception 'an account is unknown or at its limit' using errcode = 'TS002';
    end if;

    with moved as (
      update ledger.chain c set seq = x.first + x.count - 1, batch = x.number, mac = x.mac, at = p_at
      from unnest(c_shard, c_number, c_first, c_count, c_mac) as x (shard, number, first, count, mac)
      where c.shard = x.shard
    )
    insert into ledger.batch (shard, number, first_seq, count, at, root, mac)
    select x.shard, x.number, x.first, x.count, p_at, x.root, x.mac
    from unnest(c_shard, c_number, c_first, c_count, c_root, c_mac)
      as x (shard, number, first, count, root, mac);
  end if;

  if true = any (k_bare) then
    insert into ledger.commit (shard, id, content)
    select x.shard, x.id, x.content from unnest(k_shard, k_id, k_content, k_bare) as x (shard, id, content, bare)
    where x.bare;
  end if;

  if p_journals is not null then
    insert into ledger.payment_journal (shard, merchant, payment, commit)
    select x.shard, x.merchant, x.payment, x.commit
    from json_to_recordset(p_journals) as x (shard smallint, merchant uuid, payment uuid, commit uuid);
  end if;
  if p_claims is not null then
    insert into payments.idempotency (shard, merchant, key, fingerprint, kind, subject, payment, created_at)
    select x.shard, x.merchant, x.key, decode(x.fingerprint, 'hex'), x.kind, x.subject, x.payment, x.created_at
    from json_to_recordset(p_claims) as x (
      shard smallint, merchant uuid, key text, fingerprint text, kind text, subject uuid, payment uuid,
      created_at timestamptz);
  end if;
  if p_new_payments is not null then
    insert into payments.payment select r.* from json_populate_recordset(null::payments.payment, p_new_payments) r;
  end if;
  if p_payments is not null then
    update payments.payment p
    set version = r.version, state = r.state, authorized = r.authorized, captured = r.captured,
        capturing = r.capturing, refunded = r.refunded, refunding = r.refunding, finalized = r.finalized,
        closing = r.closing, fee = r.fee, authorization_transfer = r.authorization_transfer,
        provider_payment = r.provider_payment, decline = r.decline, updated_at = r.updated_at,
        authorization_expires_at = r.authorization_expires_at
    from json_to_recordset(p_payments) as r (
      shard smallint, merchant uuid, id uuid, version integer, state text, authorized bigint, captured bigint,
      capturing bigint, refunded bigint, refunding bigint, finalized boolean, closing boolean, fee bigint,
      authorization_transfer uuid, provider_payment text, decline jsonb, updated_at timestamptz,
      authorization_expires_at timestamptz)
    where p.shard = r.shard and p.merchant = r.merchant and p.id = r.id;
  end if;
  if p_new_operations is not null then
    insert into payments.operation
    select r.* from json_populate_recordset(null::payments.operation, p_new_operations) r;
  end if;
  if p_resolutions is not null then
    update payments.operation o
    set state = r.state, failure = nullif(r.failure, 'null'::jsonb), resolved_at = r.resolved_at
    from json_to_recordset(p_resolutions) as r (
      shard smallint, merchant uuid, payment uuid, id uuid, state text, failure jsonb, resolved_at timestamptz)
    where o.shard = r.shard and o.merchant = r.merchant and o.payment = r.payment and o.id = r.id;
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
  if p_assessments is not null then
    insert into risk.assessment select r.* from json_populate_recordset(null::risk.assessment, p_assessments) r;
  end if;
  if p_events is not null then
    insert into payments.outbox (shard, merchant, id, type, payment, body, created_at)
    select r.shard, r.merchant, r.id, r.type, r.payment, r.body, r.created_at
    from json_to_recordset(p_events) as r (
      shard smallint, merchant uuid, id uuid, type text, payment uuid, body jsonb, created_at timestamptz);
  end if;
  return null;
end $$;

-- Commits that were applied before, by their id or by that of their first transfer.
create function ledger.applied_before(
  k_shard smallint[], k_id uuid[], k_content bigint[], t_commit integer[], t_shard smallint[], t_id uuid[])
  returns json
  language sql stable set search_path = pg_catalog
  as $$
    select json_agg(json_build_object(
      'ordinal', known.ordinal, 'outcome', case when known.content = known.sent then 'replayed' else 'conflict' end))
    from (
      select k.ordinal, k.content as sent, coalesce(c.content, t.content) as content
      from unnest(k_shard, k_id, k_content) with ordinality as k (shard, id, content, ordinal)
      left join ledger.commit c on c.shard = k.shard and c.id = k.id
      left join ledger.transfer t on t.shard = k.shard and t.id = ledger.transfer_id(k.id, 1)
    ) known
    where known.content is not null
  $$;

-- Commits whose guard does not hold, or whose idempotency key names another subject.
create function ledger.failed_guards(
  g_commit integer[], g_shard smallint[], g_merchant uuid[], g_what text[], g_key text[], g_payment uuid[], g_id uuid[],
  g_expected integer[])
  returns json
  language sql stable set search_path = pg_catalog
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
      select json_build_object('ordinal', g.ordinal, 'outcome', 'guard_failed', 'guard', g.what)
      from g
      left join payments.operation o
        on o.shard = g.shard and o.merchant = g.merchant and o.payment = g.payment and o.id = g.id
      where g.what = 'operation_state' and o.state is distinct from 'claimed'
      union all
      select json_build_object('ordinal', g.ordinal, 'outcome', 'guard_failed', 'guard', g.what)
      from g
      left join payments.checkout_session s on s.shard = g.shard and s.merchant = g.merchant and s.id = g.id
      where g.what = 'session_attempt' and (s.attempt is distinct from g.expected or s.status <> 'open')
    ) failed
  $$;

-- Commits with a transfer that the ledger refuses, judged in the order of the batch; a refused commit moves nothing.
create function ledger.refused_transfers(
  t_commit integer[], t_shard smallint[], t_kind smallint[], t_debit bigint[], t_credit bigint[], t_amount bigint[],
  t_currency text[], t_pending uuid[], p_accounts json)
  returns json
  language plpgsql stable set search_path = pg_catalog
  as $$
declare
  v_reasons jsonb := '{}';  -- of a refused commit, by ordinal
  v_balances jsonb := '{}'; -- of accounts with limits: [exposed, covering] by shard/account, as the batch goes on
  v_trial jsonb;              -- the same, with the commit that is being judged
  v_one record;
  v_side record;
  v_known jsonb;
  v_commit integer := null;
  v_refused json;
begin
  select coalesce(jsonb_object_agg(bad.commit, bad.reason), '{}') into v_reasons
  from (
    select distinct on (x.commit) x.commit, reason.reason
    from unnest(t_commit, t_shard, t_kind, t_debit, t_credit, t_currency)
      with ordinality as x (commit, shard, kind, debit, credit, currency, position)
    cross join lateral (values (x.debit), (x.credit)) as side (account)
    left join ledger.account a on a.shard = x.shard and a.id = side.account
    left join json_to_recordset(p_accounts) as o (shard smallint, id bigint, currency text)
      on o.shard = x.shard and o.id = side.account
    cross join lateral (select case
      when a.id is null and o.id is null then 'unknown_account'
      when coalesce(a.currency, o.currency) <> x.currency then 'other_currency' end) as reason (reason)
    where reason.reason is not null
    order by x.commit, x.position
  ) bad;

  select coalesce(jsonb_object_agg(bad.commit, bad.reason), '{}') || v_reasons into v_reasons
  from (
    select distinct on (part.commit) part.commit, reason.reason
    from (
      select x.commit, x.shard, x.pending, x.debit, x.credit, x.currency, sum(x.amount) as amount
      from unnest(t_commit, t_shard, t_kind, t_debit, t_credit, t_amount, t_currency, t_pending)
        as x (commit, shard, kind, debit, credit, amount, currency, pending)
      where x.kind in (2, 3) group by 1, 2, 3, 4, 5, 6
    ) part
    left join ledger.pending p on p.shard = part.shard and p.transfer = part.pending
    left join ledger.transfer t on t.shard = part.shard and t.id = part.pending and t.kind = 1
    cross join lateral (select case
      when t.id is null then 'unknown_pending'
      when (t.debit, t.credit, t.currency) is distinct from (part.debit, part.credit, part.currency)
        then 'other_pending_accounts'
      when p.transfer is null or p.remaining < part.amount then 'exceeds_pending' end) as reason (reason)
    where reason.reason is not null
    order by part.commit, part.pending
  ) bad;

  for v_one in
    select x.commit, x.shard, x.kind, x.debit, x.credit, x.amount, d.limited as debit_limited, c.limited as credit_limited
    from unnest(t_commit, t_shard, t_kind, t_debit, t_credit, t_amount)
      with ordinality as x (commit, shard, kind, debit, credit, amount, position)
    left join ledger.balance d on d.shard = x.shard and d.id = x.debit
    left join ledger.balance c on c.shard = x.shard and c.id = x.credit
    left join json_to_recordset(p_accounts) as od (shard smallint, id bigint, limited smallint)
      on od.shard = x.shard and od.id = x.debit
    left join json_to_recordset(p_accounts) as oc (shard smallint, id bigint, limited smallint)
      on oc.shard = x.shard and oc.id = x.credit
    where not v_reasons ? x.commit::text
      and (coalesce(d.limited, od.limited) > 0 or coalesce(c.limited, oc.limited) > 0)
    order by x.position
  loop
    if v_commit is distinct from v_one.commit then
      if v_commit is not null and not v_reasons ? v_commit::text then
        v_balances := v_trial;
      end if;
      v_commit := v_one.commit;
      v_trial := v_balances;
    end if;
    if v_reasons ? v_commit::text then
      continue;
    end if;
    for v_side in
      select s.account, s.is_debit, o.limited, o.exposed, o.covering
      from (values (v_one.debit, true), (v_one.credit, false)) as s (account, is_debit)
      cross join lateral (
        select b.limited,
               case b.limited when 1 then b.debits_posted + b.debits_pending else b.credits_posted + b.credits_pending end
                 as exposed,
               case b.limited when 1 then b.credits_posted else b.debits_posted end as covering
        from ledger.balance b where b.shard = v_one.shard and b.id = s.account
        union all
        select n.limited, 0, 0 from json_to_recordset(p_accounts) as n (shard smallint, id bigint, limited smallint)
        where n.shard = v_one.shard and n.id = s.account
          and not exists (select 1 from ledger.balance b where b.shard = v_one.shard and b.id = s.account)
        limit 1
      ) o
      where o.limited > 0
    loop
      v_known := coalesce(v_trial -> (v_one.shard || '/' || v_side.account), jsonb_build_array(v_side.exposed, v_side.covering));
      if v_side.is_debit = (v_side.limited = 1) then
        v_known := jsonb_set(v_known, '{0}', to_jsonb((v_known ->> 0)::numeric
          + case v_one.kind when 2 then 0 when 3 then -v_one.amount else v_one.amount end));
      elsif v_one.kind in (0, 2) then
        v_known := jsonb_set(v_known, '{1}', to_jsonb((v_known ->> 1)::numeric + v_one.amount));
      end if;
      v_trial := v_trial || jsonb_build_object(v_one.shard || '/' || v_side.account, v_known);
      if (v_known ->> 0)::numeric > (v_known ->> 1)::numeric and v_one.kind < 2 and v_side.is_debit = (v_side.limited = 1) then
        v_reasons := v_reasons || jsonb_build_object(v_commit::text, 'exceeds_limit');
        exit;
      end if;
    end loop;
  end loop;

  select json_agg(json_build_object('ordinal', r.key::integer, 'outcome', 'refused', 'reason', r.value)) into v_refused
  from jsonb_each_text(v_reasons) r;
  return v_refused;
end $$;

-- Opens accounts, and books, that are not there. What an account is never changes, so one that is there must be
-- the same.
create function ledger.open_accounts(p_accounts json, p_at timestamptz) returns void
  language plpgsql volatile set search_path = pg_catalog
  as $$
declare
  other text;
begin
  insert into ledger.book (shard, id, merchant)
  select distinct x.shard, x.book, x.merchant
  from json_to_recordset(p_accounts) as x (shard smallint, book uuid, merchant uuid)
  on conflict do nothing;
  insert into ledger.account (shard, id, book, merchant, code, currency, normal_side, overdraft, opened_at)
  select x.shard, x.id, x.book, x.merchant, x.code, x.currency, x.normal_side, x.limited = 0, p_at
  from json_to_recordset(p_accounts) as x (
    shard smallint, id bigint, book uuid, merchant uuid, code text, currency text, normal_side text, limited smallint)
  order by x.shard, x.id
  on conflict (shard, id) do nothing;
  insert into ledger.balance (shard, id, limited)
  select x.shard, x.id, x.limited from json_to_recordset(p_accounts) as x (shard smallint, id bigint, limited smallint)
  order by x.shard, x.id
  on conflict (shard, id) do nothing;
  select a.code into other
  from json_to_recordset(p_accounts) as x (
    shard smallint, id bigint, book uuid, merchant uuid, code text, currency text, normal_side text, limited smallint)
  join ledger.account a on a.shard = x.shard and a.id = x.id
  where (a.book, a.merchant, a.code, a.currency, a.normal_side, a.overdraft)
        is distinct from (x.book, x.merchant, x.code, x.currency, x.normal_side, x.limited = 0)
  limit 1;
  if found then
    raise exception 'account % is there and is another', other using errcode = 'TS003';
  end if;
end $$;

-- Where chains stand: what a lane starts from.
create function ledger.heads(p_shards smallint[])
  returns table (shard smallint, seq bigint, batch bigint, mac bytea, at timestamptz)
  language sql stable security definer set search_path = pg_catalog
  as $$ select c.shard, c.seq, c.batch, c.mac, c.at from ledger.chain c where c.shard = any (p_shards) $$;

-- A shard's batches after the one that a lane knows, so that it can tell whether a holder of the key made them.
create function ledger.batches_after(p_shard smallint, p_number bigint, p_limit integer)
  returns setof ledger.batch
  language sql stable security definer set search_path = pg_catalog
  as $$
    select * from ledger.batch b where b.shard = p_shard and b.number > p_number order by b.number limit p_limit
  $$;

grant execute on function ledger.apply_batch to tessera_committer;
grant execute on function ledger.heads(smallint[]), ledger.batches_after(smallint, bigint, integer)
  to tessera_committer;

-- migrate:down
-- Migrations only go forward.
