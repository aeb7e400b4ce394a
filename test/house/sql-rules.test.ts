import { describe, expect, it } from "vitest";
import { type RuleName, type Violation, violations } from "./sql/rules.ts";
import { codeStatements, migrationStatements, statementsInCode } from "./sql/sources.ts";
import { tablesAfter } from "./sql/tables.ts";
import { statementsOf } from "./sql/text.ts";

/** The rules that let one schema run on one machine and on many (docs/scaling.md) hold for all SQL of the product. */
type Exception = { readonly rule: RuleName; readonly place: string; readonly because: string };

const EXCEPTIONS: readonly Exception[] = [
  {
    rule: "hot-tables-have-one-index",
    place: "payments.operation",
    because: "a webhook finds its operation by its reference, for ever",
  },
  {
    rule: "shard-leads-the-key",
    place: "ledger.summarized",
    because: "says how far one node's index on time goes; nobody's data",
  },
  ...[
    ["payments.lease_unresolved", "a sweep over a node's unresolved operations"],
    ["payments.count_unresolved", "a gauge over a node's unresolved operations"],
    ["payments.forget_idempotency_keys", "a sweep over a node's old keys"],
    ["payments.claim_events", "the relay takes a node's oldest events, of whatever shard"],
    ["payments.overdue_authorizations", "a sweep over a node's open holds"],
    ["ledger.project_batches", "the projector takes the node's shards that are furthest behind"],
    ["ledger.summarize_new_transfers", "says how far one node's index on time goes"],
    [
      "subgraphs/ledger/audit/verify/database.ts",
      "the auditor reads all shards, or the one that it is asked for",
    ],
    [
      "subgraphs/ledger/reconcile/scope.ts",
      "a reconciliation is of all shards, or of those that it is asked for",
    ],
    ["merchants.changes_since", "a process asks what has changed lately, of whatever shard"],
    ["payments.method_changes_since", "a process asks what has changed lately, of whatever shard"],
    ["merchants.forget_changes", "a sweep over a node's old changes"],
    ["payments.forget_method_changes", "a sweep over a node's old changes"],
  ].map(([place = "", because = ""]): Exception => ({ rule: "statements-carry-shard", place, because })),
];

const isExcepted = ({ rule, place }: Violation) =>
  EXCEPTIONS.some((exception) => exception.rule === rule && exception.place === place);

describe("the product's SQL", () => {
  const migrations = migrationStatements();
  const code = codeStatements();
  const found = violations(migrations, code);

  it("keeps the rules, but for what is excepted", () => {
    expect(found.filter((one) => !isExcepted(one))).toEqual([]);
  });

  it("needs every exception", () => {
    const stale = EXCEPTIONS.filter(
      ({ rule, place }) => !found.some((one) => one.rule === rule && one.place === place),
    );
    expect(stale).toEqual([]);
  });

  it("is all seen", () => {
    // A parser that sees nothing finds nothing wrong with it.
    const tables = tablesAfter(migrations);
    expect(tables.size).toBeGreaterThan(20);
    expect(tables.get("ledger.transfer")?.primaryKey).toEqual(["shard", "id"]);
    expect([...tables.keys()].filter((name) => name.startsWith("ledger.old_"))).toEqual([]);
    expect(migrations.filter(({ inside }) => inside === "ledger.apply_batch").length).toBeGreaterThan(30);
    expect(code.length).toBeGreaterThan(40);
  });
});

const GOOD = `
  create table ledger.transfer (shard smallint not null, id uuid not null, at timestamptz, note text,
    primary key (shard, id)) with (fillfactor = 10);
  create table ledger.balance (shard smallint not null, id bigint not null, merchant uuid, primary key (shard, id));
  create index transfer_in_time on ledger.transfer using brin (at);
  create table ledger.cause (code smallint primary key, name text unique);
  create function ledger.post(p_shard smallint) returns void language plpgsql as $$
    -- pg_notify and a sequence's nextval( are only spoken of here
    begin
      perform 1 from ledger.balance b where b.shard = any (p_shards) for update;
      insert into ledger.transfer (shard, id, note) select x.shard, x.id, 'listen deferrable serial' from unnest(a, b) as x (shard, id);
      with part as (select x.shard, x.id from unnest(a, b) as x (shard, id))
      update ledger.balance b set id = 1 from part where b.shard = part.shard and b.id = part.id;
      return (select count(*) from ledger.transfer t join ledger.balance b on b.shard = t.shard where t.shard = p_shard);
    end $$;
`;

const found = (sql: string, ts = "") =>
  violations(statementsOf(sql, "1.sql"), statementsInCode(ts, "planted.ts")).map(({ rule }) => rule);
const inFunction = (statement: string) =>
  `${GOOD} create function planted() returns void language plpgsql as $body$ begin ${statement}; end $body$;`;
/** Beside good SQL, in a function unless it defines something. */
const planted = (sql: string) => (/^(create|alter) /.test(sql) ? GOOD + sql : inFunction(sql));

it("good SQL breaks no rule", () => {
  expect(
    found(GOOD, 'sql`select * from ledger.transfer where shard = ${shard} and id = ${id}`; "update it"'),
  ).toEqual([]);
});

describe("a planted violation is noticed:", () => {
  const PLANTED: readonly (readonly [RuleName, string])[] = [
    [
      "shard-leads-the-key",
      `create table risk.score (merchant uuid, shard smallint, primary key (merchant, shard));`,
    ],
    ["shard-leads-the-key", `create table risk.score (shard smallint, id uuid);`],
    ["shard-leads-the-key", `create table risk.score (id uuid primary key);`],
    ["shard-leads-the-key", "create table ledger.cause (code smallint primary key, merchant uuid);"],
    [
      "no-sequences",
      `create table a.b (shard smallint, n bigint generated always as identity, primary key (shard, n));`,
    ],
    ["no-sequences", `create table a.b (shard smallint, n bigserial, primary key (shard, n));`],
    ["no-sequences", `create sequence invoice_number;`],
    ["no-sequences", "v := nextval('invoice_number')"],
    ["no-advisory-locks", "perform pg_advisory_xact_lock(7)"],
    ["no-advisory-locks", "if pg_try_advisory_lock(7) then return; end if"],
    ["no-notifications", "perform pg_notify('outbox', '')"],
    ["no-notifications", "notify outbox"],
    [
      "no-deferrable-constraints",
      `alter table ledger.balance add foreign key (shard) references x deferrable initially deferred;`,
    ],
    ["no-two-phase-commit", "prepare transaction 'a'"],
    ["hot-tables-have-one-index", `create index planted on ledger.transfer (debit);`],
    [
      "hot-tables-have-one-index",
      `create unique index planted on ledger.balance using btree (shard, merchant);`,
    ],
    ["hot-tables-have-one-index", `alter table ledger.balance add unique (shard, merchant);`],
    [
      "hot-tables-have-one-index",
      "create table payments.outbox (shard smallint, id uuid unique, primary key (shard));",
    ],
    ["statements-carry-shard", "update ledger.balance set id = 1 where id = p_id"],
    ["statements-carry-shard", "delete from ledger.balance b where b.id = 1"],
    ["statements-carry-shard", "insert into ledger.transfer (id) values (1)"],
    ["statements-carry-shard", "perform 1 from ledger.transfer t join ledger.balance b on b.shard = t.shard"],
    [
      "statements-carry-shard",
      "perform 1 from ledger.transfer t, ledger.balance b where t.shard = 1 and b.id = 2",
    ],
    ["statements-carry-shard", "select t.shard, t.id from ledger.transfer t where t.id = 1"],
  ];

  it.each(PLANTED)("%s: %s", (rule, sql) => {
    expect(found(planted(sql))).toContain(rule);
  });

  it("in code that sends it", () => {
    const templates = "sql`select * from ledger.transfer where id = ${id}`; sql.unsafe('listen outbox')";
    expect(found(GOOD, templates)).toEqual(["no-notifications", "statements-carry-shard"]);
  });

  it("and nothing else in it", () => {
    for (const [rule, sql] of PLANTED) expect(new Set(found(planted(sql)))).toEqual(new Set([rule]));
  });

  it("but not in what a later migration has dropped", () => {
    const first = statementsOf(inFunction("perform pg_notify('a', 'b')"), "1.sql");
    const dropped = [...first, ...statementsOf("drop function planted();", "2.sql")];
    expect(violations(first, []).map(({ place }) => place)).toEqual(["planted"]);
    expect(violations(dropped, [])).toEqual([]);
    const table = statementsOf("create table a.b (id bigserial primary key);", "1.sql");
    expect(violations(table, []).map(({ rule }) => rule)).toEqual(["no-sequences", "shard-leads-the-key"]);
    const renamed = statementsOf("alter table a.b rename to old_b; drop table a.old_b, a.c;", "2.sql");
    expect(violations([...table, ...renamed], [])).toEqual([]);
  });
});
