import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { createTenantReader, type TenantReader } from "../../database/tenant-reader.ts";
import { homeOf, type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { createRulesStore, type NewRules, type RulesStore } from "./rules-store.ts";

let database: TestDatabase;
let reader: TenantReader;
let writer: Sql;
let store: RulesStore;
const connect = (role: string, max = 2) =>
  postgres(database.url, { max, fetch_types: false, onnotice: () => {}, connection: { role } } as never);

beforeAll(async () => {
  database = await freshDatabase();
  reader = createTenantReader("tessera_payments", database.url, 2);
  writer = connect("tessera_routing");
  store = createRulesStore(reader, writer, ["stripe", "adyen"]);
});
afterAll(async () => {
  await Promise.all([reader.close(), writer.end()]);
  await database.drop();
});

const newMerchant = async (): Promise<MerchantId> => (await testMerchant(database.owner)).id;
let keys = 0;
const rulesOf = (merchant: MerchantId, over: Partial<NewRules> = {}): NewRules => ({
  merchant,
  expectedVersion: 0,
  idempotencyKey: `key-${++keys}`,
  text: "never adyen\n",
  providers: ["adyen"],
  actor: "a test",
  ...over,
});

describe("rules", () => {
  it("are none, then a version after the other, each of which stays", async () => {
    const merchant = await newMerchant();
    expect([await store.latest(merchant), await store.load(merchant, 0)]).toEqual([null, null]);
    expect(await store.store(rulesOf(merchant))).toEqual({ outcome: "stored", version: 1 });
    const second = rulesOf(merchant, { expectedVersion: 1, text: "", providers: [] });
    expect(await store.store(second)).toEqual({ outcome: "stored", version: 2 });
    expect(await store.latest(merchant)).toMatchObject({ version: 2, text: "", actor: "a test" });
    expect(await store.version(merchant, 1)).toMatchObject({ version: 1, text: "never adyen\n" });
    expect(await store.version(merchant, 3)).toBeNull();
    expect(await store.load(merchant, 1)).toMatchObject({ version: 2 });
    expect(await store.load(merchant, 2)).toBe("same");
  });

  it("are set by whoever has read the latest", async () => {
    const merchant = await newMerchant();
    expect(await store.store(rulesOf(merchant, { expectedVersion: 1 }))).toEqual({
      outcome: "version_conflict",
      version: 0,
    });
    await store.store(rulesOf(merchant));
    expect(await store.store(rulesOf(merchant))).toEqual({ outcome: "version_conflict", version: 1 });
  });

  it("are set once by a request that comes again, also after others", async () => {
    const merchant = await newMerchant();
    const request = rulesOf(merchant);
    await store.store(request);
    await store.store(rulesOf(merchant, { expectedVersion: 1 }));
    expect(await store.store(request)).toEqual({ outcome: "stored", version: 1 });
    const other = { ...request, text: "never stripe\n" };
    expect(await store.store(other)).toEqual({ outcome: "key_reused", version: 1 });
    expect(await store.store({ ...request, expectedVersion: 2 })).toEqual({
      outcome: "key_reused",
      version: 1,
    });
  });

  it("are set by one of many at once", async () => {
    const sql = connect("tessera_routing", 12);
    const wide = createRulesStore(reader, sql, []);
    for (let round = 0; round < 5; round++) {
      const merchant = await newMerchant();
      const same = rulesOf(merchant);
      const requests = [same, same, ...Array.from({ length: 10 }, () => rulesOf(merchant))];
      const outcomes = await Promise.all(requests.map(wide.store));
      const stored = outcomes.filter(({ outcome }) => outcome === "stored");
      expect([1, 2]).toContain(stored.length); // two, if the request that is there twice was the first
      expect(new Set(outcomes.map(({ version }) => version))).toEqual(new Set([1]));
      expect((await store.latest(merchant))?.version).toBe(1);
    }
    await sql.end();
  });

  it("are read also if they name a provider that has gone since", async () => {
    const merchant = await newMerchant();
    await store.store(rulesOf(merchant, { text: "prefer gone, stripe\n", providers: ["gone", "stripe"] }));
    expect((await store.latest(merchant))?.rules.rules[0]?.targets).toEqual(["gone", "stripe"]);
  });

  it("are the merchant's own, and nobody but the one function writes them", async () => {
    const [merchant, stranger] = [await newMerchant(), await newMerchant()];
    await store.store(rulesOf(merchant));
    const [rows] = await reader.read(stranger, {
      text: "select * from payments.routing_rules",
      parameters: [],
    });
    expect(rows).toEqual([]);
    const refused = { code: "42501" };
    await expect(writer.unsafe("select * from payments.routing_rules")).rejects.toMatchObject(refused);
    const statements = [
      "insert into payments.routing_rules select * from payments.routing_rules",
      "update payments.routing_rules set rules = rules",
      "delete from payments.routing_rules",
      "truncate payments.routing_rules",
    ];
    for (const role of ["tessera_routing", "tessera_payments", "tessera_committer", "tessera_recovery"]) {
      const sql = connect(role);
      for (const statement of statements)
        await expect(sql.unsafe(statement), `${role}: ${statement}`).rejects.toMatchObject(refused);
      if (role !== "tessera_routing")
        await expect(
          sql`select payments.set_routing_rules(${homeOf(merchant).shard}::smallint, ${uuidOf(merchant)}::uuid, 1, 'k', '', '[]', 'a')`,
          role,
        ).rejects.toMatchObject(refused);
      await sql.end();
    }
  });
});
