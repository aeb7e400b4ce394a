import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../test/support/database.ts";
import { type MerchantId, uuidOf } from "../kernel/ids.ts";
import { createTenantReader, type TenantReader } from "./tenant-reader.ts";

let database: TestDatabase;
let reader: TenantReader;
let merchants: MerchantId[];

beforeAll(async () => {
  database = await freshDatabase();
  // One lane only: all reads share a connection, and must still not share a merchant.
  reader = createTenantReader("tessera_merchants", database.url, 1);
  merchants = await Promise.all(
    Array.from({ length: 20 }, async () => (await testMerchant(database.owner)).id),
  );
});
afterAll(async () => {
  await reader.close();
  await database.drop();
});

const everything = { text: "select id from merchants.merchant", parameters: [] };
const broken = { text: "select 1 / $1::int", parameters: [0] };

it("reads of many merchants at once on one connection each see their own rows", async () => {
  const reads = Array.from({ length: 400 }, async (_, i) => {
    const merchant = merchants[i % merchants.length] as MerchantId;
    const [first, second] = await reader.read(merchant, everything, everything);
    expect([first, second]).toEqual([[{ id: uuidOf(merchant) }], [{ id: uuidOf(merchant) }]]);
  });
  await Promise.all(reads);
});

it("a read that fails spoils no other one", async () => {
  const [one, other] = merchants as [MerchantId, MerchantId];
  const results = await Promise.allSettled([
    reader.read(one, everything),
    reader.read(other, broken),
    reader.read(one, broken, everything),
    reader.read(other, everything),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect((results[3] as PromiseFulfilledResult<unknown[]>).value).toEqual([[{ id: uuidOf(other) }]]);
});

it("sees one state of the database in all queries of a read", async () => {
  const [merchant] = merchants as [MerchantId];
  const names = "select name, pg_sleep($1) from merchants.merchant";
  const reading = reader.read(merchant, { text: names, parameters: [0.3] }, { text: names, parameters: [0] });
  await new Promise((resolve) => setTimeout(resolve, 150));
  await database.owner`update merchants.merchant set name = 'Renamed' where id = ${uuidOf(merchant)}`;
  const [first, second] = await reading;
  expect(second?.[0]?.["name"]).toBe(first?.[0]?.["name"]);
});

it("cannot write", async () => {
  const write = { text: "update merchants.merchant set name = 'x'", parameters: [] };
  await expect(reader.read(merchants[0] as MerchantId, write)).rejects.toMatchObject({
    code: expect.stringMatching(/^(25006|42501)$/),
  });
});
