-- migrate:up

-- The write door of migration 9, leaner. What the ledger writes of a batch is one statement; payments' rows and guards
-- are functions of their own; what has to be judged commit by commit is looked for set-based first, so that a batch is
-- not judged transfer by transfer because one of its commits is in doubt.
drop function ledger.apply_batch;
drop function ledger.failed_guards;
drop function ledger.refused_transfers;
drop function ledger.applied_before;

-- A check is read anew by every statement that writes its table: for a lone commit nine of them are a sixth of all. So
-- each table has one, that says the same.
do $$
declare
  r record;
begin
  for r in
    select c.conrelid::regclass as tbl, c.conname from pg_constraint c
    where c.contype = 'c' and c.conrelid in ('ledger.transfer'::regclass, 'ledger.balance'::regclass)
  loop
    execute format('alter table %s drop constraint %I', r.tbl, r.conname);
  end loop;
end $$;
-- limited: 0 nothing | 1 debits, also pending ones, must not exceed posted credits | 2 credits, likewise, debits
alter table ledger.balance add constraint balance_is_sound check (
  least(debits_posted, credits_posted, debits_pending, credits_pending) >= 0 and limited between 0 and 2);
-- Only a post and a release (kinds 2 and 3) name what they resolve.
alter table ledger.transfer add constraint transfer_is_sound check (
  amount between 1 and 4611686018427387904 and debit <> credit and (pending is null) = (kind < 2));

-- A batch's rows. One array of rows is read in less time than an array for each column of theirs, and the fewer
-- transfers there are the more so.
create type ledger.new_link as (
  shard smallint, number bigint, first bigint, count integer, prev bytea, root bytea, mac bytea
);
create type ledger.new_transfer as (
  commit integer, -- its position in the batch, from 1
  shard smallint, seq bigint, id uuid, kind smallint, cause smallint, debit bigint, credit bigint, amount bigint,
  currency text, content bigint, pending uuid
);
-- What a batch's transfers come to for an account. Where all are single the last four are null: nothing is held, and
-- what is new is what is posted.
create type ledger.balance_change as (
  shard smallint, account bigint, debits_posted bigint, credits_posted bigint, debits_pending bigint,
  credits_pending bigint, more_debits bigint, more_credits bigint
);
create type ledger.new_hold as (
  shard smallint, id uuid, debit bigint, credit bigint, amount bigint, currency text, payment uuid, expires timestamptz
);
-- A commit without transfers.
create type ledger.bare_commit as (commit integer, shard smallint, id uuid, content bigint);

-- Commits whose guard does not hold, or whose idempotency key names another subject: JSON as `ledger.apply_batch`
-- answers it, null if there are none.
create function payments.failed_guards(
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

-- Writes the rows of payments, risk and the outbox: JSON arrays of rows, null if there are none.
create function payments.apply_rows(
  p_claims json, p_new_payments json, p_payments json, p_new_operations json, p_resolutions json, p_new_sessions json,
  p_sessions json, p_customers json, p_methods json, p_assessments json, p_events json)
  returns void
  language plpgsql volatile set search_path = pg_catalog
  as $$
begin
  if coalesce(p_customers, p_methods) is not null then
    raise exception 'there are no customers or stored methods yet';
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
end $$;

-- Applies a batch of commits in one transaction, all or none of it, and answers
--   null                                  everything is applied
--   {"failed": [{"ordinal": 3, …}, …]}    these commits cannot be applied: nothing is written
-- A failed commit says {"outcome": "replayed"} or {"outcome": "conflict"} of a commit id that was applied before,
-- {"outcome": "key_taken", "claim": {…}}, {"outcome": "guard_failed", "guard": "…"} or {"outcome": "refused",
-- "reason": "…"}. TS001 says that another writer has continued a shard's chain, and nothing is written.
--
-- Guards are always judged before anything is written. What the ledger itself may refuse (an unknown account, a limit,
-- a part of a pending transfer that is not there) is rare, and found by writing: a batch that meets one of them is
-- undone with TS002, and comes again to be judged (p_judge). So is an id that was applied before: with 23505, and the
-- batch comes again with all its ids looked up first (p_recall). What fails is never answered so without its id being
-- looked up.
--
-- A commit's ordinal is its position in the batch, from 1. Arrays that begin with g_ have one element for each guard of
-- a commit. What has a default may be left out: p_resolves says whether a transfer posts or releases a part of what is
-- held, p_holds are the pending transfers once more, with what only they have. JSON arrays are rows.
create function ledger.apply_batch(
  p_judge boolean, p_recall boolean, p_at timestamptz, p_shards smallint[], p_links ledger.new_link[],
  p_transfers ledger.new_transfer[], p_changes ledger.balance_change[],
  p_resolves boolean default false, p_holds ledger.new_hold[] default null, p_bare ledger.bare_commit[] default null,
  g_commit integer[] default null, g_shard smallint[] default null, g_merchant uuid[] default null,
  g_what text[] default null, g_key text[] default null, g_payment uuid[] default null, g_id uuid[] default null,
  g_expected integer[] default null,
  p_accounts json default null, p_journals json default null,
  p_claims json default null, p_new_payments json default null, p_payments json default null,
  p_new_operations json default null, p_resolutions json default null, p_new_sessions json default null,
  p_sessions json default null, p_customers json default null, p_methods json default null,
  p_assessments json default null, p_events json default null)
  returns json
  language plpgsql volatile security definer
  set search_path = pg_catalog
  as $$
declare
  v_failed json;
  v_found bigint;
begin
  -- What is judged must stay so until it is written. Where nothing is judged beforehand, the first thing that is
  -- written are the chains themselves.
  if p_judge or g_commit is not null or cardinality(p_shards) > cardinality(p_links) then
    perform from ledger.chain c where c.shard = any (p_shards) order by c.shard for update;
  end if;
  if p_recall then
    v_failed := ledger.applied_before(p_transfers, p_bare, null);
    if v_failed is not null then
      return json_build_object('failed', v_failed);
    end if;
  end if;
  if g_commit is not null then
    v_failed := payments.failed_guards(g_commit, g_shard, g_merchant, g_what, g_key, g_payment, g_id, g_expected);
    if v_failed is not null then
      return json_build_object('failed', ledger.recalled(v_failed, p_transfers, p_bare));
    end if;
  end if;
  if p_judge then
    v_failed := ledger.refused_transfers(p_transfers, p_changes, p_accounts);
    if v_failed is not null then
      return json_build_object('failed', ledger.recalled(v_failed, p_transfers, p_bare));
    end if;
  end if;

  if p_accounts is not null then
    perform ledger.open_accounts(p_accounts, p_at);
  end if;
  if p_holds is not null then
    insert into ledger.pending (shard, transfer, debit, credit, currency, remaining, payment, expires_at)
    select x.shard, x.id, x.debit, x.credit, x.currency, x.amount, x.payment, x.expires from unnest(p_holds) x;
  end if;
  if p_resolves then
    perform ledger.resolve_parts(p_transfers);
  end if;

  if cardinality(p_links) > 0 then
    -- Limits are judged as if nothing came in; where that is too strict, in order (see above). Nobody else changes
    -- a balance without continuing its shard's chain, so what this statement sees holds if the chains are where
    -- they should be.
    with moved as (
      update ledger.chain c set seq = x.first + x.count - 1, batch = x.number, mac = x.mac, at = p_at
      from unnest(p_links) x
      where c.shard = x.shard and c.batch = x.number - 1 and c.seq = x.first - 1 and c.mac = x.prev and c.at <= p_at
      returning x.shard, x.number, x.first, x.count, x.root, x.mac
    ), linked as (
      insert into ledger.batch (shard, number, first_seq, count, at, root, mac)
      select m.shard, m.number, m.first, m.count, p_at, m.root, m.mac from moved m
    ), posted as (
      insert into ledger.transfer (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency, pending)
      select x.seq, x.debit, x.credit, x.amount, p_at, x.content, x.id, x.shard, x.kind, x.cause, x.currency, x.pending
      from unnest(p_transfers) x
    )
    update ledger.balance b
    set debits_posted = b.debits_posted + x.debits_posted, credits_posted = b.credits_posted + x.credits_posted,
        debits_pending = b.debits_pending + coalesce(x.debits_pending, 0),
        credits_pending = b.credits_pending + coalesce(x.credits_pending, 0)
    from unnest(p_changes) x
    where (select count(*) from moved) = cardinality(p_links)
      and b.shard = x.shard and b.id = x.account
      and (b.limited = 0 or p_judge
           or (b.limited = 1 and b.debits_posted + b.debits_pending + coalesce(x.more_debits, x.debits_posted)
                 <= b.credits_posted)
           or (b.limited = 2 and b.credits_posted + b.credits_pending + coalesce(x.more_credits, x.credits_posted)
                 <= b.debits_posted));
    get diagnostics v_found = row_count;
    if v_found <> cardinality(p_changes) then
      perform ledger.refuse_batch(p_links);
    end if;
  end if;
  if p_bare is not null then
    insert into ledger.commit (shard, id, content) select x.shard, x.id, x.content from unnest(p_bare) x;
  end if;
  if p_journals is not null then
    insert into ledger.payment_journal (shard, merchant, payment, commit)
    select x.shard, x.merchant, x.payment, x.commit
    from json_to_recordset(p_journals) as x (shard smallint, merchant uuid, payment uuid, commit uuid);
  end if;
  if coalesce(p_claims, p_new_payments, p_payments, p_new_operations, p_resolutions, p_new_sessions, p_sessions,
              p_customers, p_methods, p_assessments, p_events) is not null then
    perform payments.apply_rows(
      p_claims, p_new_payments, p_payments, p_new_operations, p_resolutions, p_new_sessions, p_sessions, p_customers,
      p_methods, p_assessments, p_events);
  end if;
  return null;
end $$;

-- Says why a batch was not written: it saw a chain elsewhere, or an account is unknown or at its limit.
create function ledger.refuse_batch(p_links ledger.new_link[]) returns void
  language plpgsql volatile set search_path = pg_catalog
  as $$
begin
  if exists (
    select from unnest(p_links) x
    left join ledger.chain c on c.shard = x.shard and c.batch = x.number and c.mac = x.mac
    where c.shard is null)
  then
    raise exception 'another writer has continued a chain' using errcode = 'TS001';
  end if;
  raise exception 'an account is unknown or at its limit' using errcode = 'TS002';
end $$;

-- Takes what posts and releases resolve from what is held, each part once.
create function ledger.resolve_parts(p_transfers ledger.new_transfer[]) returns void
  language plpgsql volatile set search_path = pg_catalog
  as $$
declare
  v_expected bigint;
  v_found bigint;
begin
  with part as materialized (
    select x.shard, x.pending, x.debit, x.credit, x.currency, sum(x.amount)::bigint as amount
    from unnest(p_transfers) x
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
end $$;

-- Commits that were applied before, by their own id or by that of their first transfer: of all, or of those in p_of.
create function ledger.applied_before(
  p_transfers ledger.new_transfer[], p_bare ledger.bare_commit[], p_of integer[])
  returns json
  language sql stable set search_path = pg_catalog
  as $$
    select json_agg(json_build_object(
      'ordinal', known.ordinal, 'outcome', case when known.content = known.sent then 'replayed' else 'conflict' end))
    from (
      select k.ordinal, k.content as sent, coalesce(c.content, t.content) as content
      from (
        select distinct x.commit, x.shard, ledger.commit_of(x.id), x.content
        from unnest(p_transfers) x
        where p_of is null or x.commit = any (p_of)
        union all
        select x.commit, x.shard, x.id, x.content
        from unnest(p_bare) x
        where p_of is null or x.commit = any (p_of)
      ) k (ordinal, shard, id, content)
      left join ledger.commit c on c.shard = k.shard and c.id = k.id
      left join ledger.transfer t on t.shard = k.shard and t.id = ledger.transfer_id(k.id, 1)
    ) known
    where known.content is not null
  $$;

-- Failed commits as they are to be answered: those that were applied before are told that, and not why they fail now.
create function ledger.recalled(
  p_failed json, p_transfers ledger.new_transfer[], p_bare ledger.bare_commit[])
  returns json
  language sql stable set search_path = pg_catalog
  as $$
    with failed as materialized (
      select (f.answer ->> 'ordinal')::integer as ordinal, f.answer from json_array_elements(p_failed) as f (answer)
    ), known as materialized (
      select (k.answer ->> 'ordinal')::integer as ordinal, k.answer
      from json_array_elements(ledger.applied_before(
        p_transfers, p_bare, (select array_agg(f.ordinal) from failed f))) as k (answer)
    )
    select json_agg(coalesce(k.answer, f.answer)) from failed f left join known k on k.ordinal = f.ordinal
  $$;

-- Commits with a transfer that the ledger refuses; a refused commit moves nothing. Only what happens to accounts with
-- limits depends on the order of the batch: for them alone it is gone through transfer by transfer.
create function ledger.refused_transfers(
  p_transfers ledger.new_transfer[], p_changes ledger.balance_change[], p_accounts json)
  returns json
  language plpgsql stable set search_path = pg_catalog
  set enable_hashjoin = on -- between arrays there is no key to go by
  as $$
declare
  v_reasons jsonb;         -- of a refused commit, by ordinal
  d_shard smallint[];      -- accounts in doubt: unknown ones, whose limited is null, and those with limits
  d_account bigint[];
  d_limited smallint[];
  v_exposed numeric[];     -- of each: what has gone out or is held, and what may, as the batch goes on
  v_covering numeric[];
  v_replayed json;
  v_one record;
  v_commit integer := 0;
  v_changed integer[];     -- what the commit that is judged has changed, and how it was before
  v_was_exposed numeric[];
  v_was_covering numeric[];
  v_refused json;
begin
  select array_agg(x.shard), array_agg(x.account), array_agg(coalesce(b.limited, o.limited)),
         array_agg(coalesce(case b.limited when 1 then b.debits_posted + b.debits_pending
                                           else b.credits_posted + b.credits_pending end, 0)),
         array_agg(coalesce(case b.limited when 1 then b.credits_posted else b.debits_posted end, 0))
  into d_shard, d_account, d_limited, v_exposed, v_covering
  from unnest(p_changes) x
  left join ledger.balance b on b.shard = x.shard and b.id = x.account
  left join json_to_recordset(p_accounts) as o (shard smallint, id bigint, limited smallint)
    on o.shard = x.shard and o.id = x.account
  where coalesce(b.limited, o.limited, -1) <> 0;

  select coalesce(jsonb_object_agg(bad.commit, bad.reason), '{}') into v_reasons
  from (
    select distinct on (part.commit) part.commit, reason.reason
    from (
      select x.commit, x.shard, x.pending, x.debit, x.credit, x.currency, sum(x.amount) as amount
      from unnest(p_transfers) x
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
  select v_reasons || coalesce(jsonb_object_agg(x.commit, 'unknown_account'), '{}') into v_reasons
  from unnest(p_transfers) x
  cross join lateral (values (x.debit), (x.credit)) as side (account)
  join unnest(d_shard, d_account, d_limited) as d (shard, account, limited)
    on d.shard = x.shard and d.account = side.account and d.limited is null;

  -- A commit that was applied before would be counted twice: first it has to go.
  v_replayed := ledger.applied_before(p_transfers, null, (
    select coalesce(array_agg(x.commit), '{}')
    from unnest(p_transfers) x
    cross join lateral (values (x.debit), (x.credit)) as side (account)
    join unnest(d_shard, d_account, d_limited) as d (shard, account, limited)
      on d.shard = x.shard and d.account = side.account and d.limited > 0));
  if v_replayed is not null then
    return v_replayed;
  end if;

  for v_one in
    select x.commit, x.kind, x.amount, d.number, side.is_debit = (d.limited = 1) as exposes
    from unnest(p_transfers) with ordinality as x (
      commit, shard, seq, id, kind, cause, debit, credit, amount, currency, content, pending, position)
    cross join lateral (values (x.debit, true), (x.credit, false)) as side (account, is_debit)
    join unnest(d_shard, d_account, d_limited) with ordinality as d (shard, account, limited, number)
      on d.shard = x.shard and d.account = side.account and d.limited > 0
    where not v_reasons ? x.commit::text
    order by x.position, side.is_debit desc
  loop
    if v_one.commit <> v_commit then
      v_commit := v_one.commit;
      v_changed := '{}';
      v_was_exposed := '{}';
      v_was_covering := '{}';
    end if;
    continue when v_reasons ? v_commit::text;
    v_changed := v_changed || v_one.number::integer;
    v_was_exposed := v_was_exposed || v_exposed[v_one.number];
    v_was_covering := v_was_covering || v_covering[v_one.number];
    if v_one.exposes then
      v_exposed[v_one.number] := v_exposed[v_one.number]
        + case v_one.kind when 2 then 0 when 3 then -v_one.amount else v_one.amount end;
    elsif v_one.kind in (0, 2) then
      v_covering[v_one.number] := v_covering[v_one.number] + v_one.amount;
    end if;
    if v_one.exposes and v_one.kind < 2 and v_exposed[v_one.number] > v_covering[v_one.number] then
      v_reasons := v_reasons || jsonb_build_object(v_commit::text, 'exceeds_limit');
      for at in reverse cardinality(v_changed) .. 1 loop
        v_exposed[v_changed[at]] := v_was_exposed[at];
        v_covering[v_changed[at]] := v_was_covering[at];
      end loop;
    end if;
  end loop;

  select json_agg(json_build_object('ordinal', r.key::integer, 'outcome', 'refused', 'reason', r.value)) into v_refused
  from jsonb_each_text(v_reasons) r;
  return v_refused;
end $$;

grant execute on function ledger.apply_batch to tessera_committer;

-- migrate:down
-- Migrations only go forward.
