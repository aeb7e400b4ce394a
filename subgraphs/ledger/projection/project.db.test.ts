import fc from "fast-check";
import pino from "pino";
import postgres, { type TransactionSql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { AUDIT_KEY } from "../../../test/support/payments.ts";
import { connectAs } from "../../database/pool.ts";
import type { Currency } from "../../kernel/currency.ts";
import { type MerchantId, type TransferId, transferId, transferUuid, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { type AccountRef, accountId, accountOf } from "../accounts.ts";
import type { Transfer } from "../transfer.ts";
import { createProjector, type Projector } from "./project.ts";
import { openTestBooks, subAccount, type TestBooks } from "./test-books.ts";

const START = new Date("2026-11-22T12:00:00Z");
const log = pino({ level: "silent" });

let database: TestDatabase;
let books: TestBooks;
let projectors: Projector[];
const merchants: MerchantId[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  for (const shard of [7, 8, 9]) merchants.push((await testMerchant(database.owner, shard)).id);
  books = openTestBooks(database.url, AUDIT_KEY, START);
  projectors = [0, 1].map(() => createProjector({ url: database.url, log }));
});
afterAll(async () => {
  await Promise.all(projectors.map((projector) => projector.stop()));
  await books.committer.close();
  await database.drop();
});

/** Until nothing is left to project. */
async function projectAll(by: readonly Projector[] = projectors): Promise<void> {
  while ((await Promise.all(by.map((projector) => projector.pump()))).some(({ transfers }) => transfers > 0));
}

type Line = readonly [seq: bigint, transfer: string, amount: bigint, ...balances: bigint[]];
const read = async (merchant: MerchantId, account: AccountRef): Promise<Line[]> =>
  (
    await database.owner`
      select seq, transfer, amount, debits_posted, credits_posted, debits_pending, credits_pending
      from ledger.statement_line
      where shard = ${shardOf(merchant)} and account = ${accountId(account).toString()} order by seq`
  ).map((row) => Object.values(row) as unknown as Line);
const shardOf = (merchant: MerchantId) => Number.parseInt(uuidOf(merchant).slice(-2), 16);

/** What statements are, without a database: every line that there should be, in order. */
class Model {
  readonly #lines = new Map<string, Line[]>();
  readonly #seqs = new Map<MerchantId, bigint>();
  readonly accounts = new Map<string, [MerchantId, AccountRef]>();

  post(merchant: MerchantId, transfers: readonly (Transfer & { readonly uuid: string })[]): void {
    for (const { uuid, kind, amount, debit, credit } of transfers) {
      const seq = (this.#seqs.get(merchant) ?? 0n) + 1n;
      this.#seqs.set(merchant, seq);
      const posted = kind === "single" || kind === "post" ? amount.minor : 0n;
      const held = kind === "single" ? 0n : kind === "pending" ? amount.minor : -amount.minor;
      this.#add(merchant, debit, [seq, uuid, amount.minor, posted, 0n, held, 0n]);
      this.#add(merchant, credit, [seq, uuid, -amount.minor, 0n, posted, 0n, held]);
    }
  }

  #add(merchant: MerchantId, account: AccountRef, [seq, uuid, amount, ...change]: Line): void {
    const key = `${merchant}/${account.code}/${account.currency}`;
    const lines = this.#lines.get(key) ?? [];
    const before = lines.at(-1)?.slice(3) as bigint[] | undefined;
    lines.push([seq, uuid, amount, ...change.map((by, i) => (before?.[i] ?? 0n) + by)]);
    this.#lines.set(key, lines);
    this.accounts.set(key, [merchant, account]);
  }

  lines = (key: string): Line[] => this.#lines.get(key) ?? [];
}

const model = new Model();

async function post(merchant: MerchantId, transfers: readonly Transfer[]): Promise<TransferId[]> {
  const commit = await books.post(merchant, transfers);
  model.post(
    merchant,
    transfers.map((transfer, index) => ({ ...transfer, uuid: transferUuid(uuidOf(commit), index + 1) })),
  );
  return transfers.map((_, index) => transferId(commit, index + 1));
}

async function expectStatementsToBeTheModel(): Promise<void> {
  for (const [key, [merchant, account]] of model.accounts)
    expect(await read(merchant, account), key).toEqual(model.lines(key));
  const [row] = await database.owner`select count(*) from ledger.statement_line`;
  const expected = [...model.accounts.keys()].reduce((sum, key) => sum + model.lines(key).length, 0);
  expect(Number(row?.["count"])).toBe(expected);
}

const currencies: Currency[] = ["EUR", "JPY", "USD"];
const sides = (merchant: MerchantId, currency: Currency) =>
  [
    accountOf("provider_receivable", merchant, currency),
    accountOf("merchant_payable", merchant, currency),
    accountOf("fee_revenue", merchant, currency),
    subAccount("merchant_payable", "seller_7", merchant, currency),
  ] as const;

function payment(merchant: MerchantId, minor: bigint, currency: Currency): Transfer {
  const [debit, credit] = sides(merchant, currency);
  return { kind: "single", amount: moneyOf(minor, currency), debit, credit };
}

const oneTransfer = fc.record({
  amount: fc.bigInt({ min: 1n, max: 2n ** 55n }),
  currency: fc.constantFrom(...currencies),
  from: fc.nat(3),
  step: fc.integer({ min: 1, max: 3 }),
  pending: fc.boolean(),
});
const oneStep = fc.record({
  merchant: fc.nat(2),
  afterMs: fc.constantFrom(0, 1, 400, 5_000, 3_600_000),
  transfers: fc.array(oneTransfer, { minLength: 1, maxLength: 5 }),
  /** Resolves parts of what is held, in parts per thousand, after the transfers. */
  resolve: fc.array(fc.record({ which: fc.nat(), part: fc.nat(1_000), post: fc.boolean() }), {
    maxLength: 3,
  }),
  project: fc.constantFrom("no", "one", "both"),
});

describe("statements", () => {
  it("are what a plain model says, whatever is posted and whenever it is projected", async () => {
    const held: {
      merchant: MerchantId;
      id: TransferId;
      left: bigint;
      debit: AccountRef;
      credit: AccountRef;
    }[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(oneStep, { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const { merchant: which, afterMs, transfers, resolve, project } of steps) {
          const merchant = merchants[which] as MerchantId;
          books.at = new Date(books.at.getTime() + afterMs);
          const made = transfers.map(({ amount, currency, from, step, pending }): Transfer => {
            const accounts = sides(merchant, currency);
            const [debit, credit] = [accounts[from], accounts[(from + step) % 4]] as [AccountRef, AccountRef];
            return { kind: pending ? "pending" : "single", amount: moneyOf(amount, currency), debit, credit };
          });
          const ids = await post(merchant, made);
          for (const [index, { kind, amount, debit, credit }] of made.entries())
            if (kind === "pending")
              held.push({ merchant, id: ids[index] as TransferId, left: amount.minor, debit, credit });
          for (const { which: n, part, post: posts } of resolve) {
            const hold = held[n % Math.max(held.length, 1)];
            const minor = ((hold?.left ?? 0n) * BigInt(part)) / 1_000n;
            if (hold === undefined || minor === 0n) continue;
            hold.left -= minor;
            const { id: pending, debit, credit } = hold;
            const amount = moneyOf(minor, debit.currency);
            await post(hold.merchant, [{ kind: posts ? "post" : "release", pending, amount, debit, credit }]);
          }
          if (project !== "no")
            await Promise.all(projectors.slice(project === "one" ? 1 : 0).map((p) => p.pump()));
        }
        await projectAll();
        await expectStatementsToBeTheModel();
      }),
      { numRuns: 40 },
    );
  });

  it("are written once by two projectors at work while commits come in", async () => {
    let posting = true;
    const projecting = projectors.map(async (projector) => {
      while (posting) await projector.pump();
    });
    for (let round = 0; round < 40; round++) {
      books.at = new Date(books.at.getTime() + 50);
      await Promise.all(merchants.map((merchant) => post(merchant, [payment(merchant, 7n, "EUR")])));
    }
    posting = false;
    await Promise.all(projecting);
    await projectAll();
    await expectStatementsToBeTheModel();
  });

  it("of a round that died are written by the next one, once", async () => {
    const [merchant] = merchants as [MerchantId];
    await post(merchant, [payment(merchant, 11n, "USD")]);
    const dying = postgres(database.url, { max: 1, onnotice: () => {} });
    const written = Promise.withResolvers<void>();
    const crashed = dying
      .begin(async (sql) => {
        const [row] = await sql`select projected from ledger.project_batches(1000)`;
        expect(Number(row?.["projected"])).toBe(1);
        written.resolve();
        await new Promise(() => {});
      })
      .catch(() => "crashed");
    await written.promise;
    // What it has locked is left to it.
    expect((await projectors[0]?.pump())?.transfers).toBe(0);
    const [backend] = await database.owner`
      select pid from pg_stat_activity where state = 'idle in transaction' and datname = current_database()`;
    await database.owner`select pg_terminate_backend(${backend?.["pid"]})`;
    expect(await crashed).toBe("crashed");
    await dying.end({ timeout: 1 });
    await projectAll();
    await expectStatementsToBeTheModel();
  });

  it("are written by themselves, soon after a commit", async () => {
    const projector = createProjector({ url: database.url, log });
    projector.start();
    const [merchant] = merchants as [MerchantId];
    for (let round = 0; round < 2; round++) {
      await post(merchant, [payment(merchant, 3n, "JPY")]);
      await expect
        .poll(() => read(merchant, sides(merchant, "JPY")[1]), { timeout: 5_000 })
        .toEqual(model.lines(`${merchant}/merchant_payable/JPY`));
    }
    await projector.stop();
  });

  it("are not written of transfers that are not what their batch says, and others' are", async () => {
    const [one, other] = merchants as [MerchantId, MerchantId];
    const shard = shardOf(one);
    await books.post(one, [payment(one, 13n, "USD")]);
    await database.owner`
      delete from ledger.transfer
      where shard = ${shard} and seq = (select seq from ledger.chain where shard = ${shard})`;
    await post(other, [payment(other, 13n, "USD")]);
    expect(await projectors[0]?.pump()).toEqual({ transfers: 1, stalled: [shard] });
    expect(await projectors[1]?.pump()).toEqual({ transfers: 0, stalled: [shard] });
    await expectStatementsToBeTheModel();
  });

  it("are reached by the time of their batches, however many transfers there are", async () => {
    const [, one, other] = merchants as [MerchantId, MerchantId, MerchantId];
    await post(one, [payment(one, 1n, "EUR")]);
    const from = books.at;
    books.at = new Date(from.getTime() + 86_400_000);
    await addTransfers(one, 200_000, from);
    await post(other, [payment(other, 1n, "EUR")]);
    // The first round after them sums up their pages, once.
    await database.owner`select ledger.project_batches(0)`;
    await database.owner.begin(async (sql) => {
      const before = await rowsRead(sql);
      const [row] = await sql`select projected from ledger.project_batches(1000)`;
      expect(row).toEqual({ projected: 2n });
      // Two batches a day apart: those between them are not read, nor pages that vacuum has not seen yet.
      expect((await rowsRead(sql)) - before).toBeLessThan(10_000);
    });
    await expectStatementsToBeTheModel();
  });
});

/** Transfers of the day that follows, which are projected already, and which vacuum has not seen. */
async function addTransfers(merchant: MerchantId, count: number, after: Date): Promise<void> {
  const [debit, credit] = sides(merchant, "EUR");
  await database.owner`
    insert into ledger.transfer (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency)
    select -n, ${accountId(debit).toString()}::bigint, ${accountId(credit).toString()}::bigint, 1,
           ${after}::timestamptz + interval '1 minute' + interval '0.4 seconds' * n, 0, uuidv7(), ${shardOf(merchant)}, 0,
           0, 'EUR'
    from generate_series(1, ${count}::int) n`;
}

/** Rows of the transfers' table that the transaction has fetched so far, and what its connection had before it. */
async function rowsRead(sql: TransactionSql): Promise<number> {
  const [row] = await sql`
    select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as rows from pg_stat_xact_user_tables
    where schemaname = 'ledger' and relname = 'transfer'`;
  return Number(row?.["rows"]);
}

it("the projector's role can do nothing but project", async () => {
  const sql = connectAs("tessera_projector", database.url, { connections: 1 });
  for (const statement of [
    "select * from ledger.transfer",
    "select * from ledger.statement_line",
    "delete from ledger.statement_line",
    "update ledger.projection set batch = 0",
    "select ledger.summarize_new_transfers()",
    "select * from ledger.heads('{1}')",
  ])
    await expect(sql.unsafe(statement), statement).rejects.toMatchObject({ code: "42501" });
  await sql.end();
});
