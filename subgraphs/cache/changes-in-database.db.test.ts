import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../test/support/database.ts";
import { connectAs } from "../database/pool.ts";
import { type MerchantId, uuidOf } from "../kernel/ids.ts";
import { createChangeFeed } from "./change-feed.ts";
import { changesInDatabase } from "./changes-in-database.ts";

let database: TestDatabase;
let reader: ReturnType<typeof connectAs>;
let merchants: MerchantId[];

beforeAll(async () => {
  database = await freshDatabase();
  reader = connectAs("tessera_merchants", database.url, { connections: 2 });
});
beforeEach(async () => {
  merchants = await Promise.all([1, 2, 3].map(async () => (await testMerchant(database.owner)).id));
});
afterAll(async () => {
  await reader.end();
  await database.drop();
});

const KEPT_MS = 60_000;

function listen() {
  const heard: string[] = [];
  const feed = createChangeFeed({
    ...changesInDatabase(reader, "merchants", KEPT_MS),
    onChange: ({ merchant }) => heard.push(merchant),
    onTooMany: () => heard.push("too many"),
  });
  return { heard, feed };
}

const rename = (sql: typeof database.owner, merchant: MerchantId | undefined) =>
  sql`update merchants.merchant set name = name || '.' where id = ${uuidOf(merchant as MerchantId)}`;

it("hears once of what was changed, by whatever statement", async () => {
  const { feed, heard } = listen();
  await feed.poll();
  heard.length = 0;
  await rename(database.owner, merchants[0]);
  await feed.poll();
  await feed.poll();
  expect(heard).toEqual([uuidOf(merchants[0] as MerchantId)]);
  await rename(database.owner, merchants[0]);
  await feed.poll();
  expect(heard.length).toBe(2);
});

it("hears of a change that commits after younger ones", async () => {
  const { feed, heard } = listen();
  await feed.poll();
  heard.length = 0;
  const [slow, quick, third] = merchants;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let changed = () => {};
  const hasChanged = new Promise<void>((resolve) => {
    changed = resolve;
  });
  const transaction = database.owner.begin(async (sql) => {
    await rename(sql as unknown as typeof database.owner, slow);
    changed();
    await held;
  });
  await hasChanged;
  await rename(database.owner, quick);
  await feed.poll();
  await rename(database.owner, third);
  await feed.poll();
  expect(heard).toEqual([quick, third].map((merchant) => uuidOf(merchant as MerchantId)));
  release();
  await transaction;
  await feed.poll();
  expect(heard.slice(2)).toEqual([uuidOf(slow as MerchantId)]);
});

it("what is rolled back was no change", async () => {
  const { feed, heard } = listen();
  await feed.poll();
  heard.length = 0;
  const transaction = database.owner.begin(async (sql) => {
    await rename(sql as unknown as typeof database.owner, merchants[0]);
    throw new Error("roll back");
  });
  await expect(transaction).rejects.toThrow("roll back");
  await feed.poll();
  expect(heard).toEqual([]);
});

it("at its start hears of what others may still keep, and of nothing older", async () => {
  await rename(database.owner, merchants[0]);
  await rename(database.owner, merchants[1]);
  await database.owner`
    update merchants.change set changed_at = now() - interval '1 hour'
    where merchant = ${uuidOf(merchants[1] as MerchantId)}`;
  const { feed, heard } = listen();
  await feed.poll();
  expect(heard).toContain(uuidOf(merchants[0] as MerchantId));
  expect(heard).not.toContain(uuidOf(merchants[1] as MerchantId));
});

it("forgets what is old, and only that", async () => {
  await rename(database.owner, merchants[0]);
  await rename(database.owner, merchants[1]);
  await database.owner`
    update merchants.change set changed_at = now() - interval '25 hours'
    where merchant = ${uuidOf(merchants[1] as MerchantId)}`;
  await changesInDatabase(reader, "merchants", KEPT_MS).prune();
  const left = await database.owner`select merchant from merchants.change`;
  const ids = left.map((row) => row["merchant"]);
  expect(ids).toContain(uuidOf(merchants[0] as MerchantId));
  expect(ids).not.toContain(uuidOf(merchants[1] as MerchantId));
});

it("its reader sees whose things have changed, and not the table", async () => {
  await expect(reader.unsafe("select * from merchants.change")).rejects.toMatchObject({ code: "42501" });
});
