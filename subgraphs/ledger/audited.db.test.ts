import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type TestDatabase } from "../../test/support/database.ts";
import { AUDIT_KEY } from "../../test/support/payments.ts";
import { homeOf, newId } from "../kernel/ids.ts";
import { moneyOf } from "../kernel/money.ts";
import { accountOf } from "./accounts.ts";
import { folderStore } from "./audit/folder-store.ts";
import { publicHalf } from "./audit/keys.ts";
import { verifyAudit } from "./audit/verify.ts";
import { openAuditedCommitter } from "./audited.ts";
import { type Committer, openCommitter } from "./committer.ts";

/** The committer with its audit, over several lives of its process. */
let database: TestDatabase;
let folder: string;
const log = pino({ level: "silent" });
const signingKey = { kid: "test", key: generateKeyPairSync("ed25519").privateKey };
const keys = publicHalf(signingKey);

beforeAll(async () => {
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), "tessera-audited-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

const options = () => ({ url: database.url, lanes: 1, auditKey: AUDIT_KEY, log });
const openAudited = () =>
  openAuditedCommitter({ ...options(), signingKey, keys, store: folderStore(folder) });

function post({ commit }: Committer, shard: number) {
  const at = new Date();
  const merchant = newId("mer", { region: 1, shard }, at);
  const debit = accountOf("provider_receivable", merchant, "EUR");
  const credit = accountOf("merchant_payable", merchant, "EUR");
  const transfers = [{ kind: "single", amount: moneyOf(5n, "EUR"), debit, credit }] as const;
  const journal = { cause: "sale", payment: null, transfers, opens: [debit, credit] } as const;
  return commit({ id: newId("cmt", homeOf(merchant), at), merchant, at, journal, events: [] });
}

const verify = () =>
  verifyAudit({
    databaseUrl: database.url,
    store: folderStore(folder),
    auditKey: AUDIT_KEY,
    keys,
    shard: undefined,
    from: undefined,
    to: undefined,
    onProgress: () => {},
  });

it("catches up with what a process that died has committed and not written down", async () => {
  const first = await openAudited();
  expect((await post(first, 3)).outcome).toBe("applied");
  await first.close();
  const died = openCommitter(options());
  for (const shard of [3, 4, 4]) expect((await post(died, shard)).outcome).toBe("applied");
  await died.close();
  const next = await openAudited();
  expect((await post(next, 3)).outcome).toBe("applied");
  await next.close();
  expect(await verify()).toMatchObject({ found: 0, rows: 5, young: 0 });
});

it("takes no commits of a shard that ends before its last checkpoint", async () => {
  const { owner } = database;
  const [last] = await owner`select * from ledger.batch where shard = 3 order by number desc limit 1`;
  const [before] =
    await owner`select * from ledger.batch where shard = 3 order by number desc offset 1 limit 1`;
  await owner`delete from ledger.transfer where shard = 3 and seq >= ${last?.["first_seq"]}`;
  await owner`delete from ledger.batch where shard = 3 and number = ${last?.["number"]}`;
  await owner`
    update ledger.chain set batch = batch - 1, seq = seq - 1, mac = ${before?.["mac"]}, at = ${before?.["at"]}
    where shard = 3`;
  const committer = await openAudited();
  try {
    await expect(post(committer, 3)).rejects.toMatchObject({ name: "ChainBroken", shard: 3 });
    expect((await post(committer, 4)).outcome).toBe("applied");
  } finally {
    await committer.close();
  }
});
