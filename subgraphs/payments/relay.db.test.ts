import pino from "pino";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../test/support/database.ts";
import { systemClock } from "../kernel/clock.ts";
import { type MerchantId, newId, uuidOf } from "../kernel/ids.ts";
import { createMerchants, type Merchants } from "../merchants/profile.ts";
import { consumeEvents } from "../settlement/consume.ts";
import { createRelay, type Relay } from "./relay.ts";

let database: TestDatabase;
let merchants: Merchants;
let merchant: MerchantId;
let relays: Relay[];
const log = pino({ level: "silent" });
const HOME = { region: 1, shard: 7 };

beforeAll(async () => {
  database = await freshDatabase();
  merchants = createMerchants({ url: database.url, clock: systemClock });
  merchant = (await testMerchant(database.owner)).id;
  relays = [0, 1].map(() =>
    createRelay({ url: database.url, log, consume: (sql, events) => consumeEvents(sql, merchants, events) }),
  );
});
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await merchants.close();
  await database.drop();
});
beforeEach(() => database.owner`truncate payments.outbox, payments.unpublished, settlement.item`);

async function captured(
  sql: TestDatabase["owner"] = database.owner,
  id = newId("evt", HOME, new Date()),
): Promise<void> {
  const payment = newId("pay", HOME, new Date());
  const body = { payment, currency: "EUR", amount: 1_000, fee: 59, final: true };
  await sql`
    with waiting as (insert into payments.unpublished (shard, id) values (7, ${uuidOf(id)}))
    insert into payments.outbox (shard, merchant, id, type, payment, body, created_at)
    values (7, ${uuidOf(merchant)}, ${uuidOf(id)}, 'payment.captured.v1', ${uuidOf(payment)},
            ${JSON.stringify(body)}::text::jsonb, now())`;
}

const items = async () => Number((await database.owner`select count(*) from settlement.item`)[0]?.["count"]);
const waiting = async () =>
  Number((await database.owner`select count(*) from payments.unpublished`)[0]?.["count"]);

it("moves every event once, also with two relays at work", async () => {
  for (let i = 0; i < 60; i++) await captured();
  await Promise.all(relays.flatMap((relay) => [relay.pump(), relay.pump()]));
  expect([await items(), await waiting()]).toEqual([60, 0]);
});

it("does not lose an event that becomes visible after one with a later id", async () => {
  const slow = postgres(database.url, { max: 1, types: { bigint: postgres.BigInt } });
  const early = newId("evt", HOME, new Date(Date.now() - 60_000));
  let commit: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    commit = resolve;
  });
  const inserted = Promise.withResolvers<void>();
  const transaction = slow.begin(async (sql) => {
    await captured(sql as never, early);
    inserted.resolve();
    await held;
  });
  await inserted.promise;
  await captured();
  await relays[0]?.pump();
  expect(await items()).toBe(1);
  commit();
  await transaction;
  await relays[0]?.pump();
  expect([await items(), await waiting()]).toEqual([2, 0]);
  await slow.end();
});

it("a consumer that fails leaves everything as it was", async () => {
  await captured();
  const failing = createRelay({
    url: database.url,
    log,
    consume: async (sql, events) => {
      await consumeEvents(sql, merchants, events);
      throw new Error("after having written");
    },
  });
  await expect(failing.pump()).rejects.toThrow("after having written");
  expect([await items(), await waiting()]).toEqual([0, 1]);
  await failing.stop();
  await relays[0]?.pump();
  expect([await items(), await waiting()]).toEqual([1, 0]);
});

it("an event that is delivered again changes nothing", async () => {
  await captured();
  await relays[0]?.pump();
  await database.owner`insert into payments.unpublished (shard, id) select shard, id from payments.outbox`;
  await relays[1]?.pump();
  expect([await items(), await waiting()]).toEqual([1, 0]);
});
