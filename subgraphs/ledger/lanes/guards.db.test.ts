import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { AUDIT_KEY } from "../../../test/support/payments.ts";
import { newId, transferId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { accountOf } from "../accounts.ts";
import type { Commit } from "../commit.ts";
import { openCommitter } from "../committer.ts";
import type { Transfer } from "../transfer.ts";

/** What is judged before it is written holds when it is written, and what was applied before is told so. */
let database: TestDatabase;
const AT = new Date("2026-11-22T12:00:00Z");
const home = { region: 1, shard: 31 };
const merchant = newId("mer", home, AT);
const commitOf = (parts: Partial<Commit>): Commit => ({
  id: newId("cmt", home, AT),
  merchant,
  at: AT,
  events: [],
  ...parts,
});
const open = () =>
  openCommitter({ url: database.url, lanes: 1, auditKey: AUDIT_KEY, log: pino({ level: "silent" }) });

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

it("of two writers who move one session at once, one has moved it", async () => {
  const writers = [open(), open()];
  const session = newId("cs", home, AT);
  const row = {
    shard: home.shard,
    merchant: uuidOf(merchant),
    id: uuidOf(session),
    status: "open",
    attempt: 0,
    amount: "100",
    currency: "EUR",
    capture_method: "manual",
    description: null,
    reference: null,
    payment: null,
    created_at: AT.toISOString(),
    expires_at: AT.toISOString(),
  };
  const [first] = writers as [(typeof writers)[number]];
  expect(await first.commit(commitOf({ session: { insert: row } }))).toEqual({ outcome: "applied" });
  const move = () =>
    commitOf({
      session: {
        update: {
          id: session,
          expectedAttempt: 0,
          attempt: 1,
          status: "open",
          payment: newId("pay", home, AT),
        },
      },
    });
  // Whoever comes to the session waits at its row until both have come as far as they can.
  const { promise: free, resolve: release } = Promise.withResolvers<void>();
  const holding = database.owner.begin(async (sql) => {
    await sql`select 1 from payments.checkout_session where shard = ${home.shard} for update`;
    await free;
  });
  const moves = writers.map((writer) => writer.commit(move()));
  await sleep(300);
  release();
  await holding;
  expect((await Promise.all(moves)).map(({ outcome }) => outcome).sort()).toEqual([
    "applied",
    "guard_failed",
  ]);
  await Promise.all(writers.map((writer) => writer.close()));
});

it("a post that comes again is told so, though nothing is left to be posted", async () => {
  const committer = open();
  const [debit, credit] = [
    accountOf("provider_receivable", merchant, "EUR"),
    accountOf("merchant_payable", merchant, "EUR"),
  ];
  const amount = moneyOf(5n, "EUR");
  const posting = (transfer: Transfer) =>
    commitOf({
      journal: { cause: "capture", payment: null, transfers: [transfer], opens: [debit, credit] },
    });
  const held = posting({ kind: "pending", amount, debit, credit });
  const post = posting({ kind: "post", pending: transferId(held.id, 1), amount, debit, credit });
  const results = [];
  for (const commit of [held, post, post]) results.push((await committer.commit(commit)).outcome);
  expect(results).toEqual(["applied", "applied", "replayed"]);
  await committer.close();
});
