import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subgraphSchema } from "../../../schema/compose.ts";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { AUDIT_KEY } from "../../../test/support/payments.ts";
import { createSubgraph, type Subgraph } from "../../api/subgraph.ts";
import { createTenantReader, type TenantReader } from "../../database/tenant-reader.ts";
import type { MerchantId } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { type AccountRef, accountId, accountOf } from "../accounts.ts";
import { createProjector, type Projector } from "../projection/project.ts";
import { openTestBooks, subAccount, type TestBooks } from "../projection/test-books.ts";
import { openReconciler, type Reconciler } from "../reconcile/reconcile.ts";
import { createLedgerReads } from "../sql/reads.ts";
import { createStatementReads } from "../sql/statements.ts";
import { type LedgerDeps, ledgerResolvers } from "./index.ts";

const START = new Date("2026-11-01T00:00:00Z");
const TRANSFERS = 260;

let database: TestDatabase;
let books: TestBooks;
let projector: Projector;
let reader: TenantReader;
let reconciler: Reconciler;
let subgraph: Subgraph;
let merchant: MerchantId;
let neighbour: MerchantId;
/** Rows of statements that the last read fetched. */
let fetched = 0;
/** Every transfer, newest last: signed as the seller's account sees it, debits positive. */
const posted: { at: Date; amount: bigint }[] = [];

const seller = () => subAccount("merchant_payable", "seller_7", merchant, "EUR");

beforeAll(async () => {
  database = await freshDatabase();
  merchant = (await testMerchant(database.owner)).id;
  neighbour = (await testMerchant(database.owner)).id;
  books = openTestBooks(database.url, AUDIT_KEY, START);
  projector = createProjector({ url: database.url, log: pino({ level: "silent" }) });
  reader = createTenantReader("tessera_ledger", database.url, 1);
  reconciler = openReconciler({ url: database.url, connections: 1, statementTimeoutMs: 10_000 });
  const counting: TenantReader = { ...reader, read: readAndCount };
  const deps = { reads: createLedgerReads(reader), statements: createStatementReads(counting) };
  const resolvers = ledgerResolvers({ ...deps, reconcile: reconciler.reconcile, audit: noAudit });
  subgraph = createSubgraph("ledger", subgraphSchema("ledger"), resolvers);
  await trade();
});
afterAll(async () => {
  await Promise.all([projector.stop(), reader.close(), reconciler.close(), books.committer.close()]);
  await database.drop();
});

/** Proofs have tests of their own. */
const noAudit: LedgerDeps["audit"] = {
  paymentRows: async () => [],
  proofs: { proofOf: async () => ({ missing: "unavailable" }) },
  keys: new Map(),
};

const readAndCount: TenantReader["read"] = async (whose, ...queries) => {
  const count = {
    text: `select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::integer as rows
           from pg_stat_xact_user_tables where schemaname = 'ledger' and relname = 'statement_line'`,
    parameters: [],
  };
  const results = await reader.read(whose, count, ...queries, count);
  const [before, after] = [results.shift(), results.pop()].map((rows) => rows?.[0]?.["rows"] as number);
  fetched = (after as number) - (before as number);
  return results;
};

async function trade(): Promise<void> {
  for (let n = 1; n <= TRANSFERS; n++) {
    // Some at the same instant, some minutes apart; the neighbour's lie between.
    books.at = new Date(books.at.getTime() + (n % 5 === 0 ? 0 : (n % 7) * 61_000));
    const minor = BigInt((n * 7_919) % 1_000) + 1n;
    const sides = [accountOf("provider_receivable", merchant, "EUR"), seller()] as [AccountRef, AccountRef];
    const [debit, credit] = n % 3 === 0 ? (sides.toReversed() as typeof sides) : sides;
    await books.post(merchant, [{ kind: "single", amount: moneyOf(minor, "EUR"), debit, credit }]);
    posted.push({ at: books.at, amount: n % 3 === 0 ? minor : -minor });
    if (n % 4 === 0) {
      const [from, to] = [
        accountOf("provider_receivable", neighbour, "EUR"),
        accountOf("merchant_payable", neighbour, "EUR"),
      ];
      await books.post(neighbour, [{ kind: "pending", amount: moneyOf(1n, "EUR"), debit: from, credit: to }]);
    }
  }
  while ((await projector.pump()).transfers > 0);
}

const as = (whose: MerchantId, scope: "secret" | "publishable" = "secret") => ({
  identity: { merchant: whose, scope, requestId: "r", ip: null, country: null },
});
// What a query gives is as its text says.
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = any;
async function ask(fields: string, whose = merchant): Promise<Answer> {
  const query = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Merchant { ${fields} } } }`;
  const variables = { of: [{ __typename: "Merchant", id: whose }] };
  const result = await subgraph.run({ query, variables }, as(whose));
  if (result.errors !== undefined) return { errors: result.errors };
  // As it leaves: plain JSON.
  return JSON.parse(JSON.stringify((result.data as Answer)["_entities"][0]));
}
const ACCOUNT = 'account(code: MERCHANT_PAYABLE, name: "seller_7", currency: "EUR")';
const errorOf = (answer: Answer) => answer.errors?.[0]?.extensions;

/** What the seller had after all that was posted at the instant or before. */
function balancesAt(at: Date) {
  const until = posted.filter((transfer) => transfer.at <= at).map(({ amount }) => amount);
  const sum = (amounts: readonly bigint[]) => Number(amounts.reduce((total, amount) => total + amount, 0n));
  const debitsPosted = sum(until.filter((amount) => amount > 0n));
  const creditsPosted = sum(until.filter((amount) => amount < 0n).map((amount) => -amount));
  return { debitsPosted, creditsPosted, balance: creditsPosted - debitsPosted };
}

describe("balances", () => {
  it("as of an instant are what was posted by then, to the millisecond", async () => {
    const instants = [
      START,
      new Date(0),
      ...posted.map(({ at }) => at),
      ...posted.map(({ at }) => new Date(at.getTime() - 1)),
    ];
    for (const at of instants.filter((_, n) => n % 9 === 0 || n < 3)) {
      const instant = at.toISOString();
      const { balances, account } = await ask(`
        balances(at: "${instant}") { debitsPosted creditsPosted balance }
        ${ACCOUNT} { balance(at: "${instant}") { debitsPosted creditsPosted balance } }`);
      expect([instant, account.balance, balances]).toEqual([instant, balancesAt(at), [balancesAt(at)]]);
    }
  });

  it("now are those that are kept, and in the end both are the same", async () => {
    const last = (posted.at(-1) as { at: Date }).at;
    const answer = await ask(`
      balances { code name debitsPosted creditsPosted balance debitsPending creditsPending }
      trialBalance(at: "${last.toISOString()}") { currency debits credits operatorBalance accounts { balance } }
      ${ACCOUNT} { code name normalSide balance { balance } }`);
    const { debitsPosted, creditsPosted, balance } = balancesAt(last);
    const named = { code: "MERCHANT_PAYABLE", name: "seller_7" };
    expect(answer).toEqual({
      balances: [{ ...named, debitsPosted, creditsPosted, balance, debitsPending: 0, creditsPending: 0 }],
      trialBalance: [
        {
          currency: "EUR",
          debits: debitsPosted,
          credits: creditsPosted,
          operatorBalance: balance,
          accounts: [{ balance }],
        },
      ],
      account: { ...named, normalSide: "CREDIT", balance: { balance } },
    });
  });

  it("of an instant that is not projected yet are an error that says through when they are", async () => {
    const { statementsCompleteThrough } = await ask("statementsCompleteThrough");
    // All is projected: nothing of more than 15 seconds ago can come any more.
    const behindMs = Date.now() - Date.parse(statementsCompleteThrough);
    expect(behindMs).toBeGreaterThanOrEqual(15_000);
    expect(behindMs).toBeLessThan(20_000);
    const soon = new Date(Date.now() + 60_000).toISOString();
    expect(errorOf(await ask(`balances(at: "${soon}") { balance }`))).toMatchObject({
      code: "NOT_PROJECTED",
    });
    expect(errorOf(await ask(`balances(at: "yesterday") { balance }`))).toEqual({ code: "BAD_USER_INPUT" });
  });

  it("wait for the projection: a batch that is not projected holds the instant back", async () => {
    const [before] = await database.owner`select batch, seq, at from ledger.projection where shard = 7`;
    await database.owner`
      update ledger.projection p set batch = b.number, seq = b.first_seq + b.count - 1, at = b.at
      from ledger.batch b where p.shard = 7 and b.shard = 7 and b.number = 100`;
    const [{ at }] = (await database.owner`select at from ledger.batch where shard = 7 and number = 100`) as [
      Answer,
    ];
    const { statementsCompleteThrough } = await ask("statementsCompleteThrough");
    expect(statementsCompleteThrough).toBe(new Date(at.getTime() - 1).toISOString());
    expect(errorOf(await ask(`balances(at: "${at.toISOString()}") { balance }`))).toEqual({
      code: "NOT_PROJECTED",
      projectedThrough: statementsCompleteThrough,
    });
    await database.owner`
      update ledger.projection set batch = ${before?.["batch"]}, seq = ${before?.["seq"]}, at = ${before?.["at"]}
      where shard = 7`;
  });
});

describe("a statement", () => {
  const page = async (args: string) =>
    (
      await ask(`${ACCOUNT} { statement(${args}) {
        nodes { side amount { amount } at balance { balance } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`)
    ).account.statement;
  const lines = (nodes: Answer[]) =>
    nodes.map(({ side, amount: { amount } }) => BigInt(side === "DEBIT" ? amount : -amount));

  it.each([1, 7, 100])("is the same in pages of %i, forwards and backwards", async (size) => {
    const newestFirst = posted.map(({ amount }) => amount).toReversed();
    const older: Answer[] = [];
    for (let after = ""; ; ) {
      const { nodes, pageInfo } = await page(`first: ${size}${after}`);
      expect(pageInfo.hasPreviousPage).toBe(older.length > 0);
      older.push(...nodes);
      if (!pageInfo.hasNextPage) break;
      after = `, after: "${pageInfo.endCursor}"`;
    }
    expect(lines(older)).toEqual(newestFirst);
    const newer: Answer[] = [];
    for (let before = ""; ; ) {
      const { nodes, pageInfo } = await page(`last: ${size}${before}`);
      expect(pageInfo.hasNextPage).toBe(newer.length > 0);
      newer.unshift(...nodes);
      if (!pageInfo.hasPreviousPage) break;
      before = `, before: "${pageInfo.startCursor}"`;
    }
    expect(newer).toEqual(older);
  });

  it("of a period has its lines and no others, and each line the balance after it", async () => {
    const [from, to] = [posted[40], posted[90]] as [{ at: Date }, { at: Date }];
    const period = `from: "${from.at.toISOString()}", to: "${to.at.toISOString()}"`;
    const expected = posted.filter(({ at }) => at >= from.at && at < to.at).map(({ amount }) => amount);
    const all = await page(`first: 100, ${period}`);
    expect(lines(all.nodes)).toEqual(expected.toReversed());
    expect(all.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false });
    expect(all.nodes[0].balance).toEqual({ balance: balancesAt(new Date(to.at.getTime() - 1)).balance });
    const { nodes, pageInfo } = await page(`last: 10, ${period}`);
    expect(lines(nodes)).toEqual(expected.toReversed().slice(-10));
    expect(pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const next = await page(
      `first: 10, after: "${all.nodes.length > 9 ? pageInfo.startCursor : ""}", ${period}`,
    );
    expect(lines(next.nodes)).toEqual(expected.toReversed().slice(-9));
    expect(next.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it.each([
    "first: 0",
    "first: 101",
    "first: 1, last: 1",
    'before: "x"',
    'after: "bm90IG91cnM"',
    'from: "2026"',
  ])("is refused for %s", async (args) => {
    expect(errorOf(await ask(`${ACCOUNT} { statement(${args}) { nodes { at } } }`))).toEqual({
      code: "BAD_USER_INPUT",
    });
  });

  it("is nobody else's", async () => {
    expect((await ask(`${ACCOUNT} { code }`, neighbour)).account).toBeNull();
    const mine = await createStatementReads(reader).account(
      merchant,
      { code: "merchant_payable", name: "seller_7" },
      "EUR",
    );
    const all = { limit: 100, cursor: null, direction: "older", from: null, to: null } as const;
    expect((await createStatementReads(reader).page(neighbour, mine as never, all)).lines).toEqual([]);
    const query = `{ _entities(representations: [{ __typename: "Merchant", id: "${merchant}" }]) { ... on Merchant { id } } }`;
    expect((await subgraph.run({ query }, as(neighbour))).data).toEqual({ _entities: [null] });
    expect(errorOf(await subgraph.run({ query }, as(merchant, "publishable")))).toEqual({
      code: "FORBIDDEN",
    });
  });

  it("reads its page and no more, at any depth", async () => {
    await addLines(50_000);
    for (const args of [
      "first: 20",
      'first: 20, after: "' + cursor(-25_000) + '"',
      "last: 20",
      'last: 20, before: "' + cursor(-25_000) + '"',
    ]) {
      expect((await page(args)).nodes).toHaveLength(20);
      expect(fetched, args).toBeLessThanOrEqual(23);
    }
    await ask(`balances(at: "${START.toISOString()}") { balance }`);
    expect(fetched).toBeLessThanOrEqual(2);
  });
});

const cursor = (seq: number) => Buffer.from(`line:${60_000 + seq}`).toString("base64url");

/** Lines after those that there are, as a busy account has them. */
async function addLines(count: number): Promise<void> {
  await database.owner`
    insert into ledger.statement_line
    select 10000 + n, account, amount, at, debits_posted, credits_posted, debits_pending, credits_pending, transfer,
           merchant, shard, kind, cause
    from (select * from ledger.statement_line where account = ${accountId(seller()).toString()}
          order by seq desc limit 1) last, generate_series(1, ${count}::int) n`;
}

describe("reconciliation", () => {
  const run = (from: string, to: string, context = as(neighbour)) =>
    subgraph.run(
      {
        query: `{ reconcileLedger(from: "${from}", to: "${to}") {
          differenceCount differences { check subject message } checks { name examined differenceCount } } }`,
      },
      context,
    );

  it("is of the caller's own books", async () => {
    const { data } = await run("2026-11-01T00:00:00Z", "2026-11-22T00:00:00Z");
    const report = (data as Answer).reconcileLedger;
    expect(report).toMatchObject({ differenceCount: 0, differences: [] });
    expect(report.checks[0]).toEqual({ name: "JOURNALS", examined: TRANSFERS / 4, differenceCount: 0 });
    await database.owner`
      update ledger.pending set remaining = 2 where transfer in (
        select id from ledger.transfer where credit = ${accountId(accountOf("merchant_payable", neighbour, "EUR")).toString()} limit 1)`;
    const found = (await run("2026-11-01T00:00:00Z", "2026-11-22T00:00:00Z")).data as Answer;
    expect(found.reconcileLedger).toMatchObject({
      differenceCount: 1,
      differences: [{ check: "PENDING", message: "its parts leave 1, and 2 is kept as pending" }],
    });
  });

  it("is for secret keys, of at most 31 days", async () => {
    const [from, to] = ["2026-11-01T00:00:00Z", "2026-11-22T00:00:00Z"];
    expect(errorOf(await run(from, to, as(neighbour, "publishable")))).toEqual({ code: "FORBIDDEN" });
    expect(errorOf(await run(to, from))).toEqual({ code: "BAD_USER_INPUT" });
    expect(errorOf(await run("2026-10-01T00:00:00Z", to))).toEqual({ code: "BAD_USER_INPUT" });
  });
});
