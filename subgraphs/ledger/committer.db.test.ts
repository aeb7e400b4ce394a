import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driftedAccounts } from "../../test/support/agreement.ts";
import { freshDatabase, type TestDatabase, testMerchant } from "../../test/support/database.ts";
import { AUDIT_KEY } from "../../test/support/payments.ts";
import { type MerchantId, newId, uuidOf } from "../kernel/ids.ts";
import { moneyOf } from "../kernel/money.ts";
import { invariant } from "../kernel/result.ts";
import type { CheckoutSession } from "../payments/domain/checkout-session.ts";
import { claimFollowUp, claimPayment, type FollowUp, openSession } from "../payments/domain/claims.ts";
import type { Operation } from "../payments/domain/operation.ts";
import type { Payment } from "../payments/domain/payment.ts";
import { type DefiniteAnswer, record } from "../payments/domain/records.ts";
import {
  ALLOWED,
  AT,
  HOME,
  SAMPLE_REQUEST,
  sampleContext,
  sampleOperation,
  samplePayment,
} from "../payments/domain/samples.ts";
import { assessmentRow } from "../risk/assess.ts";
import { type ApplyCommit, type Committer, openCommitter } from "./committer.ts";

let database: TestDatabase;
let committer: Committer;
let commit: ApplyCommit;
let merchant: MerchantId;
const context = sampleContext();
let keys = 0;

beforeAll(async () => {
  database = await freshDatabase();
  committer = openCommitter({
    url: database.url,
    lanes: 2,
    auditKey: AUDIT_KEY,
    log: pino({ level: "silent" }),
  });
  commit = committer.commit;
  merchant = (await testMerchant(database.owner)).id;
});
afterAll(async () => {
  await committer.close();
  await database.drop();
});

const done = (amount: bigint): DefiniteAnswer => ({
  kind: "done",
  providerPayment: "pi_1",
  captured: false,
  amount,
  expiresAt: null,
});

function authorization(overrides: { key?: string; fingerprint?: string } = {}) {
  const payment = samplePayment({ merchant });
  const operation = sampleOperation(payment);
  const claim = {
    key: overrides.key ?? `key-${++keys}`,
    fingerprint: overrides.fingerprint ?? "aa".repeat(32),
  };
  const assessment = assessmentRow(ALLOWED, merchant, payment.id, AT);
  const context = { assessment, session: null, uses: null, stores: null, resolveAfter: AT };
  return claimPayment(payment, operation, claim, context, AT);
}

async function authorized(): Promise<Payment> {
  const claimed = authorization();
  expect((await commit(claimed.commit)).outcome).toBe("applied");
  return recorded(claimed.payment, claimed.operation, done(claimed.payment.amount.minor));
}

async function recorded(payment: Payment, operation: Operation, answer: DefiniteAnswer): Promise<Payment> {
  const next = record(payment, operation, answer, context, AT);
  invariant(next.ok, "recordable");
  expect((await commit(next.value.commit)).outcome).toBe("applied");
  return next.value.payment;
}

function followUp(payment: Payment, details: FollowUp) {
  const claimed = claimFollowUp(
    payment,
    details,
    { key: `key-${++keys}`, fingerprint: "bb".repeat(32) },
    { id: newId("op", HOME, AT), reference: `ref-${keys}`, request: SAMPLE_REQUEST },
    AT,
    AT,
  );
  invariant(claimed.ok, "claimable");
  return claimed.value;
}

const balances = async () =>
  Object.fromEntries(
    (
      await database.owner`
        select a.code, b.debits_posted - b.credits_posted as posted, b.debits_pending - b.credits_pending as pending
        from ledger.account a join ledger.balance b using (shard, id) order by a.code`
    ).map((row) => [row["code"], [row["posted"], row["pending"]]]),
  );

describe("a commit", () => {
  it("is applied wholly: state, transfers, balances and events", async () => {
    const before = await balances();
    const payment = await authorized();
    const claimed = followUp(payment, { kind: "capture", amount: 4_000n, final: true });
    await commit(claimed.commit);
    await recorded(claimed.payment, claimed.operation, done(4_000n));

    const [row] = await database.owner`select * from payments.payment where id = ${uuidOf(payment.id)}`;
    expect(row).toMatchObject({ state: "captured", captured: 4_000n, capturing: 0n, fee: 146n, version: 4 });
    const events = await database.owner`
      select type, body from payments.outbox where payment = ${uuidOf(payment.id)} order by id`;
    expect(events.map(({ type }) => type).sort()).toEqual(["payment.authorized.v1", "payment.captured.v1"]);
    const after = await balances();
    const change = (code: string) => [0, 1].map((i) => (after[code]?.[i] ?? 0n) - (before[code]?.[i] ?? 0n));
    expect(change("provider_receivable")).toEqual([4_000n, 0n]);
    expect(change("merchant_payable")).toEqual([-3_854n, 0n]);
    expect(change("fee_revenue")).toEqual([-146n, 0n]);
  });

  it("that comes again is answered and not applied again", async () => {
    const { commit: value } = authorization();
    const results = [];
    for (let time = 0; time < 3; time++) results.push((await commit(value)).outcome);
    expect(results).toEqual(["applied", "replayed", "replayed"]);
  });

  it("that comes many times at once is applied once", async () => {
    const payment = await authorized();
    const { commit: value } = followUp(payment, { kind: "capture", amount: 1n, final: false });
    const results = await Promise.all(Array.from({ length: 10 }, () => commit(value)));
    expect(results.filter(({ outcome }) => outcome === "applied")).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === "replayed")).toHaveLength(9);
  });

  it("that is sent twice while the first is still at work is applied once, and both are told so", async () => {
    const payment = await authorized();
    const { commit: value } = followUp(payment, { kind: "capture", amount: 1n, final: false });
    const release = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const blocker = database.owner.begin(async (sql) => {
      await sql`select 1 from payments.payment where id = ${uuidOf(payment.id)} for update`;
      held.resolve();
      await release.promise;
    });
    await held.promise;
    const both = [commit(value), commit(value)];
    // Both have looked for their id by now, and wait for the payment.
    await new Promise((resolve) => setTimeout(resolve, 200));
    release.resolve();
    await blocker;
    expect((await Promise.all(both)).map(({ outcome }) => outcome).sort()).toEqual(["applied", "replayed"]);
  });

  it("with the same id and other content is a conflict", async () => {
    const first = authorization();
    const other = authorization();
    await commit(first.commit);
    expect(await commit({ ...other.commit, id: first.commit.id })).toEqual({ outcome: "conflict" });
    const [row] = await database.owner`select 1 from payments.payment where id = ${uuidOf(other.payment.id)}`;
    expect(row).toBeUndefined();
  });

  it("whose guard does not hold writes nothing", async () => {
    const payment = await authorized();
    const one = followUp(payment, { kind: "capture", amount: 6_000n, final: false });
    const two = followUp(payment, { kind: "capture", amount: 6_000n, final: false });
    expect(await commit(one.commit)).toEqual({ outcome: "applied" });
    expect(await commit(two.commit)).toEqual({ outcome: "guard_failed", guard: "payment_version" });
    const [{ count } = { count: 0 }] = await database.owner`
      select count(*)::int as count from payments.operation where payment = ${uuidOf(payment.id)}`;
    expect(count).toBe(2);
    const key = two.commit.claim?.key ?? "";
    const taken = await database.owner`select 1 from payments.idempotency where key = ${key}`;
    expect(taken).toEqual([]);
  });

  it("that resolves an operation which is resolved already is refused, whatever else it says", async () => {
    const payment = await authorized();
    const claimed = followUp(payment, { kind: "void", amount: 10_000n, final: false });
    await commit(claimed.commit);
    const voided = await recorded(claimed.payment, claimed.operation, done(10_000n));
    const again = record(claimed.payment, claimed.operation, done(10_000n), context, AT);
    invariant(again.ok && again.value.commit.payment && "update" in again.value.commit.payment, "recordable");
    const value = {
      ...again.value.commit,
      payment: { ...again.value.commit.payment, expectedVersion: voided.version },
    };
    expect(await commit(value)).toEqual({ outcome: "guard_failed", guard: "operation_state" });
  });

  it("that moves a checkout session from another attempt than it is at is refused", async () => {
    const at = new Date();
    const session: CheckoutSession = {
      id: newId("cs", HOME, AT),
      merchant,
      status: "open",
      attempt: 0,
      amount: moneyOf(10_000n, "EUR"),
      captureMethod: "manual",
      description: null,
      reference: null,
      returnUrl: null,
      payment: null,
      createdAt: at,
      expiresAt: at,
    };
    await commit(openSession(session, { key: `key-${++keys}`, fingerprint: "cc".repeat(32) }, at));
    const { commit: value, payment } = authorization();
    const move = {
      id: session.id,
      expectedAttempt: 1,
      attempt: 1,
      status: "open" as const,
      payment: payment.id,
    };
    expect(await commit({ ...value, session: { update: move } })).toEqual({
      outcome: "guard_failed",
      guard: "session_attempt",
    });
    const complete = { ...move, expectedAttempt: 0, attempt: 0, status: "complete" as const };
    expect(await commit({ ...value, session: { update: complete } })).toEqual({ outcome: "applied" });
    const late = authorization();
    expect(await commit({ ...late.commit, session: { update: complete } })).toMatchObject({
      outcome: "guard_failed",
    });
  });

  it("records an operation once, whoever comes first", async () => {
    const payment = await authorized();
    const claimed = followUp(payment, { kind: "void", amount: 10_000n, final: false });
    await commit(claimed.commit);
    const [a, b] = [0, 1].map(() => record(claimed.payment, claimed.operation, done(10_000n), context, AT));
    invariant(a?.ok && b?.ok, "recordable");
    const outcomes = await Promise.all([commit(a.value.commit), commit(b.value.commit)]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["applied", "guard_failed"]);
  });
});

describe("an idempotency key", () => {
  it("is taken by one of many at once; the others learn by whom", async () => {
    const key = `key-${++keys}`;
    const attempts = Array.from({ length: 50 }, () => authorization({ key }));
    const results = await Promise.all(attempts.map((attempt) => commit(attempt.commit)));
    const winners = attempts.filter((_, i) => results[i]?.outcome === "applied");
    expect(winners).toHaveLength(1);
    const winner = uuidOf((winners[0] as (typeof attempts)[number]).operation.id);
    for (const result of results) {
      if (result.outcome !== "applied")
        expect(result).toMatchObject({ outcome: "key_taken", claim: { subject: winner } });
    }
    const [{ count } = { count: 0 }] = await database.owner`
      select count(*)::int as count from payments.idempotency where key = ${key}`;
    expect(count).toBe(1);
  });

  it.each(['a"b', "back\\slash", "{x,y}", "NULL", "", "ключ 🗝", "'; drop table"])(
    "may be any text: %j",
    async (text) => {
      const key = `${text}-${++keys}`;
      expect((await commit(authorization({ key }).commit)).outcome).toBe("applied");
      expect(await commit(authorization({ key }).commit)).toMatchObject({ outcome: "key_taken" });
    },
  );

  it("is scoped to its merchant", async () => {
    const key = `key-${++keys}`;
    const first = authorization({ key });
    const mine = merchant;
    merchant = (await testMerchant(database.owner)).id;
    const second = authorization({ key });
    merchant = mine;
    expect((await commit(first.commit)).outcome).toBe("applied");
    expect((await commit(second.commit)).outcome).toBe("applied");
  });
});

describe("the books", () => {
  it("stay right under many commits at once", async () => {
    const payments = await Promise.all(Array.from({ length: 20 }, () => authorized()));
    await Promise.all(
      payments.map(async (payment, i) => {
        const claimed = followUp(payment, { kind: "capture", amount: BigInt(100 + i), final: i % 2 === 0 });
        await commit(claimed.commit);
        await recorded(claimed.payment, claimed.operation, done(claimed.operation.amount));
      }),
    );
    const unbalanced = await database.owner`
      select journal, currency from ledger.entry group by 1, 2 having sum(amount) <> 0`;
    expect(unbalanced).toEqual([]);
    expect(await driftedAccounts(database.owner)).toEqual([]);
  });

  it("refuse to resolve more of a pending transfer than is left", async () => {
    const payment = await authorized();
    const claimed = followUp(payment, { kind: "capture", amount: 10_000n, final: true });
    await commit(claimed.commit);
    const next = record(claimed.payment, claimed.operation, done(10_000n), context, AT);
    invariant(next.ok && next.value.commit.journal, "recordable");
    const [post, ...rest] = next.value.commit.journal.transfers;
    invariant(post, "a capture posts");
    const journal = {
      ...next.value.commit.journal,
      transfers: [{ ...post, amount: moneyOf(10_001n, "EUR") }, ...rest],
    };
    expect(await commit({ ...next.value.commit, journal })).toEqual({
      outcome: "refused",
      reason: "exceeds_pending",
    });
    const [row] = await database.owner`select state from payments.payment where id = ${uuidOf(payment.id)}`;
    expect(row?.["state"]).toBe("authorized");
  });
});
