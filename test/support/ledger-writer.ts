import { createSecretKey } from "node:crypto";
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { idFromUuid, type MerchantId, newId, transferId, uuidOf } from "../../subgraphs/kernel/ids.ts";
import { moneyOf } from "../../subgraphs/kernel/money.ts";
import type { AccountRef } from "../../subgraphs/ledger/accounts.ts";
import type { Commit } from "../../subgraphs/ledger/commit.ts";
import { openCommitter } from "../../subgraphs/ledger/committer.ts";
import type { Transfer } from "../../subgraphs/ledger/transfer.ts";

/**
 * Writers that commit at random until each has sent its share, also over several lives of this process. Each writes
 * down what it sends before, and what it was told after: `s <commit> <transfers>`, `a <commit>` (it is in the books),
 * `r <commit>` (it was refused). A process that is killed may have written down less than it did, never more.
 *
 *   node test/support/ledger-writer.ts <database> <folder> <writers> <commits each>
 */
const [url, folder, writers, share] = process.argv.slice(2) as [string, string, string, string];
const IN_FLIGHT = 100;
const SHARDS = 8;
const ACCOUNTS = 200;

const committer = openCommitter({
  url,
  lanes: 2,
  auditKey: createSecretKey(Buffer.alloc(32, "crash")),
  log: pino({ level: "silent" }),
});

const random = (below: number) => Math.floor(Math.random() * below);
const shops = Array.from({ length: SHARDS }, (_, shard) => {
  const uuid = `01900000-0000-7000-8000-0000000001${shard.toString(16).padStart(2, "0")}`;
  const account = (index: number): AccountRef => ({
    book: uuid,
    merchant: uuid,
    code: `test_${index}`,
    currency: "EUR",
    normalSide: "credit",
    overdraft: index % 10 !== 0, // every tenth may not
  });
  return {
    shard,
    merchant: idFromUuid("mer", uuid) as MerchantId,
    accounts: Array.from({ length: ACCOUNTS }, (_n, index) => account(index)),
  };
});

type Hold = { readonly shop: (typeof shops)[number]; readonly transfer: Transfer; readonly commit: Commit };
const holds: Hold[] = [];

function posting(): Commit {
  const shop = shops[random(SHARDS)] as (typeof shops)[number];
  const pick = () => shop.accounts[random(ACCOUNTS)] as AccountRef;
  const count = 1 + (random(4) === 0 ? random(3) : 0);
  const transfers: Transfer[] = [];
  while (transfers.length < count) {
    const [debit, credit] = [pick(), pick()];
    const kind = random(10) === 0 ? "pending" : "single";
    if (debit.code !== credit.code)
      transfers.push({ kind, amount: moneyOf(BigInt(1 + random(500)), "EUR"), debit, credit });
  }
  return commitOf(shop, transfers);
}

function commitOf(shop: (typeof shops)[number], transfers: readonly Transfer[]): Commit {
  const at = new Date();
  const opens = transfers.flatMap(({ debit, credit }) => [debit, credit]);
  const journal = { cause: "adjustment", payment: null, transfers, opens } as const;
  return {
    id: newId("cmt", { region: 0, shard: shop.shard }, at),
    merchant: shop.merchant,
    at,
    journal,
    events: [],
  };
}

/** Posts a part of what is held, or gives a part back; now and then more than there is. */
function resolution(): Commit {
  const hold = holds.splice(random(holds.length), 1)[0] as Hold;
  const at = hold.commit.journal?.transfers.indexOf(hold.transfer) ?? 0;
  const left = hold.transfer.amount.minor;
  const minor = random(20) === 0 ? left + 1n : BigInt(1 + random(Number(left)));
  const { debit, credit } = hold.transfer;
  const kind = random(2) === 0 ? "post" : "release";
  const pending = transferId(hold.commit.id, at + 1);
  return commitOf(hold.shop, [{ kind, amount: moneyOf(minor, "EUR"), debit, credit, pending }]);
}

async function write(name: string): Promise<void> {
  const file = join(folder, name);
  const sentBefore = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("s ")).length
    : 0;
  appendFileSync(file, "");
  const log = openSync(file, "a");
  let left = Number(share) - sentBefore;
  const applied: Commit[] = [];
  const one = async () => {
    while (left > 0) {
      left--;
      const isAgain = applied.length > 0 && random(50) === 0;
      const commit = isAgain
        ? (applied[random(applied.length)] as Commit)
        : holds.length > 50
          ? resolution()
          : posting();
      const id = uuidOf(commit.id);
      writeSync(log, `s ${id} ${commit.journal?.transfers.length}\n`);
      const result = await committer.commit(commit).catch(() => null);
      if (result === null) continue; // nobody knows
      const isThere = result.outcome === "applied" || result.outcome === "replayed";
      writeSync(log, `${isThere ? "a" : "r"} ${id}\n`);
      if (isAgain && result.outcome !== "replayed")
        throw new Error(`an applied commit was answered ${result.outcome}`);
      if (result.outcome !== "applied") continue;
      if (applied.length < 1_000) applied.push(commit);
      const shop = shops.find(({ merchant }) => merchant === commit.merchant) as Hold["shop"];
      for (const transfer of commit.journal?.transfers ?? [])
        if (transfer.kind === "pending") holds.push({ shop, transfer, commit });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  closeSync(log);
}

console.log("ready");
await Promise.all(Array.from({ length: Number(writers) }, (_, index) => write(`writer-${index}.log`)));
await committer.close();
console.log("done");
