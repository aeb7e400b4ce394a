-- migrate:up

-- The account's id, made together with its book when it is first used.
create function ledger.account_id(
  p_shard smallint, p_book uuid, p_merchant uuid, p_code text, p_currency text, p_normal_side text)
  returns bigint
  language plpgsql volatile set search_path = pg_catalog
  as $$
declare
  found_id bigint;
begin
  select a.id into found_id from ledger.account a
  where a.shard = p_shard and a.book = p_book and a.code = p_code and a.currency = p_currency;
  if found then
    return found_id;
  end if;
  insert into ledger.book (shard, id, merchant) values (p_shard, p_book, p_merchant)
  on conflict do nothing;
  insert into ledger.account (shard, book, merchant, code, currency, normal_side)
  values (p_shard, p_book, p_merchant, p_code, p_currency, p_normal_side)
  on conflict (shard, book, code, currency) do nothing;
  select a.id into strict found_id from ledger.account a
  where a.shard = p_shard and a.book = p_book and a.code = p_code and a.currency = p_currency;
  return found_id;
end $$;

-- Writes a journal's transfers and moves the balances of their accounts, in the order of the accounts' ids so
-- that two commits never wait for each other in a ring.
create function ledger.post_journal(p_shard smallint, p_merchant uuid, p_at timestamptz, p_journal jsonb)
  returns void
  language plpgsql volatile set search_path = pg_catalog
  as $$
declare
  journal_id uuid := (p_journal ->> 'id')::uuid;
  t jsonb;
  debit_id bigint;
  credit_id bigint;
  position smallint;
  moved bigint;
begin
  insert into ledger.journal (shard, merchant, payment, id, cause, operation, created_at)
  values (p_shard, p_merchant, (p_journal ->> 'payment')::uuid, journal_id, p_journal ->> 'cause',
          (p_journal ->> 'operation')::uuid, p_at);

  for t, position in select value, ordinality from jsonb_array_elements(p_journal -> 'transfers') with ordinality loop
    moved := (t ->> 'amount')::bigint;
    if t ->> 'pending' is not null then
      -- Taking the part from what remains is what makes it resolved exactly once.
      update ledger.pending p set remaining = p.remaining - moved
      where p.shard = p_shard and p.transfer = (t ->> 'pending')::uuid and p.remaining >= moved
      returning p.debit, p.credit into debit_id, credit_id;
      if not found then
        raise exception 'pending transfer % has not % left', t ->> 'pending', moved using errcode = 'TS001';
      end if;
    else
      debit_id := ledger.account_id(p_shard, (t #>> '{debit,book}')::uuid, (t #>> '{debit,merchant}')::uuid,
        t #>> '{debit,code}', t ->> 'currency', t #>> '{debit,normalSide}');
      credit_id := ledger.account_id(p_shard, (t #>> '{credit,book}')::uuid, (t #>> '{credit,merchant}')::uuid,
        t #>> '{credit,code}', t ->> 'currency', t #>> '{credit,normalSide}');
    end if;
    insert into ledger.transfer
      (shard, merchant, journal, ordinal, id, kind, debit, credit, amount, currency, pending, created_at)
    values (p_shard, p_merchant, journal_id, position, (t ->> 'id')::uuid, t ->> 'kind', debit_id, credit_id, moved,
            t ->> 'currency', (t ->> 'pending')::uuid, p_at);
    if t ->> 'kind' = 'pending' then
      insert into ledger.pending (shard, transfer, debit, credit, currency, remaining)
      values (p_shard, (t ->> 'id')::uuid, debit_id, credit_id, t ->> 'currency', moved);
    end if;
  end loop;

  perform 1 from ledger.account a
  where a.shard = p_shard and a.id in (
    select debit from ledger.transfer where shard = p_shard and journal = journal_id
    union select credit from ledger.transfer where shard = p_shard and journal = journal_id)
  order by a.id
  for update;

  update ledger.account a
  set debits_posted = a.debits_posted + m.debits_posted,
      credits_posted = a.credits_posted + m.credits_posted,
      debits_pending = a.debits_pending + m.debits_pending,
      credits_pending = a.credits_pending + m.credits_pending
  from (
    select side.account,
      coalesce(sum(side.debit_amount) filter (where tr.kind in ('single', 'post')), 0)::bigint as debits_posted,
      coalesce(sum(side.credit_amount) filter (where tr.kind in ('single', 'post')), 0)::bigint as credits_posted,
      coalesce(sum(case tr.kind when 'pending' then side.debit_amount when 'single' then 0
                   else -side.debit_amount end), 0)::bigint as debits_pending,
      coalesce(sum(case tr.kind when 'pending' then side.credit_amount when 'single' then 0
                   else -side.credit_amount end), 0)::bigint as credits_pending
    from ledger.transfer tr
    cross join lateral (values (tr.debit, tr.amount, 0::bigint), (tr.credit, 0::bigint, tr.amount))
      as side (account, debit_amount, credit_amount)
    where tr.shard = p_shard and tr.journal = journal_id
    group by side.account
  ) m
  where a.shard = p_shard and a.id = m.account;
end $$;

-- The answer to a commit that cannot be applied: if it is there by now, sent twice at once, its guards failed
-- because of itself.
create function ledger.refuse_commit(p_shard smallint, p_id uuid, p_digest bytea, p_answer jsonb) returns jsonb
  language plpgsql volatile set search_path = pg_catalog
  as $$
declare
  known bytea;
begin
  select k.digest into known from ledger.commit k where k.shard = p_shard and k.id = p_id;
  if not found then
    return p_answer;
  end if;
  return jsonb_build_object('outcome', case when known = p_digest then 'replayed' else 'conflict' end);
end $$;

-- Applies one commit, wholly or not at all: every guard is judged before anything is written. Answers
--   {"outcome": "applied"}
--   {"outcome": "replayed"}                       this commit id, with this content, was applied before
--   {"outcome": "conflict"}                       this commit id was applied with other content
--   {"outcome": "key_taken", "claim": {…}}        the idempotency key names another subject
--   {"outcome": "guard_failed", "guard": "…"}     payment_version | operation_state | session_attempt
create function ledger.apply_commit(c jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
  as $$
declare
  v_shard smallint := (c ->> 'shard')::smallint;
  v_merchant uuid := (c ->> 'merchant')::uuid;
  v_id uuid := (c ->> 'id')::uuid;
  v_at timestamptz := (c ->> 'at')::timestamptz;
  v_digest bytea := decode(c ->> 'digest', 'hex');
  claim jsonb := c -> 'claim';
  session_update jsonb := c #> '{session,update}';
  payment_update jsonb := c #> '{payment,update}';
  resolved jsonb := c #> '{operation,resolve}';
  known bytea;
  found_version integer;
  found_state text;
  found_attempt integer;
  taken payments.idempotency;
begin
  select k.digest into known from ledger.commit k where k.shard = v_shard and k.id = v_id;
  if found then
    return jsonb_build_object('outcome', case when known = v_digest then 'replayed' else 'conflict' end);
  end if;

  if payment_update is not null then
    select p.version into found_version from payments.payment p
    where p.shard = v_shard and p.merchant = v_merchant and p.id = (payment_update ->> 'id')::uuid
    for update;
    if found_version is distinct from (c #>> '{payment,expectedVersion}')::integer then
      return ledger.refuse_commit(v_shard, v_id, v_digest,
        jsonb_build_object('outcome', 'guard_failed', 'guard', 'payment_version'));
    end if;
  end if;
  if resolved is not null then
    select o.state into found_state from payments.operation o
    where o.shard = v_shard and o.merchant = v_merchant and o.payment = (resolved ->> 'payment')::uuid
      and o.id = (resolved ->> 'id')::uuid
    for update;
    if found_state is distinct from 'claimed' then
      return ledger.refuse_commit(v_shard, v_id, v_digest,
        jsonb_build_object('outcome', 'guard_failed', 'guard', 'operation_state'));
    end if;
  end if;
  if session_update is not null then
    select s.attempt into found_attempt from payments.checkout_session s
    where s.shard = v_shard and s.merchant = v_merchant and s.id = (session_update ->> 'id')::uuid
      and s.status = 'open'
    for update;
    if found_attempt is distinct from (session_update ->> 'expectedAttempt')::integer then
      return ledger.refuse_commit(v_shard, v_id, v_digest,
        jsonb_build_object('outcome', 'guard_failed', 'guard', 'session_attempt'));
    end if;
  end if;
  if claim is not null then
    -- The claim is this row, not a look-up before it: of two at once, one waits here and then sees the other.
    insert into payments.idempotency (shard, merchant, key, fingerprint, kind, subject, payment, created_at)
    values (v_shard, v_merchant, claim ->> 'key', decode(claim ->> 'fingerprint', 'hex'), claim ->> 'kind',
            (claim ->> 'subject')::uuid, (claim ->> 'payment')::uuid, v_at)
    on conflict (shard, merchant, key) do nothing;
    if not found then
      select * into strict taken from payments.idempotency i
      where i.shard = v_shard and i.merchant = v_merchant and i.key = claim ->> 'key';
      return ledger.refuse_commit(v_shard, v_id, v_digest,
        jsonb_build_object('outcome', 'key_taken', 'claim', jsonb_build_object(
          'fingerprint', encode(taken.fingerprint, 'hex'), 'kind', taken.kind, 'subject', taken.subject,
          'payment', taken.payment)));
    end if;
  end if;

  insert into payments.payment
  select r.* from jsonb_populate_record(null::payments.payment, c #> '{payment,insert}') r
  where c #> '{payment,insert}' is not null;

  if payment_update is not null then
    update payments.payment p
    set version = r.version, state = r.state, authorized = r.authorized, captured = r.captured,
        capturing = r.capturing, refunded = r.refunded, refunding = r.refunding, finalized = r.finalized,
        closing = r.closing, fee = r.fee, authorization_transfer = r.authorization_transfer,
        provider_payment = r.provider_payment, decline = r.decline, updated_at = r.updated_at,
        authorization_expires_at = r.authorization_expires_at
    from jsonb_populate_record(null::payments.payment, payment_update) r
    where p.shard = v_shard and p.merchant = v_merchant and p.id = r.id;
  end if;

  insert into payments.operation
  select r.* from jsonb_populate_record(null::payments.operation, c #> '{operation,insert}') r
  where c #> '{operation,insert}' is not null;

  if resolved is not null then
    update payments.operation o
    set state = resolved ->> 'state', failure = nullif(resolved -> 'failure', 'null'::jsonb), resolved_at = v_at
    where o.shard = v_shard and o.merchant = v_merchant and o.payment = (resolved ->> 'payment')::uuid
      and o.id = (resolved ->> 'id')::uuid;
  end if;

  insert into payments.checkout_session
  select r.* from jsonb_populate_record(null::payments.checkout_session, c #> '{session,insert}') r
  where c #> '{session,insert}' is not null;

  if session_update is not null then
    update payments.checkout_session s
    set attempt = (session_update ->> 'attempt')::integer, status = session_update ->> 'status',
        payment = (session_update ->> 'payment')::uuid
    where s.shard = v_shard and s.merchant = v_merchant and s.id = (session_update ->> 'id')::uuid;
  end if;

  insert into risk.assessment
  select r.* from jsonb_populate_record(null::risk.assessment, c -> 'assessment') r
  where c -> 'assessment' is not null;

  if c -> 'journal' is not null then
    perform ledger.post_journal(v_shard, v_merchant, v_at, c -> 'journal');
  end if;

  insert into payments.outbox (shard, merchant, id, type, payment, body, created_at)
  select v_shard, v_merchant, (e ->> 'id')::uuid, e ->> 'type', (e ->> 'payment')::uuid, e -> 'body', v_at
  from jsonb_array_elements(c -> 'events') e;

  insert into ledger.commit (shard, id, digest) values (v_shard, v_id, v_digest);
  return jsonb_build_object('outcome', 'applied');
end $$;
grant execute on function ledger.apply_commit(jsonb) to tessera_committer;

-- migrate:down
-- Migrations only go forward.
