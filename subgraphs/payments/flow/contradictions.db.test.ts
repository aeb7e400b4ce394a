import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ProviderName } from "../../../test/support/connectors.ts";
import {
  act,
  latest,
  type Mailbox,
  notedNews,
  operationsOf,
  paymentOf,
  reread,
  tell,
} from "../../../test/support/payment-steps.ts";
import { authorizeAs, authorizeCommand, type PaymentWorld } from "../../../test/support/payments.ts";
import { type ProviderProcesses, startProviderProcesses } from "../../../test/support/provider-processes.ts";
import { cameBack, done, failed, loud, passedOn, scriptedNews } from "../../../test/support/scripted-news.ts";
import type { MerchantId } from "../../kernel/ids.ts";
import type { WebhookAnswer, WebhookItem } from "../connectors/connector.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import type { Delivery } from "./news.ts";

/** News that cannot be true together with what is recorded: it changes nothing, and somebody must hear of it. */
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

describe("news that contradicts what is recorded", () => {
  it("changes nothing and is said aloud", async () => {
    const { payment, told } = await capturing();
    await tell(process("adyen"), told);
    const { reference } = await latest(world, payment, "capture");
    const before = await reread(world, payment);
    const { hear, said } = scriptedNews(processes, "adyen", { reference, kind: "capture", answer: failed });
    await hear();
    expect(loud(said)).toEqual(["a provider contradicts itself"]);
    expect(await reread(world, payment)).toEqual(before);
    expect(await notedNews(world, payment)).toEqual(["recorded", "contradicts"]);
  });

  it("tells another amount than was asked for: a person must look, and it stays under way", async () => {
    const { payment, told } = await capturing();
    const { reference } = await latest(world, payment, "capture");
    const answer: WebhookItem["answer"] = (operation, of) =>
      ({ ...done(operation, of), amount: 9_999n }) as WebhookAnswer;
    const { hear, said } = scriptedNews(processes, "adyen", { reference, kind: "capture", answer });
    await hear();
    expect(loud(said)).toHaveLength(1);
    expect((await latest(world, payment, "capture")).state).toBe("claimed");
    await tell(process("adyen"), told);
    expect((await reread(world, payment)).captured).toBe(10_000n);
  });

  it("tells late that an attempt succeeded which was passed on: said aloud, since there are two charges", async () => {
    const payment = await passedOn(processes);
    const [first] = await operationsOf(world, payment);
    const { reference = "" } = first ?? {};
    const { hear, said } = scriptedNews(processes, "adyen", { reference, kind: "authorize", answer: done });
    await hear();
    expect(loud(said)).toEqual(["a provider contradicts itself"]);
    const now = await reread(world, payment);
    expect([stateOf(now), now.provider, now.version]).toEqual(["authorized", "acquirer", payment.version]);
  });

  it("tells that the capture of a sale came undone: said aloud", async () => {
    const payment = await authorized("adyen", { captureMethod: "automatic" });
    expect(stateOf(payment)).toBe("captured");
    const { reference } = await latest(world, payment, "authorize");
    const { hear, said } = scriptedNews(processes, "adyen", { reference, kind: "capture", answer: cameBack });
    await hear();
    expect(loud(said)).toEqual(["a provider contradicts itself"]);
    expect(stateOf(await reread(world, payment))).toBe("captured");
  });

  it("is no contradiction when it tells what was so before", async () => {
    const { payment, told } = await capturing();
    await tell(process("adyen"), told);
    const { reference } = await latest(world, payment, "authorize");
    const { hear, said } = scriptedNews(processes, "adyen", { reference, kind: "authorize", answer: done });
    await hear();
    expect([loud(said), said.at(-1)]).toMatchObject([[], { outcome: "nothing_new" }]);
  });
});
