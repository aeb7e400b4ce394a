import { TRANSFER_KINDS } from "../transfer.ts";
import type { SealedTransfer } from "./seal.ts";

/** What a batch does to one account, netted over all its transfers, in minor units. */
export type BalanceChange = {
  readonly shard: number;
  readonly account: bigint;
  debitsPosted: bigint;
  creditsPosted: bigint;
  debitsPending: bigint;
  creditsPending: bigint;
  /** Debits that are new, held or not: what a limit has to bear if nothing comes in meanwhile. */
  moreDebits: bigint;
  moreCredits: bigint;
};

const [SINGLE, PENDING, POST, RELEASE] = TRANSFER_KINDS.map((_, code) => code);

/**
 * Nets a batch per account, so that an account that many transfers share is updated once. Of a `plain` batch, in which
 * all transfers are single, only what is posted is given.
 */
export function changesOf(transfers: readonly SealedTransfer[], plain: boolean): BalanceChange[] {
  const byShard = new Map<number, Map<bigint, BalanceChange>>();
  for (const { shard, kind, debit, credit, amount } of transfers) {
    let changes = byShard.get(shard);
    if (changes === undefined) {
      changes = new Map();
      byShard.set(shard, changes);
    }
    const from = changeOf(changes, shard, debit);
    const to = changeOf(changes, shard, credit);
    if (kind === SINGLE || kind === POST) {
      from.debitsPosted += amount;
      to.creditsPosted += amount;
    }
    if (plain) continue;
    if (kind === SINGLE || kind === PENDING) {
      from.moreDebits += amount;
      to.moreCredits += amount;
    }
    if (kind === PENDING) {
      from.debitsPending += amount;
      to.creditsPending += amount;
    } else if (kind === POST || kind === RELEASE) {
      from.debitsPending -= amount;
      to.creditsPending -= amount;
    }
  }
  return [...byShard.values()].flatMap((changes) => [...changes.values()]);
}

function changeOf(changes: Map<bigint, BalanceChange>, shard: number, account: bigint): BalanceChange {
  let change = changes.get(account);
  if (change === undefined) {
    change = {
      shard,
      account,
      debitsPosted: 0n,
      creditsPosted: 0n,
      debitsPending: 0n,
      creditsPending: 0n,
      moreDebits: 0n,
      moreCredits: 0n,
    };
    changes.set(account, change);
  }
  return change;
}
