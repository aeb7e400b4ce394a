-- migrate:up

-- Who checks the books: sees every merchant's transfers and batches, and changes nothing.
do $$
begin
  create role tessera_auditor nologin;
exception when duplicate_object or unique_violation then
  null;
end $$;
grant tessera_auditor to current_user;

grant usage on schema ledger to tessera_auditor;
grant select on ledger.transfer, ledger.batch, ledger.chain, ledger.account to tessera_auditor;
create policy audited_transfers on ledger.transfer for select to tessera_auditor using (true);
create policy audited_accounts on ledger.account for select to tessera_auditor using (true);

-- A range of time is found by the BRIN index, which knows nothing of the newest pages until someone sums them up:
-- without it, each range would read all of them.
create function ledger.sum_up_times() returns void
  language sql volatile security definer set search_path = pg_catalog
  as $$ select brin_summarize_new_values('ledger.transfer_in_time'::regclass) $$;
grant execute on function ledger.sum_up_times() to tessera_auditor;

-- migrate:down
-- Migrations only go forward.
