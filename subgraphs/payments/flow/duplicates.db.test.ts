import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  authorizeAs,
  authorizeCommand,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { createTenantReader } from "../../database/tenant-reader.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { createDuplicates } from "../sql/duplicates.ts";
import type { PaymentDeps } from "./deps.ts";
import { type DuplicateWatch, watchDuplicates } from "./duplicates.ts";

/** Duplicates in the flow: flagged by default, refused before anything is sent where the merchant wants that. */
let world: PaymentWorld;
let here: PaymentDeps;
let elsewhere: PaymentDeps;
const closing: (() => Promise<unknown>)[] = [];

function watching(deps: PaymentDeps): PaymentDeps & { duplicates: DuplicateWatch } {
  const reader = createTenantReader("tessera_payments", world.database.url, 2);
  const found = createDuplicates(world.database.url, reader);
  const { reads, clock, log } = deps;
  const duplicates = watchDuplicates({ duplicates: found, reads, clock, log });
  closing.push(
    () => duplicates.stop(),
    () => found.close(),
    () => reader.close(),
  );
  return { ...deps, duplicates };
}

beforeAll(async () => {
  world = await startPaymentWorld();
  here = watching(world.deps);
  elsewhere = watching(world.another());
});
afterAll(async () => {
  for (const close of closing) await close();
  await world.stop();
});

const merchantWho = async (refuses: boolean): Promise<MerchantId> => {
  const { id } = await testMerchant(world.database.owner);
  if (refuses)
    await world.database.owner`
      insert into payments.duplicate_policy (shard, merchant, refuse)
      select shard, id, true from merchants.merchant where id = ${uuidOf(id)}`;
  return id;
};
const pay = (deps: PaymentDeps, merchant: MerchantId, minor = 7_700n) =>
  authorizeAs(deps, authorizeCommand(merchant, world.vault.tokenize(), { minor }));
const flags = async (merchant: MerchantId) => {
  const rows = await world.database.owner`
    select duplicate_of from payments.payment_terms where merchant = ${uuidOf(merchant)} order by id`;
  return rows.map((row) => row["duplicate_of"] !== null);
};

describe("the same card and amount again", () => {
  it("is flagged on the later payment; another amount is not", async () => {
    const merchant = await merchantWho(false);
    for (const minor of [7_700n, 8_800n, 7_700n])
      expect((await pay(here, merchant, minor)).kind).toBe("succeeded");
    expect(await flags(merchant)).toEqual([false, false, true]);
  });

  it("is flagged when another process took the first", async () => {
    const merchant = await merchantWho(false);
    await pay(here, merchant);
    await pay(elsewhere, merchant);
    await elsewhere.duplicates?.sweep();
    expect(await flags(merchant)).toEqual([false, true]);
  });

  it("is refused before anything is sent, where the merchant wants that", async () => {
    const merchant = await merchantWho(true);
    expect((await pay(here, merchant)).kind).toBe("succeeded");
    const refused = await pay(elsewhere, merchant);
    expect(refused).toMatchObject({ kind: "declined", decline: { code: "duplicate_payment" } });
    expect(await pay(here, merchant, 1_234n)).toMatchObject({ kind: "succeeded" });
  });

  it("at the same moment in two processes, takes one", async () => {
    for (let round = 0; round < 5; round++) {
      const merchant = await merchantWho(true);
      const both = await Promise.all([pay(here, merchant), pay(elsewhere, merchant), pay(here, merchant)]);
      expect(both.map(({ kind }) => kind).sort()).toEqual(["declined", "declined", "succeeded"]);
    }
  });
});
