import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  authorizeAs,
  authorizeCommand,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { createTenantReader, type TenantReader } from "../../database/tenant-reader.ts";
import { type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { DEFAULT_POLICY, lowestUuid, suspectedEvent } from "../domain/duplicates.ts";
import { createDuplicates, type Duplicates } from "./duplicates.ts";

/** The database's part, with payments that are said to be of the same card by hand. */
let world: PaymentWorld;
let duplicates: Duplicates;
let reader: TenantReader;
let merchant: MerchantId;
let stranger: MerchantId;

beforeAll(async () => {
  world = await startPaymentWorld();
  reader = createTenantReader("tessera_payments", world.database.url, 1);
  duplicates = createDuplicates(world.database.url, reader);
  merchant = (await testMerchant(world.database.owner)).id;
  stranger = (await testMerchant(world.database.owner)).id;
});
afterAll(async () => {
  await Promise.all([duplicates.close(), reader.close()]);
  await world.stop();
});

let amounts = 100n;
let whats = 0;
const newWhat = () => String(++whats);
type Used = { readonly id: PaymentId; readonly at: Date };

/** An authorized payment, which is taken to be of `what`. */
async function used(what: string, options: { of?: MerchantId; state?: string } = {}): Promise<Used> {
  const { of = merchant, state } = options;
  const command = authorizeCommand(of, world.vault.tokenize(), { minor: ++amounts });
  const outcome = await authorizeAs(world.deps, command);
  if (outcome.kind !== "succeeded") throw new Error(outcome.kind);
  const { id, createdAt: at } = outcome.payment;
  await world.database.owner`
    insert into payments.card_use (shard, what, payment, merchant) values (7, ${what}, ${uuidOf(id)}, ${uuidOf(of)})`;
  if (state !== undefined)
    await world.database.owner`update payments.payment set state = ${state} where id = ${uuidOf(id)}`;
  return { id, at };
}
const among = async (what: string, asked: readonly Used[], windowMs = 600_000) => {
  const found = await duplicates.among(
    asked.map(({ id: payment, at }) => ({ merchant, payment, what, at, windowMs })),
  );
  return found.map(({ payment, earlier }) => [payment, earlier]);
};

describe("what is like a claimed payment", () => {
  it("is flagged on the later, whichever is asked for: they may be committed in any order", async () => {
    const what = newWhat();
    const [first, second, third] = [await used(what), await used(what), await used(what)];
    const pairs = [
      [second.id, first.id],
      [third.id, second.id],
    ];
    expect(await among(what, [second])).toEqual(pairs);
    expect(await among(what, [first])).toEqual([
      [second.id, first.id],
      [third.id, first.id],
    ]);
    expect(await among(what, [first, second, third])).toEqual(pairs);
  });

  it("is within the window, and the merchant's own", async () => {
    const what = newWhat();
    await used(what);
    await used(what, { of: stranger });
    await new Promise((resolve) => setTimeout(resolve, 40));
    const late = await used(what);
    expect(await among(what, [late], 20)).toEqual([]);
    expect(await among(what, [late])).toHaveLength(1);
    expect(await among(newWhat(), [late])).toEqual([]);
  });

  it.each(["declined", "failed", "voided", "expired", "refunded"])(
    "is not one that was %s",
    async (state) => {
      const what = newWhat();
      const [before, gone] = [await used(what), await used(what, { state })];
      const late = await used(what);
      expect(await among(what, [late])).toEqual([[late.id, before.id]]);
      expect(await among(what, [gone])).toEqual([]);
    },
  );

  it("is found behind many that took nothing, as far as is sensible", async () => {
    const what = newWhat();
    const first = await used(what);
    for (let time = 0; time < 12; time++) await used(what, { state: "declined" });
    const late = await used(what);
    expect(await among(what, [late])).toEqual([[late.id, first.id]]);
  });
});

it("a flag is set once, and announced with it", async () => {
  const what = newWhat();
  const [first, second, third] = [await used(what), await used(what), await used(what)];
  const flag = (earlier: Used) => {
    const about = { merchant, payment: third.id, amount: moneyOf(1n, "EUR") };
    return duplicates.flag(
      { merchant, payment: third.id, earlier: earlier.id },
      suspectedEvent(about, earlier.id, new Date()),
    );
  };
  expect([await flag(second), await flag(first)]).toEqual([true, false]);
  expect((await world.deps.reads.payment(merchant, third.id))?.terms.duplicateOf).toBe(second.id);
  const events = await world.database.owner`
    select o.body from payments.outbox o join payments.unpublished u using (shard, id)
    where o.payment = ${uuidOf(third.id)} and o.type = 'payment.duplicate_suspected.v1'`;
  expect(events.map(({ body }) => body as unknown)).toEqual([
    { payment: third.id, duplicateOf: second.id, amount: 1, currency: "EUR" },
  ]);
  expect(await among(what, [third])).toEqual([]);
});

it("the guard of a claim sees others, not itself", async () => {
  const what = newWhat();
  const [own, other] = [await used(what), await used(what, { of: stranger })];
  const guard = async (but: Used, since: Date) => {
    const [row] = await world.database.owner<{ has: boolean }[]>`
      select payments.has_other_use(7::smallint, ${uuidOf(merchant)}, ${what}, ${lowestUuid(since)}, ${uuidOf(but.id)}) as has`;
    return row?.has;
  };
  expect([await guard(own, own.at), await guard(other, own.at)]).toEqual([false, true]);
  expect(await guard(other, new Date(own.at.getTime() + 1))).toBe(false);
  await world.database.owner`update payments.payment set state = 'voided' where id = ${uuidOf(own.id)}`;
  expect(await guard(other, own.at)).toBe(false);
});

it("a merchant has a policy, or the default", async () => {
  expect(await duplicates.policy(merchant)).toEqual(DEFAULT_POLICY);
  const { id } = await testMerchant(world.database.owner);
  await world.database.owner`
    insert into payments.duplicate_policy (shard, merchant, window_minutes, refuse) values (7, ${uuidOf(id)}, 3, true)`;
  expect(await duplicates.policy(id)).toEqual({ windowMs: 180_000, refuse: true });
});

it("earlier payments of the same are read newest first, one's own only", async () => {
  const what = newWhat();
  const [first, second] = [await used(what), await used(what, { state: "voided" })];
  await used(what, { of: stranger });
  expect(await duplicates.since(merchant, what, first.at)).toEqual([
    { id: second.id, state: "voided" },
    { id: first.id, state: "authorized" },
  ]);
  expect(await duplicates.since(merchant, what, new Date(second.at.getTime() + 1))).toEqual([]);
});
