-- Distributes the schema over a Citus cluster: every table of merchants' data by its shard, all of them colocated, so that
-- what a commit touches is on one node; reference data everywhere. To be run once, as the owner, on the coordinator,
-- after the migrations and before there is data to speak of; see docs/scaling.md.
--
-- Reviewed against all tables of schema/sql (test/house/citus.test.ts finds one that is missing) and Citus's
-- documentation. It has never been run: there was no Citus to run it on.

\set ON_ERROR_STOP on
begin;

-- Citus takes no row policy with a subquery on a distributed table. Those that there are must be replaced first.
do $$
declare
  refused text;
begin
  select string_agg(format('%s on %s', polname, polrelid::regclass), ', ') into refused
  from pg_policy where pg_get_expr(polqual, polrelid) ~* '\mselect\M';
  if refused is not null then
    raise exception 'these policies have subqueries: %', refused;
  end if;
end $$;

-- Merchants are put on shards by us, 256 of them; Citus puts shards on nodes, and can move them, by these pieces. A hash
-- spreads 256 values unevenly over as many pieces, so there are fewer.
set citus.shard_count = 64;

-- Reference data.
select create_reference_table('ledger.cause');
select create_reference_table('risk.bin_range');
select create_reference_table('rates.reference_rate');

-- What refers to another table comes after it.
select create_distributed_table('merchants.merchant', 'shard', colocate_with => 'none');
select create_distributed_table('merchants.api_key', 'shard', colocate_with => 'merchants.merchant');

select create_distributed_table('ledger.book', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.account', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.balance', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.transfer', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.pending', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.commit', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.payment_journal', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.chain', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.batch', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.statement_line', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('ledger.projection', 'shard', colocate_with => 'merchants.merchant');

select create_distributed_table('payments.payment', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.operation', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.idempotency', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.checkout_session', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.payment_terms', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.in_flight', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.unpublished', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.customer', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.payment_method', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.inbound_news', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.routing_rules', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.card_use', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.duplicate_policy', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.method_change', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('merchants.change', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('payments.outbox', 'shard', colocate_with => 'merchants.merchant');

select create_distributed_table('risk.assessment', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('risk.list_entry', 'shard', colocate_with => 'merchants.merchant');
select create_distributed_table('risk.amount_limit', 'shard', colocate_with => 'merchants.merchant');

select create_distributed_table('settlement.item', 'shard', colocate_with => 'merchants.merchant');

-- Stays a table of its node: ledger.summarized, which says how far that node's index on time goes.

commit;

-- Which node has which of our shards: a lane, a reader and a relay connect to the node of their shard.
select s.shard, p.nodename, p.nodeport
from generate_series(0, 255) as s (shard)
join pg_dist_placement place on place.shardid = get_shard_id_for_distribution_column('ledger.chain', s.shard::smallint)
join pg_dist_node p on p.groupid = place.groupid and p.noderole = 'primary'
order by s.shard;
