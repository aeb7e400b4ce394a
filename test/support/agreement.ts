import { expect } from "vitest";
import { idFromUuid } from "../../subgraphs/kernel/ids.ts";
import type { Platform } from "./platform.ts";

/**
 * The provider's book, the payments and the ledger agree to the cent, payment by payment; entries sum to zero;
 * balances are what the transfers give; nothing is left in flight. The book is read from the provider, payments
 * and ledger from the database: nothing here goes through the product.
 */
export async function expectBooksToAgree({ owner, sandbox }: Platform): Promise<number> {
  const payments = await owner`
    select id, currency, state, authorized, captured, refunded, capturing, refunding, closing, fee, finalized
    from payments.payment order by id`;
  const { movements } = await sandbox.book();
  const moved = (payment: string, kind: string) =>
    movements
      .filter((m) => m.kind === kind && m.metadata["tessera_payment"] === payment)
      .reduce((sum, { amount }) => sum + BigInt(amount), 0n);

  const posted = await owner`
    select j.payment,
      coalesce(sum(t.amount) filter (where t.kind in (0, 2) and d.code = 'provider_receivable'
               and t.cause <> k.code), 0)::bigint as captured,
      coalesce(sum(case when t.cause = k.code then -t.amount when c.code = 'provider_receivable' then t.amount else 0 end)
               filter (where t.kind in (0, 2)), 0)::bigint as refunded,
      coalesce(sum(t.amount) filter (where t.kind = 0 and c.code = 'fee_revenue'), 0)::bigint as fee,
      coalesce(sum(case t.kind when 1 then t.amount when 0 then 0 else -t.amount end)
               filter (where d.code = 'provider_receivable'), 0)::bigint as held
    from ledger.payment_journal j
    join ledger.transfer t on t.shard = j.shard and ledger.commit_of(t.id) = j.commit
    join ledger.cause k on k.name = 'refund_reversed'
    join ledger.account d on d.shard = t.shard and d.id = t.debit
    join ledger.account c on c.shard = t.shard and c.id = t.credit
    group by j.payment`;
  const ledger = new Map(posted.map((row) => [row["payment"] as string, row]));

  for (const payment of payments) {
    const id = idFromUuid("pay", payment["id"] as string);
    const { state } = payment;
    expect([payment["capturing"], payment["refunding"], payment["closing"]], `${id} in flight`).toEqual([
      0n,
      0n,
      false,
    ]);
    expect(state, `${id} is final`).not.toBe("processing");
    expect(
      [moved(id, "authorized"), moved(id, "captured"), moved(id, "refunded")],
      `${id} (${state}) at the provider`,
    ).toEqual([payment["authorized"], payment["captured"], payment["refunded"]]);
    const books = ledger.get(payment["id"] as string);
    const open =
      payment["finalized"] === true || state === "voided"
        ? 0n
        : (payment["authorized"] as bigint) - (payment["captured"] as bigint);
    expect(
      [books?.["captured"] ?? 0n, books?.["refunded"] ?? 0n, books?.["fee"] ?? 0n, books?.["held"] ?? 0n],
      `${id} (${state}) in the ledger`,
    ).toEqual([payment["captured"], payment["refunded"], payment["fee"], open]);
  }
  // Nothing at the provider that we do not know of.
  const known = new Set(payments.map(({ id }) => idFromUuid("pay", id as string) as string));
  for (const movement of movements) expect(known.has(movement.metadata["tessera_payment"] ?? "")).toBe(true);

  const unbalanced =
    await owner`select journal from ledger.entry group by journal, currency having sum(amount) <> 0`;
  expect(unbalanced).toEqual([]);
  expect(await driftedAccounts(owner)).toEqual([]);
  const [unresolved] =
    await owner`select count(*)::int as count from payments.operation where state in ('claimed', 'requires_action')`;
  expect(unresolved?.["count"]).toBe(0);
  return payments.length;
}

/** Accounts whose kept balances are not what their transfers give. */
export const driftedAccounts = (owner: Platform["owner"]) => owner`
  select b.id from ledger.balance b
  left join lateral (
    select coalesce(sum(t.amount) filter (where t.kind in (0, 2) and t.debit = b.id), 0) as dp,
           coalesce(sum(t.amount) filter (where t.kind in (0, 2) and t.credit = b.id), 0) as cp,
           coalesce(sum(case t.kind when 1 then t.amount when 0 then 0 else -t.amount end)
                    filter (where t.debit = b.id), 0) as dh,
           coalesce(sum(case t.kind when 1 then t.amount when 0 then 0 else -t.amount end)
                    filter (where t.credit = b.id), 0) as ch
    from ledger.transfer t where t.shard = b.shard and b.id in (t.debit, t.credit)
  ) s on true
  where (s.dp, s.cp, s.dh, s.ch)
        is distinct from (b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending)`;
