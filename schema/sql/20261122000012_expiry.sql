-- migrate:up

-- An authorization that nobody captured in time: cancelled at the provider, its hold released.
alter table payments.payment drop constraint payment_state_check;
alter table payments.payment add constraint payment_state_check check (state in (
  'processing', 'authorized', 'partially_captured', 'captured', 'partially_refunded', 'refunded', 'voided', 'expired',
  'declined', 'failed'));
alter table payments.operation drop constraint operation_kind_check;
alter table payments.operation add constraint operation_kind_check
  check (kind in ('authorize', 'capture', 'void', 'expire', 'refund'));

-- Payments whose authorization's time is over and whose hold is still there. Only open holds are looked at.
create function payments.overdue_authorizations(p_limit integer)
  returns table (merchant uuid, payment uuid)
  language sql stable security definer set search_path = pg_catalog
  as $$
    select j.merchant, h.payment
    from ledger.pending h
    join ledger.payment_journal j
      on j.shard = h.shard and j.payment = h.payment and j.commit = ledger.commit_of(h.transfer)
    where h.expires_at <= now()
    order by h.expires_at
    limit p_limit
  $$;
grant execute on function payments.overdue_authorizations(integer) to tessera_recovery;

-- migrate:down
-- Migrations only go forward.
