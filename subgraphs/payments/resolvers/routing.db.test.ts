import { readFileSync } from "node:fs";
import { parse } from "graphql";
import pino from "pino";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { scalars } from "../../api/scalars.ts";
import { createSubgraph, type Subgraph } from "../../api/subgraph.ts";
import { createTenantReader, type TenantReader } from "../../database/tenant-reader.ts";
import { homeOf, type MerchantId, newId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import type { RoutingCandidate } from "../domain/routing/reason.ts";
import { storedReason } from "../domain/routing/stored-reason.ts";
import { openRouting, type Routing } from "../routing/open-routing.ts";
import { createProviders } from "../routing/router.ts";
import { sampleFacts, sampleProvider } from "../routing/samples.ts";
import { routingResolvers } from "./routing.ts";

/** The part of the schema that is about routing, with what it needs of the rest. */
const BASE = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  scalar DateTime
  scalar CurrencyCode
  interface UserError { message: String! }
  type IdempotencyKeyReused implements UserError { message: String! }
  type InvalidInput implements UserError { message: String! issues: [InputIssue!]! }
  type InputIssue { path: [String!]! code: String! message: String! }
`;
const PART = readFileSync(new URL("../schema.routing.graphql", import.meta.url), "utf8");

let database: TestDatabase;
let reader: TenantReader;
let writer: Sql;
let routing: Routing;
let subgraph: Subgraph;

beforeAll(async () => {
  database = await freshDatabase();
  reader = createTenantReader("tessera_payments", database.url, 2);
  writer = postgres(database.url, {
    max: 2,
    fetch_types: false,
    connection: { role: "tessera_routing" },
  } as never);
  const names = ["stripe", "adyen", "acquirer"];
  const providers = createProviders(names.map((name) => sampleProvider(name)));
  routing = openRouting(providers, { reader, writer, log: pino({ level: "silent" }) }, { random: () => 1 });
  const resolvers = { ...scalars, ...routingResolvers(routing) };
  subgraph = createSubgraph("routing", parse(BASE + PART), resolvers);
});
afterAll(async () => {
  await Promise.all([reader.close(), writer.end()]);
  await database.drop();
});

const newMerchant = async (): Promise<MerchantId> => (await testMerchant(database.owner)).id;
async function ask(
  merchant: MerchantId,
  query: string,
  variables = {},
  scope: "secret" | "publishable" = "secret",
) {
  const identity = { merchant, scope, requestId: "req", ip: null, country: null };
  const { data, errors } = await subgraph.run({ query, variables }, { identity });
  if (errors !== undefined) throw errors[0];
  return Object.values(data as Record<string, unknown>)[0] as Record<string, any>;
}

const SET = `mutation ($input: SetRoutingRulesInput!) { setRoutingRules(input: $input) {
  __typename
  ... on RoutingRules { version text actor rules { name text } }
  ... on UserError { message }
  ... on InvalidRules { errors { code message line column length shown } }
  ... on VersionConflict { version }
  ... on InvalidInput { issues { path code } } } }`;
let keys = 0;
const set = (merchant: MerchantId, rules: string, over = {}) =>
  ask(merchant, SET, { input: { rules, expectedVersion: 0, idempotencyKey: `key-${++keys}`, ...over } });

describe("routing rules", () => {
  it("are set, read, and count at once in this process", async () => {
    const merchant = await newMerchant();
    const facts = sampleFacts({ merchant });
    await routing.router.ready(merchant);
    expect(routing.router.choose(facts, []).reason.rulesVersion).toBe(0);
    const rules = '"mine":  never stripe, adyen if card.brand=="visa"';
    expect(await set(merchant, rules)).toMatchObject({
      __typename: "RoutingRules",
      version: 1,
      text: rules,
      actor: "secret key, request req",
      rules: [{ name: "mine", text: '"mine": never stripe, adyen if card.brand == "visa"' }],
    });
    await routing.router.ready(merchant);
    expect(routing.router.choose(facts, [])).toMatchObject({
      provider: "acquirer",
      reason: { rulesVersion: 1, rule: "mine" },
    });
    expect(await ask(merchant, "{ routingRules { version text } }")).toEqual({ version: 1, text: rules });
    expect(await ask(merchant, "{ routingRules(version: 7) { version } }")).toBeNull();
    expect(await ask(await newMerchant(), "{ routingRules { version } }")).toBeNull();
  });

  it("that are wrong are told with their place, and not set", async () => {
    const merchant = await newMerchant();
    const answer = await set(merchant, 'never adyen\nprefer strip if card.brnd == "visa"');
    expect(answer).toMatchObject({
      __typename: "InvalidRules",
      errors: [
        { code: "UNKNOWN_TARGET", line: 2, column: 8 },
        { code: "UNKNOWN_NAME", line: 2 },
      ],
    });
    expect(answer["errors"][0].shown).toContain("^^^^^");
    expect(await ask(merchant, "{ routingRules { version } }")).toBeNull();
  });

  it("tell of conflicts, reused keys, and input that cannot be taken", async () => {
    const merchant = await newMerchant();
    expect(await set(merchant, "", { expectedVersion: 4 })).toMatchObject({
      __typename: "VersionConflict",
      version: 0,
    });
    const idempotencyKey = "the-same";
    expect(await set(merchant, "never adyen", { idempotencyKey })).toMatchObject({ version: 1 });
    expect(await set(merchant, "never adyen", { idempotencyKey })).toMatchObject({ version: 1 });
    expect(await set(merchant, "", { idempotencyKey })).toMatchObject({ __typename: "IdempotencyKeyReused" });
    expect(await set(merchant, "", { idempotencyKey: "a b" })).toMatchObject({ __typename: "InvalidInput" });
    expect(await set(merchant, "# \u0000", {})).toMatchObject({ __typename: "InvalidInput" });
    await expect(set(merchant, "", { expectedVersion: -1 })).rejects.toThrow("begin at 1");
  });

  it("begin with a preset", async () => {
    const preset = await ask(await newMerchant(), "{ presetRoutingRules }");
    expect(preset).toContain("prefer stripe");
    expect(await set(await newMerchant(), preset as unknown as string)).toMatchObject({ version: 1 });
  });

  it("are for secret keys only", async () => {
    const merchant = await newMerchant();
    for (const query of [
      "{ routingRules { version } }",
      "{ presetRoutingRules }",
      "{ capabilities { provider } }",
    ])
      await expect(ask(merchant, query, {}, "publishable")).rejects.toMatchObject({
        extensions: { code: "FORBIDDEN" },
      });
  });
});

it("the capability matrix answers what is asked", async () => {
  const rows = await ask(
    await newMerchant(),
    '{ capabilities(method: "visa", country: "DE", currency: "EUR", operation: INCREMENT) { provider method currencies operations overCaptureBps } }',
  );
  expect((rows as unknown as { provider: string }[]).map(({ provider }) => provider)).toEqual([
    "stripe",
    "adyen",
    "acquirer",
  ]);
  expect(rows[0].operations).toContain("AUTHORIZE_WITHOUT_PAYER");
});

const BEGAN = Date.parse("2026-11-01T00:00:00Z");
const candidate = (provider: string, total: number): RoutingCandidate => ({
  provider,
  excluded: null,
  score: { success: total, latency: total, cost: total, total },
});

/** A payment as it stands in the books after its first attempt. */
async function paid(
  merchant: MerchantId,
  minute: number,
  over: { state?: string; amount?: bigint; brand?: string } = {},
) {
  const { state = "succeeded", amount = 100_000n, brand = "visa" } = over;
  const at = new Date(BEGAN + minute * 60_000);
  const [shard, own] = [homeOf(merchant).shard, uuidOf(merchant)];
  const payment: PaymentId = newId("pay", homeOf(merchant), at);
  const id = uuidOf(payment);
  const { card } = sampleFacts({ brand });
  const routingColumn = storedReason({
    because: "best_score",
    rule: null,
    rulesVersion: 0,
    cardCountry: "DE",
    payerCountry: "AT",
    candidates: [
      candidate("stripe", 1),
      candidate("adyen", 0.9),
      { provider: "acquirer", excluded: "rule_never", score: null },
    ],
  });
  const sql = database.owner;
  await sql`insert into payments.payment (shard, merchant, id, version, state, amount, currency, capture_method, authorized,
      captured, capturing, refunded, refunding, finalized, closing, fee, provider, created_at, updated_at, in_review,
      over_capturable, incrementing, holds, attempt)
    values (${shard}, ${own}, ${id}, 1, 'authorized', ${amount.toString()}::bigint, 'EUR', 'automatic', ${amount.toString()}::bigint, 0,
      0, 0, 0, false, false, 0, 'stripe', ${at}, ${at}, false, 0, 0, '[]', 0)`;
  await sql`insert into payments.payment_terms (shard, merchant, id, card)
    values (${shard}, ${own}, ${id}, ${JSON.stringify(card)}::text::jsonb)`;
  const operation = uuidOf(newId("op", homeOf(merchant), at));
  await sql`insert into payments.operation (shard, merchant, payment, id, kind, state, amount, final, attempt, reference,
      claimed_at, provider, routing)
    values (${shard}, ${own}, ${id}, ${operation}, 'authorize', ${state}, ${amount.toString()}::bigint, false, 0, ${operation}, ${at},
      'stripe', ${JSON.stringify(routingColumn)}::text::jsonb)`;
  return payment;
}

const SIMULATE = `query ($rules: String!, $from: DateTime!, $to: DateTime!, $first: Int! = 1000) {
  simulateRouting(rules: $rules, from: $from, to: $to, first: $first) {
    __typename
    ... on RoutingSimulation {
      replayed complete lastPayment moved movedTo { provider payments } unroutable
      costDifferences { amount currency formatted }
      examples { payment from to costDifference { amount } } }
    ... on InvalidRules { errors { line } } } }`;
const simulate = (merchant: MerchantId, rules: string, over: object = {}) =>
  ask(merchant, SIMULATE, { rules, from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z", ...over });

describe("a simulation", () => {
  let merchant: MerchantId;
  const payments: PaymentId[] = [];
  beforeAll(async () => {
    merchant = await newMerchant();
    await paid(await newMerchant(), 1);
    for (let minute = 0; minute < 10; minute++)
      payments.push(
        await paid(merchant, minute, {
          state: minute === 9 ? "declined" : "succeeded",
          brand: minute < 4 ? "mastercard" : "visa",
        }),
      );
  });

  it("of the same rules moves nobody", async () => {
    expect(await simulate(merchant, "never acquirer")).toEqual({
      __typename: "RoutingSimulation",
      replayed: 10,
      complete: true,
      lastPayment: payments[9],
      moved: 0,
      movedTo: [],
      unroutable: 0,
      costDifferences: [],
      examples: [],
    });
  });

  it("tells who would have gone where, and what that costs", async () => {
    const rules = 'never acquirer\n"m": prefer adyen if card.brand == "mastercard" and payer.country == "AT"';
    const answer = await simulate(merchant, rules);
    // Of 1000.00 EUR stripe takes 7.00 + 0.10 and adyen 4.00 + 0.11 above what both take.
    expect(answer).toMatchObject({
      moved: 4,
      movedTo: [{ provider: "adyen", payments: 4 }],
      costDifferences: [{ amount: 4 * -299, currency: "EUR", formatted: "-11.96 EUR" }],
    });
    expect(answer["examples"]).toHaveLength(4);
    expect(answer["examples"][0]).toEqual({
      payment: payments[0],
      from: "stripe",
      to: "adyen",
      costDifference: { amount: -299 },
    });
  });

  it("counts no cost for what did not succeed", async () => {
    const answer = await simulate(merchant, "only adyen", { from: "2026-11-01T00:09:00Z" });
    expect(answer).toMatchObject({ replayed: 1, moved: 1, costDifferences: [{ amount: 0 }] });
  });

  it("tells of payments that nobody could have taken", async () => {
    const answer = await simulate(merchant, "never stripe, adyen, acquirer");
    expect(answer).toMatchObject({
      moved: 0,
      unroutable: 10,
      examples: expect.arrayContaining([expect.objectContaining({ to: null })]),
    });
  });

  it("is bounded by time and number, and says whether it saw all", async () => {
    const range = { from: "2026-11-01T00:02:00Z", to: "2026-11-01T00:05:00Z" };
    expect(await simulate(merchant, "", range)).toMatchObject({
      replayed: 3,
      complete: true,
      lastPayment: payments[4],
    });
    expect(await simulate(merchant, "", { ...range, first: 2 })).toMatchObject({
      replayed: 2,
      complete: false,
      lastPayment: payments[3],
    });
  });

  it("takes a payment that went on to another provider for what its first attempt was", async () => {
    const own = await newMerchant();
    const payment = await paid(own, 1, { state: "failed" });
    await database.owner`
      insert into payments.operation (shard, merchant, payment, id, kind, state, amount, final, attempt, reference, claimed_at,
        provider, routing)
      select shard, merchant, payment, ${uuidOf(newId("op", homeOf(own), new Date()))}, kind, 'succeeded', amount, final, 1,
        'another', now(), 'adyen', routing
      from payments.operation where payment = ${uuidOf(payment)}`;
    expect(await simulate(own, "only acquirer")).toMatchObject({
      replayed: 1,
      examples: [{ payment, from: "stripe", to: "acquirer", costDifference: { amount: 0 } }],
    });
  });

  it("sees nothing of others", async () => {
    expect(await simulate(await newMerchant(), "")).toMatchObject({ replayed: 0, lastPayment: null });
  });

  it("tells what it cannot take", async () => {
    expect(await simulate(merchant, "prefer")).toMatchObject({
      __typename: "InvalidRules",
      errors: [{ line: 1 }],
    });
    await expect(simulate(merchant, "", { first: 10_001 })).rejects.toThrow("10000");
    await expect(simulate(merchant, "", { from: "yesterday" })).rejects.toThrow("ISO 8601");
    await expect(simulate(merchant, "", { from: "2026-11-03T00:00:00Z" })).rejects.toThrow("lies before");
  });
});
