import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  authorizeAs,
  authorizeCommand,
  newKey,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { createTenantReader } from "../../database/tenant-reader.ts";
import { type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { Payment } from "../domain/payment.ts";
import { createDuplicates } from "../sql/duplicates.ts";
import type { PaymentDeps } from "./deps.ts";
import { type DuplicateWatch, watchDuplicates } from "./duplicates.ts";
import { followUp } from "./follow-up.ts";
import type { Outcome } from "./outcome.ts";

type Watching = PaymentDeps & { readonly duplicates: DuplicateWatch };

/** Duplicates through the flows: real commits, one database, and processes that know nothing of each other's memory. */
let world: PaymentWorld;
let merchant: MerchantId;
let here: Watching;
let another: Watching;
let careful: MerchantId;
const DECLINED = "4000000000000002";

const closing: (() => Promise<unknown>)[] = [];

function watching(deps: PaymentDeps): Watching {
  const reader = createTenantReader("tessera_payments", world.database.url, 2);
  const found = createDuplicates(world.database.url, reader);
  const { reads, clock, log } = deps;
  const duplicates = watchDuplicates({ duplicates: found, reads, clock, log });
  closing.push(async () => {
    await duplicates.stop();
    await Promise.all([found.close(), reader.close()]);
  });
  return { ...deps, duplicates };
}

beforeAll(async () => {
  world = await startPaymentWorld();
  here = watching(world.deps);
  another = watching(world.another());
  merchant = (await testMerchant(world.database.owner)).id;
  careful = (await testMerchant(world.database.owner)).id;
  await world.database.owner`
    insert into payments.duplicate_policy (shard, merchant, refuse) values (7, ${uuidOf(careful)}, true)`;
});
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  await world.stop();
});

let amounts = 1_000n;
const newAmount = () => ++amounts;
const pay = (
  minor: bigint,
  options: { deps?: Watching; of?: MerchantId; number?: string; key?: string } = {},
) => {
  const { deps = here, of = merchant, number, key = newKey() } = options;
  return authorizeAs(deps, authorizeCommand(of, world.vault.tokenize(number), { minor, key }));
};
function paymentOf(outcome: Outcome): Payment {
  if ("payment" in outcome) return outcome.payment;
  throw new Error(`no payment: ${outcome.kind}`);
}
const stored = async (id: PaymentId, of = merchant) => (await here.reads.payment(of, id))?.terms.duplicateOf;
const announced = async (id: PaymentId) =>
  world.database.owner<{ body: { duplicateOf: string; payment: string } }[]>`
    select body from payments.outbox o join payments.unpublished u using (shard, id)
    where o.payment = ${uuidOf(id)} and type = 'payment.duplicate_suspected.v1'`;
const figure = (deps: Watching, name: string) => deps.duplicates.figures()[`tessera_duplicates_${name}`] ?? 0;
async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean, ms = 1_000): Promise<T> {
  for (const end = Date.now() + ms; ; ) {
    const value = await read();
    if (holds(value) || Date.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the same card, amount and merchant under another key", () => {
  it("is flagged on the payment, announced and counted", async () => {
    const minor = newAmount();
    const before = figure(here, "suspected_total");
    const first = paymentOf(await pay(minor));
    const second = paymentOf(await pay(minor));
    expect([first.terms.duplicateOf, second.terms.duplicateOf]).toEqual([null, first.id]);
    expect(await stored(second.id)).toBe(first.id);
    expect(await announced(second.id)).toMatchObject([
      { body: { payment: second.id, duplicateOf: first.id } },
    ]);
    expect(await announced(first.id)).toEqual([]);
    expect(figure(here, "suspected_total")).toBe(before + 1);
  });

  it("is none under the same key", async () => {
    const minor = newAmount();
    const key = newKey();
    const token = world.vault.tokenize();
    const command = authorizeCommand(merchant, token, { minor, key });
    const outcomes = [await authorizeAs(here, command), await authorizeAs(another, command)];
    const [first, second] = outcomes.map((outcome) => paymentOf(outcome));
    expect(second?.id).toBe(first?.id);
    await Promise.all([here.duplicates.sweep(), another.duplicates.sweep()]);
    expect(await stored(first?.id as PaymentId)).toBeNull();
  });

  it("is none of another card, amount or merchant", async () => {
    const minor = newAmount();
    await pay(minor);
    const others = [
      await pay(newAmount()),
      await pay(minor, { number: "5555555555554444" }),
      await pay(minor, { of: (await testMerchant(world.database.owner)).id }),
    ];
    await here.duplicates.sweep();
    expect(others.map((outcome) => paymentOf(outcome).terms.duplicateOf)).toEqual([null, null, null]);
  });

  it("is none of a payment that was declined, or taken back", async () => {
    const [declined, voided] = [newAmount(), newAmount()];
    expect((await pay(declined, { number: DECLINED })).kind).toBe("declined");
    const taken = paymentOf(await pay(voided));
    await followUp(here, "void", {
      merchant,
      key: newKey(),
      payment: taken.id,
      amount: null,
      final: true,
    });
    const again = [
      await pay(declined, { number: DECLINED }),
      await pay(voided),
      await pay(voided, { deps: another }),
    ];
    await Promise.all([here.duplicates.sweep(), another.duplicates.sweep()]);
    const [first, second, third] = await Promise.all(again.map((outcome) => stored(paymentOf(outcome).id)));
    expect([first, second, third]).toEqual([null, null, paymentOf(again[1] as Outcome).id]);
  });

  it("is flagged within a second where two processes claim it at the same moment, once", async () => {
    for (let time = 0; time < 5; time++) {
      const minor = newAmount();
      const outcomes = await Promise.all([pay(minor), pay(minor, { deps: another })]);
      const ids = outcomes.map((outcome) => paymentOf(outcome).id).toSorted() as [PaymentId, PaymentId];
      const flags = await until(
        () => Promise.all(ids.map((id) => stored(id))),
        (all) => all.some((flag) => flag !== null),
      );
      expect(flags).toEqual([null, ids[0]]);
      await Promise.all([here.duplicates.sweep(), another.duplicates.sweep()]);
      expect([(await announced(ids[0])).length, (await announced(ids[1])).length]).toEqual([0, 1]);
    }
  });
});

describe("a merchant who refuses duplicates", () => {
  it("has them declined before anything is sent, for what they are", async () => {
    const minor = newAmount();
    const first = paymentOf(await pay(minor, { of: careful }));
    const key = newKey();
    const second = await pay(minor, { of: careful, deps: another, key });
    expect(second).toMatchObject({ kind: "declined", decline: { code: "duplicate_payment" } });
    const refused = paymentOf(second);
    expect(refused.terms.duplicateOf).toBe(first.id);
    expect((await world.sandbox.book({ metadata: { tessera_payment: refused.id } })).movements).toEqual([]);
    const [assessment] = await world.database.owner`
      select decision, reasons from risk.assessment where payment = ${uuidOf(refused.id)}`;
    expect(assessment).toMatchObject({ decision: "block", reasons: [{ rule: "duplicate" }] });
    expect(figure(another, "refused_total")).toBe(1);
  });

  it("has one of many at the same moment, in whatever processes", async () => {
    for (let time = 0; time < 4; time++) {
      const minor = newAmount();
      const outcomes = await Promise.all(
        [here, another, here, another, here, another].map((deps) => pay(minor, { of: careful, deps })),
      );
      expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual([
        ...Array(5).fill("declined"),
        "succeeded",
      ]);
      expect(
        new Set(outcomes.flatMap((outcome) => ("decline" in outcome ? [outcome.decline.code] : []))),
      ).toEqual(new Set(["duplicate_payment"]));
    }
  });

  it("has the next after one that failed", async () => {
    const minor = newAmount();
    expect((await pay(minor, { of: careful, number: DECLINED })).kind).toBe("declined");
    const again = await pay(minor, { of: careful, number: DECLINED });
    expect(again).toMatchObject({ kind: "declined", decline: { code: "generic_decline" } });
  });

  it("is told of the one that was taken behind many that were not", async () => {
    const minor = newAmount();
    const first = paymentOf(await pay(minor, { of: careful }));
    const [row] = await world.database.owner<{ what: string }[]>`
      select what::text as what from payments.card_use where payment = ${uuidOf(first.id)}`;
    for (let time = 0; time < 30; time++) {
      const declined = paymentOf(await pay(newAmount(), { of: careful, number: DECLINED }));
      await world.database.owner`
        update payments.card_use set what = ${row?.what ?? ""} where payment = ${uuidOf(declined.id)}`;
    }
    const again = await pay(minor, { of: careful, deps: another });
    expect(again).toMatchObject({ kind: "declined", payment: { terms: { duplicateOf: first.id } } });
  });

  it("gets the first answer under the same key, also when that was a refusal", async () => {
    const minor = newAmount();
    const [token, first, second] = [world.vault.tokenize(), newKey(), newKey()];
    const command = (key: string) => authorizeCommand(careful, token, { minor, key });
    const paid = await authorizeAs(here, command(first));
    const refused = await authorizeAs(here, command(second));
    expect(await authorizeAs(another, command(first))).toMatchObject({
      kind: "succeeded",
      payment: { id: paymentOf(paid).id },
    });
    expect(await authorizeAs(another, command(second))).toMatchObject({
      kind: "declined",
      payment: { id: paymentOf(refused).id },
      decline: { code: "duplicate_payment" },
    });
  });
});

describe("what is kept", () => {
  it("is forgotten once no merchant of the shard asks for it", async () => {
    const owner = world.database.owner;
    const age = async (shard: number, minutes: number) => {
      const [row] = await owner<{ payment: string }[]>`
        insert into payments.card_use (shard, what, payment, merchant)
        values (${shard}, 1, uuidv7(make_interval(mins => ${-minutes})), gen_random_uuid()) returning payment`;
      return row?.payment ?? "";
    };
    await owner`insert into payments.duplicate_policy (shard, merchant, window_minutes) values (200, gen_random_uuid(), 30)`;
    const rows = [
      await age(200, 29),
      await age(200, 31),
      await age(201, 9),
      await age(201, 11),
      await age(202, 11),
    ];
    const forgotten = await owner`select payments.forget_card_uses('{200,201}') as count`;
    const left = await owner<{ payment: string }[]>`
      select payment from payments.card_use where payment = any (${rows}::uuid[]) order by payment`;
    expect(Number(forgotten[0]?.["count"])).toBe(2);
    expect(left.map(({ payment }) => payment).toSorted()).toEqual([rows[0], rows[2], rows[4]].toSorted());
  });

  it("is a merchant's own", async () => {
    const minor = newAmount();
    const of = (await testMerchant(world.database.owner)).id;
    await pay(minor, { of });
    const seen = await world.database.owner.begin(async (sql) => {
      await sql`set local role tessera_payments`;
      await sql`select set_config('tessera.merchant', ${uuidOf(merchant)}, true)`;
      return sql`select distinct merchant from payments.card_use`;
    });
    expect(seen.map((row) => row["merchant"])).toEqual([uuidOf(merchant)]);
    await expect(
      world.database.owner.begin(async (sql) => {
        await sql`set local role tessera_payments`;
        return sql`delete from payments.card_use`;
      }),
    ).rejects.toThrow("permission denied");
  });

  it("is next to nothing of an agreed payment, and of one that was refused", async () => {
    const minor = newAmount();
    await pay(minor, { of: careful });
    await pay(minor, { of: careful });
    const amount = moneyOf(minor, "EUR");
    const rows = await world.database.owner`
      select c.payment from payments.card_use c join payments.payment p on p.shard = c.shard and p.id = c.payment
      where p.merchant = ${uuidOf(careful)} and p.amount = ${amount.minor.toString()}`;
    expect(rows).toHaveLength(1);
  });
});
