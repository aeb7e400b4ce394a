import { randomBytes } from "node:crypto";
import pino from "pino";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { AUDIT_KEY } from "../../../test/support/payments.ts";
import { connectAs } from "../../database/pool.ts";
import { homeOf, idFromUuid, type MerchantId, newId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { invariant } from "../../kernel/result.ts";
import { claimFollowUp, claimPayment, type FollowUp } from "../../payments/domain/claims.ts";
import { declineOf } from "../../payments/domain/decline.ts";
import type { Operation } from "../../payments/domain/operation.ts";
import type { Payment } from "../../payments/domain/payment.ts";
import { type DefiniteAnswer, record } from "../../payments/domain/records.ts";
import {
  ALLOWED,
  SAMPLE_REQUEST,
  sampleContext,
  sampleOperation,
  samplePayment,
} from "../../payments/domain/samples.ts";
import { assessmentRow } from "../../risk/assess.ts";
import { accountId, accountOf } from "../accounts.ts";
import type { Commit } from "../commit.ts";
import { createProjector } from "../projection/project.ts";
import { openTestBooks, subAccount, type TestBooks } from "../projection/test-books.ts";
import { openReconciler, type Period, type Reconciliation } from "./reconcile.ts";
import { CHECKS } from "./report.ts";

const DAY = 86_400_000;
const MONDAY = new Date("2026-11-16T00:00:00Z");
const day = (n: number) => new Date(MONDAY.getTime() + n * DAY);
const ALWAYS = { from: new Date(0), to: new Date("9999-12-31T00:00:00Z") };

let world: TestDatabase;
let merchant: MerchantId;
let neighbour: MerchantId;
/** Payments of `merchant`, by what became of them; those of Monday are followed up on Tuesday. */
const made: Record<string, Payment> = {};

beforeAll(async () => {
  world = await freshDatabase();
  merchant = (await testMerchant(world.owner)).id;
  neighbour = (await testMerchant(world.owner)).id;
  const books = openTestBooks(world.url, AUDIT_KEY, day(0));
  const projector = createProjector({ url: world.url, log: pino({ level: "silent" }) });
  await tradeOf(books, openTestPayments(books));
  while ((await projector.pump()).transfers > 0);
  await projector.stop();
  await books.committer.close();
  // A database is copied while nobody is connected to it.
  await world.owner.end();
});
afterAll(() => world.drop());

async function tradeOf(
  books: ReturnType<typeof openTestBooks>,
  payments: ReturnType<typeof openTestPayments>,
) {
  const { authorize, followUp } = payments;
  const monday = {
    authorized: await authorize(merchant),
    voided: await authorize(merchant),
    expired: await authorize(merchant),
    captured: await authorize(merchant),
    captured_in_parts: await authorize(merchant),
    sold: await authorize(merchant, { sale: true }),
    refunded: await authorize(merchant, { sale: true }),
    refund_failed: await authorize(merchant, { sale: true }),
    refunding: await authorize(merchant, { sale: true }),
    capturing: await authorize(merchant),
    neighbours: await authorize(neighbour, { sale: true }),
  };
  Object.assign(made, monday);
  await authorize(merchant, { declined: true });
  await authorize(merchant, { answered: false });
  const amount = moneyOf(250n, "EUR");
  const sides = {
    debit: accountOf("merchant_payable", merchant, "EUR"),
    credit: subAccount("merchant_payable", "seller_7", merchant, "EUR"),
  };
  await books.post(merchant, [{ kind: "pending", amount, ...sides }]);
  books.at = day(1);
  made["voided"] = await followUp(monday.voided, "void", 10_000n);
  made["expired"] = await followUp(monday.expired, "expire", 10_000n);
  made["captured"] = await followUp(monday.captured, "capture", 4_000n, { final: true });
  const part = await followUp(monday.captured_in_parts, "capture", 3_000n);
  made["captured_in_parts"] = await followUp(part, "capture", 2_000n);
  const half = await followUp(monday.refunded, "refund", 5_000n);
  made["refunded"] = await followUp(half, "refund", 5_000n);
  made["refund_failed"] = await followUp(monday.refund_failed, "refund", 100n, { fails: true });
  made["refunding"] = await followUp(monday.refunding, "refund", 700n, { answered: false });
  made["capturing"] = await followUp(monday.capturing, "capture", 700n, { answered: false });
  books.at = day(2);
  await authorize(merchant);
  await followUp(made["captured_in_parts"], "refund", 1_000n);
}

/** A copy of the world to spoil. */
async function copyOfWorld() {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = postgres(inject("postgresUrl"), { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name} template ${new URL(world.url).pathname.slice(1)}`);
  const url = new URL(world.url);
  url.pathname = `/${name}`;
  const owner = postgres(url.toString(), { max: 1, types: { bigint: postgres.BigInt }, onnotice: () => {} });
  return {
    url: url.toString(),
    owner: owner as unknown as Sql,
    async drop() {
      await owner.end();
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/** What is found in each period after `plant` has changed something. */
async function reconcile(
  plant: (owner: Sql) => Promise<unknown>,
  ...periods: Period[]
): Promise<Reconciliation[]> {
  const copy = await copyOfWorld();
  const reconciler = openReconciler({ url: copy.url, connections: 1, statementTimeoutMs: 10_000 });
  try {
    await plant(copy.owner);
    const found: Reconciliation[] = [];
    for (const period of periods) {
      const result = await reconciler.reconcile(period);
      expect(result).toMatchObject({ ok: true });
      if (result.ok) found.push(result.value);
    }
    return found;
  } finally {
    await reconciler.close();
    await copy.drop();
  }
}

const nothing = async () => {};
const named = ({ findings }: Reconciliation) =>
  findings.flatMap(({ differences }) => differences.map(({ check, subject }) => `${check} ${subject}`));
const examined = ({ findings }: Reconciliation) =>
  Object.fromEntries(findings.map(({ check, examined: count }) => [check, count]));
const own = (): Period => ({ ...ALWAYS, merchant: uuidOf(merchant) });
const of = (name: string) => made[name] as Payment;

it("books that agree have no differences, over all and over any period, of all and of one merchant", async () => {
  const [all, mine, monday, tuesday, late] = (await reconcile(
    nothing,
    ALWAYS,
    own(),
    { from: day(0), to: day(1) },
    { from: day(1), to: day(2), merchant: uuidOf(merchant) },
    { from: day(2), to: day(30), shards: [7] },
  )) as [Reconciliation, Reconciliation, Reconciliation, Reconciliation, Reconciliation];
  for (const found of [all, mine, monday, tuesday, late]) expect(named(found)).toEqual([]);
  const [transfers] = await counts();
  expect(examined(all)).toEqual({
    journals: transfers,
    balances: 5,
    statements: 5,
    pending: 13,
    payments: 14,
    refunds: 5,
    events: 21,
    references: 48,
  });
  expect(examined(mine)).toMatchObject({ balances: 2, statements: 2, pending: 13, payments: 13, events: 20 });
  // Of a day that has ended, balances are its statements' last lines.
  expect(examined(monday)).toMatchObject({ balances: 0, statements: 5, payments: 13, events: 11 });
  expect(examined(tuesday)).toMatchObject({ balances: 0, statements: 2, payments: 8 });
  expect(examined(late)).toMatchObject({ balances: 5, payments: 2, events: 2 });
  expect(all.findings.map(({ check }) => check)).toEqual(Object.keys(CHECKS));
});

async function counts(): Promise<number[]> {
  const found: number[] = [];
  await reconcile(async (owner) => {
    const [row] = await owner`select count(*)::int as transfers from ledger.transfer`;
    found.push(row?.["transfers"] as number);
  });
  return found;
}

describe("a difference is named, and nothing else:", () => {
  const seller = () => subAccount("merchant_payable", "seller_7", merchant, "EUR");
  const payable = () => accountOf("merchant_payable", merchant, "EUR");
  const inBook = (code: string) => `${idFromUuid("book", uuidOf(merchant))}/${code}/EUR`;
  const lastOf = async (owner: Sql, table: "commit" | "event", payment: Payment, type = "") => {
    const [row] =
      table === "commit"
        ? await owner`
            select commit as id from ledger.payment_journal where payment = ${uuidOf(payment.id)}
            order by commit desc limit 1`
        : await owner`
            select id from payments.outbox where payment = ${uuidOf(payment.id)} and type = ${type} order by id limit 1`;
    return row?.["id"] as string;
  };

  it("a kept balance", async () => {
    const [all, mine] = (await reconcile(
      (owner) => owner`
        update ledger.balance set credits_posted = credits_posted + 1 where id = ${accountId(payable()).toString()}`,
      ALWAYS,
      own(),
    )) as [Reconciliation, Reconciliation];
    expect(named(all)).toEqual([`balances ${inBook("merchant_payable")}`]);
    expect(named(mine)).toEqual(named(all));
  });

  it("a statement's last line", async () => {
    const found = await reconcile(
      (owner) => owner`
        update ledger.statement_line set debits_pending = debits_pending + 1
        where (shard, account, seq) in (
          select 7, ${accountId(payable()).toString()}::bigint, max(seq) from ledger.statement_line
          where account = ${accountId(payable()).toString()})`,
      ALWAYS,
      own(),
    );
    for (const one of found) expect(named(one)).toEqual([`statements ${inBook("merchant_payable")}`]);
  });

  it("a pending row that is gone, that has another amount, or that is of nothing", async () => {
    const hold = of("authorized").holds[0]?.transfer as string;
    const uuid = uuidOf(hold as never);
    for (const plant of [
      (owner: Sql) => owner`delete from ledger.pending where transfer = ${uuid}`,
      (owner: Sql) => owner`update ledger.pending set remaining = remaining + 1 where transfer = ${uuid}`,
      (owner: Sql) => owner`update ledger.pending set currency = 'USD' where transfer = ${uuid}`,
      (owner: Sql) => owner`update ledger.pending set payment = uuidv7() where transfer = ${uuid}`,
    ])
      for (const one of await reconcile(plant, ALWAYS, own(), { from: day(0), to: day(1) }))
        expect(named(one)).toEqual([`pending ${hold}`]);
    let added = "";
    const found = await reconcile(
      async (owner) => {
        const [row] = await owner`
          insert into ledger.pending (shard, transfer, debit, credit, currency, remaining)
          select shard, ledger.transfer_id(uuidv7(), 1), debit, credit, currency, 5
          from ledger.pending limit 1 returning transfer`;
        added = idFromUuid("trf", row?.["transfer"]);
      },
      ALWAYS,
      own(),
    );
    for (const one of found) expect(named(one)).toEqual([`pending ${added}`]);
  });

  it("a payment whose captured amount, refunded amount, fee or state is off", async () => {
    const captured = of("captured");
    const refunded = of("refunded");
    for (const [payment, plant] of [
      [
        captured,
        (o: Sql) => o`update payments.payment set captured = 3999 where id = ${uuidOf(captured.id)}`,
      ],
      [captured, (o: Sql) => o`update payments.payment set fee = fee - 1 where id = ${uuidOf(captured.id)}`],
      [
        captured,
        (o: Sql) => o`update payments.payment set finalized = false where id = ${uuidOf(captured.id)}`,
      ],
      [
        refunded,
        (o: Sql) => o`update payments.payment set refunded = 9999 where id = ${uuidOf(refunded.id)}`,
      ],
      [
        refunded,
        (o: Sql) => o`update payments.payment set state = 'captured' where id = ${uuidOf(refunded.id)}`,
      ],
      [
        of("refunding"),
        (o: Sql) => o`update payments.payment set refunding = 0 where id = ${uuidOf(of("refunding").id)}`,
      ],
    ] as const)
      for (const one of await reconcile(plant, ALWAYS, own(), { from: day(1), to: day(2) }))
        expect(named(one)).toEqual([`payments ${payment.id}`]);
  });

  it("a refund that has ended and holds its amount, or is in flight and holds nothing", async () => {
    const flip = (payment: Payment, state: string) => async (owner: Sql) => {
      const [row] = await owner`
        update payments.operation set state = ${state}
        where payment = ${uuidOf(payment.id)} and kind = 'refund' returning id`;
      operation = idFromUuid("op", row?.["id"]);
    };
    let operation = "";
    for (const plant of [flip(of("refunding"), "succeeded"), flip(of("refund_failed"), "claimed")])
      for (const one of await reconcile(plant, ALWAYS, own()))
        expect(named(one)).toEqual([`refunds ${operation}`]);
  });

  it("an event that is lost, tells another amount, or comes twice", async () => {
    const payment = of("sold");
    let id = "";
    const lose = async (owner: Sql) => {
      id = await lastOf(owner, "event", payment, "payment.captured.v1");
      return owner`delete from payments.outbox where id = ${id}`;
    };
    let journal = "";
    const amount = async (owner: Sql) => {
      journal = idFromUuid("jrn", await lastOf(owner, "commit", payment));
      id = await lastOf(owner, "event", payment, "payment.captured.v1");
      return owner`update payments.outbox set body = jsonb_set(body, '{amount}', '1') where id = ${id}`;
    };
    const twice = async (owner: Sql) => {
      id = await lastOf(owner, "event", payment, "payment.captured.v1");
      return owner`
        insert into payments.outbox
        select shard, merchant, overlay(id::text placing 'ff' from 31 for 2)::uuid, type, payment, body, created_at
        from payments.outbox where id = ${id}`;
    };
    const week = { from: day(0), to: day(1), merchant: uuidOf(merchant) };
    for (const one of await reconcile(amount, ALWAYS, own(), week))
      expect(named(one).toSorted()).toEqual([`events ${idFromUuid("evt", id)}`, `events ${journal}`]);
    for (const one of await reconcile(lose, ALWAYS, own(), week))
      expect(named(one)).toEqual([`events ${journal}`]);
    for (const one of await reconcile(twice, ALWAYS, own(), week)) {
      expect(named(one)).toHaveLength(1);
      expect(named(one)[0]).toMatch(/^events evt_/);
    }
  });

  it("a payment that is gone, by its journals and events", async () => {
    const found = await reconcile(
      (owner) => owner`delete from payments.payment where id = ${uuidOf(of("sold").id)}`,
      ALWAYS,
      own(),
    );
    expect(found.map((one) => named(one).map((name) => name.slice(0, 14)))).toEqual([
      ["references evt", "references jrn"],
      ["references evt"],
    ]);
  });

  it("an account whose currency is not its transfers'", async () => {
    const [all, mine] = (await reconcile(
      async (owner) => {
        const [digest] = await owner`
          select conname as name from pg_constraint
          where conrelid = 'ledger.account'::regclass and pg_get_constraintdef(oid) like '%account_id%'`;
        await owner.unsafe(`alter table ledger.account drop constraint ${digest?.["name"]}`);
        await owner`update ledger.account set currency = 'USD' where id = ${accountId(seller()).toString()}`;
      },
      ALWAYS,
      own(),
    )) as [Reconciliation, Reconciliation];
    expect(named(all)).toHaveLength(1);
    expect(named(all)[0]).toMatch(/^journals jrn_/);
    expect(named(mine)).toEqual(named(all));
  });

  it("a transfer that is gone, in all that rests on it", async () => {
    const found = await reconcile(
      async (owner) => {
        const commit = await lastOf(owner, "commit", of("sold"));
        return owner`delete from ledger.transfer where id = ledger.transfer_id(${commit}, 1)`;
      },
      ALWAYS,
      own(),
    );
    const checks = found.map((one) => [...new Set(named(one).map((name) => name.split(" ")[0]))]);
    expect(checks[0]).toEqual(["balances", "statements", "payments", "events"]);
    expect(checks[1]).toEqual(["balances", "statements", "payments", "events"]);
  });

  it("a part of a pending transfer between other accounts", async () => {
    const [all] = await reconcile(async (owner) => {
      const commit = await lastOf(owner, "commit", of("voided"));
      return owner`
        update ledger.transfer set debit = ${accountId(seller()).toString()}
        where id = ledger.transfer_id(${commit}, 1)`;
    }, ALWAYS);
    expect(named(all as Reconciliation)).toContainEqual(expect.stringMatching(/^pending trf_/));
  });

  it("only the caller's own", async () => {
    const plant = (owner: Sql) =>
      owner`update payments.payment set captured = 1, refunded = 0 where id = ${uuidOf(of("neighbours").id)}`;
    const [all, mine] = (await reconcile(plant, ALWAYS, own())) as [Reconciliation, Reconciliation];
    expect(named(all)).toEqual([`payments ${of("neighbours").id}`]);
    expect(named(mine)).toEqual([]);
  });
});

it("lists a hundred of many, and counts all", async () => {
  let inserted = Number.NaN;
  const [found] = (await reconcile(async (owner) => {
    const result = await owner`
      insert into payments.outbox
      select o.shard, o.merchant, overlay(o.id::text placing lpad(to_hex(n), 3, '0') from 30 for 3)::uuid, o.type,
             o.payment, o.body, o.created_at
      from (select * from payments.outbox where type = 'payment.authorized.v1' limit 1) o, generate_series(0, 299) n
      on conflict do nothing`;
    inserted = result.count;
  }, ALWAYS)) as [Reconciliation];
  const finding = found.findings.find(({ check }) => check === "events");
  expect(finding?.differences).toHaveLength(100);
  expect(inserted).toBeGreaterThan(290);
  expect(finding?.wrong).toBe(inserted);
});

it("compares what is not projected yet, too, but for the statements", async () => {
  const behind = async (owner: Sql) => {
    await owner`
      update ledger.projection p set batch = b.number, seq = b.first_seq + b.count - 1, at = b.at
      from ledger.batch b where p.shard = 7 and b.shard = 7 and b.number = 6`;
    await owner`
      delete from ledger.statement_line l using ledger.projection p where l.shard = p.shard and l.seq > p.seq`;
  };
  const found = await reconcile(behind, ALWAYS, own(), { from: day(2), to: day(30) });
  for (const one of found) expect(named(one)).toEqual([]);
  expect(found.map(examined)).toMatchObject([
    { balances: 5, statements: 0, pending: 13 },
    { balances: 2, statements: 0, pending: 13 },
    { balances: 5, statements: 0 },
  ]);
  const changed = async (owner: Sql) => {
    await behind(owner);
    await owner`update ledger.balance set credits_posted = credits_posted + 1 where credits_posted > 10000`;
  };
  for (const one of await reconcile(changed, own())) expect(named(one)).toHaveLength(1);
});

it("does not judge a period before its statements are written", async () => {
  const copy = await copyOfWorld();
  const reconciler = openReconciler({ url: copy.url, connections: 1, statementTimeoutMs: 10_000 });
  await copy.owner`update ledger.projection set batch = batch - 3, at = ${day(1)} where shard = 7`;
  expect(await reconciler.reconcile({ from: day(0), to: new Date(day(1).getTime() + 1) })).toEqual({
    ok: false,
    error: { code: "NOT_PROJECTED", projectedThrough: new Date(day(1).getTime() - 1) },
  });
  await reconciler.close();
  await copy.drop();
});

it("the reconciler's role writes nothing and reads nothing else", async () => {
  const copy = await copyOfWorld();
  const sql = connectAs("tessera_reconciler", copy.url, { connections: 1 });
  for (const statement of [
    "update ledger.balance set credits_posted = 0",
    "delete from payments.outbox",
    "select * from payments.idempotency",
    "select * from merchants.merchant",
    "select ledger.project_batches(1)",
  ])
    await expect(sql.unsafe(statement), statement).rejects.toMatchObject({ code: "42501" });
  await sql.end();
  await copy.drop();
});

/** Payments for tests, as the flows commit them: everything but the provider. */
type TestPayments = {
  /** Asked for, and answered unless `answered` is false. */
  authorize(
    merchant: MerchantId,
    options?: { readonly sale?: boolean; readonly declined?: boolean; readonly answered?: boolean },
  ): Promise<Payment>;
  followUp(
    payment: Payment,
    kind: FollowUp["kind"],
    amount: bigint,
    options?: { readonly final?: boolean; readonly fails?: boolean; readonly answered?: boolean },
  ): Promise<Payment>;
};

const refused: DefiniteAnswer = {
  kind: "declined",
  decline: declineOf("generic_decline", null),
  providerPayment: null,
};

function openTestPayments(books: TestBooks): TestPayments {
  let keys = 0;
  const claim = () => ({ key: `key-${++keys}`, fingerprint: "aa".repeat(32) });
  const commit = async (value: Commit) => {
    const result = await books.committer.commit(value);
    invariant(result.outcome === "applied", `the commit is applied: ${JSON.stringify(result)}`);
  };
  const answer = async (payment: Payment, operation: Operation, given: DefiniteAnswer) => {
    const recorded = record(payment, operation, given, sampleContext(), books.at);
    invariant(recorded.ok, "it can be recorded");
    await commit(recorded.value.commit);
    return recorded.value.payment;
  };
  return {
    async authorize(merchant, { sale = false, declined = false, answered = true } = {}) {
      const at = books.at;
      const ids = { id: newId("pay", homeOf(merchant), at), merchant, createdAt: at, updatedAt: at };
      const payment = samplePayment(ids);
      const operation = sampleOperation(payment, { id: newId("op", homeOf(merchant), at) });
      const assessment = assessmentRow(ALLOWED, merchant, payment.id, at);
      const context = { assessment, session: null, uses: null, stores: null, resolveAfter: at };
      const claimed = claimPayment(payment, operation, claim(), context, at);
      await commit(claimed.commit);
      if (!answered) return claimed.payment;
      const amount = payment.amount.minor;
      const done = {
        kind: "done",
        providerPayment: "pi_1",
        captured: sale,
        amount,
        expiresAt: null,
      } as const;
      return answer(claimed.payment, claimed.operation, declined ? refused : done);
    },
    async followUp(payment, kind, amount, { final = false, fails = false, answered = true } = {}) {
      const id = newId("op", homeOf(payment.merchant), books.at);
      const sent = { id, reference: `ref-${id}`, request: SAMPLE_REQUEST };
      const followUp = { kind, amount, final };
      const claimed = claimFollowUp(payment, followUp, claim(), sent, books.at, books.at);
      invariant(claimed.ok, "it can be claimed");
      await commit(claimed.value.commit);
      if (!answered) return claimed.value.payment;
      const done = {
        kind: "done",
        providerPayment: "pi_1",
        captured: true,
        amount,
        expiresAt: null,
      } as const;
      return answer(claimed.value.payment, claimed.value.operation, fails ? refused : done);
    },
  };
}
