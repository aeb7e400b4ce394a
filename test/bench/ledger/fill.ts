import { asOwner, type Book, CURRENCY } from "./books.ts";

/** Transfers made in one millisecond, of all shards: ids as a busy ledger would have made them, in order of time. */
const PER_MS = 20;

/**
 * Puts `count` single-phase transfers between the books' accounts, set-based, as the database's owner, with balances to
 * match. They stand before the chains begin, as what was posted before there were chains does.
 */
export async function fillTransfers(url: URL, books: readonly Book[], count: number): Promise<void> {
  const shards = books.map(({ home }) => home.shard);
  const accounts = books[0]?.accounts.length ?? 0;
  const lasting = Math.ceil(count / PER_MS);
  await asOwner(url, async (sql) => {
    await sql`
      create temporary table numbered as
      select shard, split_part(code, ':a', 2)::integer as n, id from ledger.account where code like 'merchant_payable:a%'`;
    await sql`create unique index on numbered (shard, n)`;
    await sql`analyze numbered`;
    await sql`alter table ledger.transfer drop constraint transfer_pkey`;
    await sql`
      insert into ledger.transfer
        (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency, pending)
      select t.number / ${shards.length} + 1, d.id, c.id, 1 + t.number % 9973,
             to_timestamp(t.ms / 1000.0), t.number,
             -- UUIDv7: time, version, variant, the number, the transfer's position, region and shard
             (lpad(to_hex(t.ms), 12, '0') || '7' || lpad(to_hex(t.number & 4095), 3, '0') || '8000'
               || lpad(to_hex(t.number), 6, '0') || '0101' || lpad(to_hex(t.shard::integer), 2, '0'))::uuid,
             t.shard, 0, 0, ${CURRENCY}, null
      from (
        select n as number, (${shards}::smallint[])[1 + n % ${shards.length}] as shard,
               (extract(epoch from now()) * 1000)::bigint - ${lasting} + n / ${PER_MS} as ms,
               (n::bigint * 7919 % ${accounts})::integer as debit,
               ((n::bigint * 7919 + 1 + n::bigint * 104729 % ${accounts - 1}) % ${accounts})::integer as credit
        from generate_series(0, ${count - 1}) n
      ) t
      join numbered d on d.shard = t.shard and d.n = t.debit
      join numbered c on c.shard = t.shard and c.n = t.credit`;
    await sql`alter table ledger.transfer add primary key (shard, id)`;
    await sql`
      update ledger.balance b set debits_posted = s.debits, credits_posted = s.credits
      from (
        select shard, account, sum(debit)::bigint as debits, sum(credit)::bigint as credits
        from (select shard, debit as account, amount as debit, 0 as credit from ledger.transfer
              union all select shard, credit, 0, amount from ledger.transfer) side
        group by shard, account
      ) s
      where b.shard = s.shard and b.id = s.account`;
    await sql`
      update ledger.chain c set seq = s.last, at = s.at
      from (select shard, max(seq) as last, max(at) as at from ledger.transfer group by shard) s
      where s.shard = c.shard`;
    await sql`vacuum analyze ledger.transfer, ledger.balance`;
  });
}
