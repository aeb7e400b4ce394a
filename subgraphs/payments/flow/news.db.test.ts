import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ProviderName } from "../../../test/support/connectors.ts";
import { testMerchant } from "../../../test/support/database.ts";
import {
  act,
  eventsOf,
  latest,
  type Mailbox,
  movementsOf,
  notedNews,
  operationsOf,
  otherProcess,
  paymentOf,
  recover,
  reread,
  sandboxOf,
  tell,
} from "../../../test/support/payment-steps.ts";
import { authorizeAs, authorizeCommand, type PaymentWorld } from "../../../test/support/payments.ts";
import { type ProviderProcesses, startProviderProcesses } from "../../../test/support/provider-processes.ts";
import { done, failed, passedOn, scriptedNews } from "../../../test/support/scripted-news.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { expireOverdue } from "./expire.ts";
import type { Delivery } from "./news.ts";

/** Providers' webhooks as their sandboxes send them, handed on when, how often and in what order the test wants. */
let processes: ProviderProcesses;
let world: PaymentWorld;
let merchant: MerchantId;
let mailbox: Mailbox;

beforeAll(async () => {
  processes = await startProviderProcesses("stripe", "adyen", "acquirer");
  ({ world, merchant, mailbox } = processes);
});
beforeEach(() => processes.clearFaults());
afterAll(() => processes.stop());

const process = (name: ProviderName): PaymentDeps => processes.at(name);

const authorized = (provider: ProviderName, overrides: Parameters<typeof authorizeCommand>[2] = {}) =>
  paymentOf(authorizeAs(process(provider), authorizeCommand(merchant, world.vault.tokenize(), overrides)));

/** A capture that Adyen has accepted, and its letter. */
async function capturing(minor = 10_000n): Promise<{ payment: Payment; told: Delivery }> {
  const payment = await authorized("adyen");
  await paymentOf(act(process("adyen"), "capture", payment, minor), "pending");
  const { reference } = await latest(world, payment, "capture");
  return { payment, told: await mailbox.letter("adyen", reference, '"CAPTURE"') };
}

async function makeOverdue({ id }: Payment): Promise<void> {
  const { owner } = world.database;
  await owner`update ledger.pending set expires_at = now() - interval '1 s' where payment = ${uuidOf(id)}`;
  await owner`
    update payments.payment set authorization_expires_at = now() - interval '1 s' where id = ${uuidOf(id)}`;
}

describe("news of an operation", () => {
  it("ends it, once, however often it comes", async () => {
    const { payment, told } = await capturing();
    for (let time = 1; time <= 3; time++)
      expect(await tell(process("adyen"), told)).toEqual({ status: 200, body: "[accepted]" });
    expect(stateOf(await reread(world, payment))).toBe("captured");
    expect(await eventsOf(world, payment)).toEqual(["authorized", "captured"]);
    expect(await notedNews(world, payment)).toEqual(["recorded"]);
  });

  it("ends it once in two processes that hear it at once", async () => {
    for (let round = 0; round < 5; round++) {
      const { payment, told } = await capturing(4_000n);
      const hearing = [process("adyen"), world.deps, otherProcess(world)];
      await Promise.all(hearing.map((deps) => tell(deps, told)));
      expect((await reread(world, payment)).captured).toBe(4_000n);
      expect(await eventsOf(world, payment)).toEqual(["authorized", "captured"]);
      expect(await notedNews(world, payment)).toHaveLength(1);
    }
  });

  it("is heard again after a crash before it was noted, and changes nothing then", async () => {
    const { payment, told } = await capturing();
    const noteNews = () => Promise.reject(new Error("killed"));
    const dying = { ...process("adyen"), queue: { ...process("adyen").queue, noteNews } };
    await expect(tell(dying, told)).rejects.toThrow("killed");
    await tell(otherProcess(world), told);
    expect(await eventsOf(world, payment)).toEqual(["authorized", "captured"]);
    expect(await notedNews(world, payment)).toEqual(["nothing_new"]);
  });

  it("ends an expiry, which the provider knows as a cancellation", async () => {
    const payment = await authorized("adyen");
    await makeOverdue(payment);
    expect(await expireOverdue(process("adyen"), 10)).toBe(0);
    await tell(
      otherProcess(world),
      await mailbox.letter("adyen", (await latest(world, payment, "expire")).reference),
    );
    expect(stateOf(await reread(world, payment))).toBe("expired");
    expect(await movementsOf(world, payment)).toEqual(["adyen authorized 10000", "adyen released 10000"]);
  });

  it("cannot end what a partial capture left where the provider lets that lapse: nobody is asked", async () => {
    const payment = await authorized("adyen");
    await paymentOf(act(process("adyen"), "capture", payment, 4_000n, { final: false }), "pending");
    const { reference } = await latest(world, payment, "capture");
    await tell(process("adyen"), await mailbox.letter("adyen", reference, '"CAPTURE"'));
    await makeOverdue(payment);
    expect(await expireOverdue(process("adyen"), 10)).toBe(1);
    const now = await reread(world, payment);
    expect([stateOf(now), now.captured, now.finalized]).toEqual(["captured", 4_000n, true]);
    expect(await eventsOf(world, payment)).toEqual(["authorized", "captured", "expired"]);
  });

  it("that is only a hint makes us ask, and the answer is recorded", async () => {
    await sandboxOf(world, "stripe").faults([
      { match: { operation: "create" }, times: 1, fault: { kind: "lose_response" } },
    ]);
    const command = authorizeCommand(merchant, world.vault.tokenize());
    const payment = await paymentOf(authorizeAs(process("stripe"), command), "pending");
    const { reference } = await latest(world, payment, "authorize");
    await tell(otherProcess(world), await mailbox.letter("stripe", reference, "amount_capturable_updated"));
    expect(stateOf(await reread(world, payment))).toBe("authorized");
    expect(await movementsOf(world, payment)).toEqual(["stripe authorized 10000"]);
  });
});

describe("news that is not believed", () => {
  it("was changed on the way, is signed by nobody, or comes to another's door", async () => {
    const { payment, told } = await capturing();
    const text = Buffer.from(told.body).toString();
    const changed = { ...told, body: Buffer.from(text.replace('"value":10000', '"value":10001')) };
    const unsigned = { ...told, body: Buffer.from(text.replace(/"hmacSignature":"[^"]*"/, '"x":"y"')) };
    for (const bad of [changed, unsigned, { ...told, provider: "stripe" }])
      expect((await tell(otherProcess(world), bad)).status).toBe(401);
    expect((await tell(otherProcess(world), { ...told, provider: "paypal" })).status).toBe(404);
    expect((await reread(world, payment)).captured).toBe(0n);
    expect(await notedNews(world, payment)).toEqual([]);
    await tell(otherProcess(world), told);
  });
});

describe("news whose operation has to be found", () => {
  it("is of no operation of ours: nothing is done, and the provider need not say it again", async () => {
    const unknown = `ref_0107_${"0".repeat(40)}`;
    for (const reference of [unknown, "an order of somebody's", ""]) {
      const { hear, said } = scriptedNews(processes, "adyen", { reference, answer: done });
      expect((await hear()).status).toBe(200);
      expect(said).toMatchObject([{ outcome: "unknown_reference" }]);
    }
  });

  it("is another provider's: it can say nothing of what was asked of this one", async () => {
    const payment = await authorized("stripe", { captureMethod: "automatic" });
    await sandboxOf(world, "stripe").faults([
      { match: { operation: "refund" }, times: 1, fault: { kind: "hang" } },
    ]);
    await paymentOf(act(process("stripe"), "refund", payment, 1_000n), "pending");
    const { reference } = await latest(world, payment, "refund");
    const { hear, said } = scriptedNews(processes, "acquirer", { reference, kind: "refund", answer: done });
    await hear();
    expect(said).toMatchObject([{ outcome: "unknown_reference" }]);
    expect((await reread(world, payment)).refunded).toBe(0n);
    await recover(world, otherProcess(world));
  });

  it("is another merchant's: it changes that one's payment, and no other", async () => {
    const neighbour = (await testMerchant(world.database.owner)).id;
    const own = await authorized("adyen");
    const theirs = await paymentOf(
      authorizeAs(process("adyen"), authorizeCommand(neighbour, world.vault.tokenize())),
    );
    for (const payment of [own, theirs])
      await paymentOf(act(process("adyen"), "capture", payment, 1_000n), "pending");
    await tell(
      process("adyen"),
      await mailbox.letter("adyen", (await latest(world, theirs, "capture")).reference, '"CAPTURE"'),
    );
    expect([(await reread(world, own)).captured, (await reread(world, theirs)).captured]).toEqual([
      0n,
      1_000n,
    ]);
    await tell(
      process("adyen"),
      await mailbox.letter("adyen", (await latest(world, own, "capture")).reference, '"CAPTURE"'),
    );
  });

  it("is of a capture, by the provider's own id or as the only one under way", async () => {
    const payment = await authorized("adyen");
    const { reference } = await latest(world, payment, "authorize");
    await paymentOf(act(process("adyen"), "capture", payment, 1_000n, { final: false }), "pending");
    await paymentOf(act(process("adyen"), "capture", payment, 2_000n, { final: false }), "pending");
    const { providerOperation } = await latest(world, payment, "capture");
    expect(providerOperation).not.toBeNull();
    // Two are under way and it does not say which.
    await scriptedNews(processes, "adyen", { reference, kind: "capture", answer: done }).hear();
    expect((await reread(world, payment)).captured).toBe(0n);
    await scriptedNews(processes, "adyen", {
      reference,
      kind: "capture",
      providerOperation,
      answer: done,
    }).hear();
    expect((await reread(world, payment)).captured).toBe(2_000n);
    // Now there is one.
    await scriptedNews(processes, "adyen", { reference, kind: "capture", answer: done }).hear();
    expect((await reread(world, payment)).captured).toBe(3_000n);
  });

  it("is found by the address, where the news itself names nothing", async () => {
    const payment = await authorized("adyen");
    await paymentOf(act(process("adyen"), "void", payment, null), "pending");
    await scriptedNews(processes, "adyen", { kind: "void", answer: done }).hear(
      (await latest(world, payment, "void")).reference,
    );
    expect(stateOf(await reread(world, payment))).toBe("voided");
  });

  it("of an attempt that was passed on is not about what the next provider does", async () => {
    const payment = await passedOn(processes);
    const [first] = await operationsOf(world, payment);
    await sandboxOf(world, "acquirer").faults([
      { match: { operation: "capture" }, times: 1, fault: { kind: "hang" } },
    ]);
    await paymentOf(act(world.deps, "capture", payment, 4_000n), "pending");
    const { reference = "" } = first ?? {};
    await scriptedNews(processes, "adyen", { reference, kind: "capture", answer: failed }).hear();
    expect((await latest(world, payment, "capture")).state).not.toBe("failed");
    await recover(world, otherProcess(world));
    expect((await reread(world, payment)).captured).toBe(4_000n);
  });
});
