-- migrate:up

-- One schema for each subgraph, one role for each way in. Roles belong to the cluster, so another database
-- of it may have made them. None of them can log in: a deployment grants them to its login users, and a
-- connection takes its role when it starts.
do $$
declare
  role_name text;
begin
  foreach role_name in array array[
    'tessera_merchants', 'tessera_payments', 'tessera_ledger', 'tessera_risk', 'tessera_settlement', -- readers
    'tessera_committer', -- applies commits: may execute the write function and nothing else
    'tessera_recovery',  -- leases operations whose outcome is unknown
    'tessera_relay'      -- moves events from the outbox to their consumers
  ] loop
    begin
      execute format('create role %I nologin', role_name);
    exception when duplicate_object or unique_violation then
      null;
    end;
    execute format('grant %I to current_user', role_name);
  end loop;
end $$;

create schema merchants;
create schema payments;
create schema ledger;
create schema risk;
create schema settlement;

grant usage on schema merchants to tessera_merchants;
grant usage on schema payments to tessera_payments, tessera_committer, tessera_recovery, tessera_relay;
grant usage on schema ledger to tessera_ledger, tessera_committer;
grant usage on schema risk to tessera_risk;
grant usage on schema settlement to tessera_settlement, tessera_relay;

-- A function is nobody's until it is granted.
alter default privileges revoke execute on functions from public;

-- The merchant whose rows a reader may see, set for the transaction; nothing is visible without it.
create function merchants.current_merchant() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('tessera.merchant', true), '')::uuid;
grant execute on function merchants.current_merchant() to public;
grant usage on schema merchants to public;

-- migrate:down
-- Migrations only go forward.
