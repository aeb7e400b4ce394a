import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { magicNumber } from "../../../test/sandbox/three-ds/cards.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { newKey } from "../../../test/support/payments.ts";
import {
  answerChallenge,
  askedOf,
  challengeOf,
  expectCodeForgotten,
  inOrder,
  pay,
  startThreeDsWorld,
  stored,
  type ThreeDsWorld,
  takenFor,
  waits,
} from "../../../test/support/three-ds-world.ts";
import type { PaymentId } from "../../kernel/ids.ts";
import type { Payment } from "../domain/payment.ts";
import { receiveResults } from "./authentication-results.ts";
import type { PaymentDeps } from "./deps.ts";
import { createRecovery } from "./recover.ts";

/** Authentications after a provider was asked, and providers after an authentication. */
let world: ThreeDsWorld;
let acquirer: PaymentDeps;
beforeAll(async () => {
  world = await startThreeDsWorld({ providers: ["acquirer", "stripe", "mollie"] });
  acquirer = world.another({ router: inOrder("acquirer") });
});
afterEach(() => Promise.all(world.payments.sandboxes.map(({ faults }) => faults([]))));
afterAll(() => world.stop());

/** Its issuer declines what is not authenticated: 1A. */
const SOFT = "4000002760003184";
const LOW = 2_000n;
const frictionless = magicNumber("visa", "01");

const answers = (provider: "acquirer" | "stripe", declineCode: string, times = 1) =>
  world.payments.sandboxes
    .find(({ name }) => name === provider)
    ?.faults([
      {
        match: { operation: provider === "stripe" ? "create" : "authorize" },
        times,
        fault: { kind: "decline", declineCode },
      },
    ]);

async function stepsOf(id: PaymentId): Promise<string[]> {
  const { operations } = await stored(world, id);
  return operations.map(({ kind, provider, attempt, state }) => `${attempt} ${provider} ${kind} ${state}`);
}

async function becomes({ id }: Pick<Payment, "id">, phase: Payment["phase"]): Promise<Payment> {
  await eventually(async () => expect((await stored(world, id)).payment.phase).toBe(phase));
  return (await stored(world, id)).payment;
}

describe("a soft decline", () => {
  it("is answered by asking the payer, and then the same provider again, without the exemption", async () => {
    const { payment, challenge } = await waits(world, SOFT, { minor: LOW, deps: acquirer });
    expect(payment).toMatchObject({ provider: "acquirer", attempt: 1 });
    const [asked] = await world.directory.authentications(challenge.transaction);
    expect(asked?.challengeIndicator).toBe("04");
    await acquirer.forgetter.flush();
    await answerChallenge(challenge, "1234");
    const paid = await becomes(payment, "open");
    expect(paid).toMatchObject({
      provider: "acquirer",
      authentication: { liabilityShift: true, challenged: true },
    });
    expect(await stepsOf(payment.id)).toEqual([
      "0 acquirer authorize declined",
      "1 three-ds authenticate succeeded",
      "1 acquirer authorize succeeded",
    ]);
    const { operations } = await stored(world, payment.id);
    expect(askedOf(world, operations[0])).toMatchObject({ exemption: "LV" });
    expect(askedOf(world, operations[2])).not.toHaveProperty("exemption");
    expect(askedOf(world, operations[2])).toMatchObject({ threeDSecure: { ecommerceIndicator: "05" } });
    const soft = { because: "soft_decline", by: "us", challenge: "mandated", exemption: null };
    expect(operations.map(({ routing }) => routing?.authentication)).toEqual([
      { because: "exemption", by: null, challenge: null, exemption: "low_value" },
      soft,
      soft,
    ]);
    expect(operations[2]?.details?.cvc).toBe("match");
    expect(await takenFor(world, operations)).toHaveLength(1);
  });

  it("after an authentication without a question asks one", async () => {
    await answers("acquirer", "1A");
    const { payment, challenge } = await waits(world, frictionless, { deps: acquirer });
    await answerChallenge(challenge, "1234");
    await becomes(payment, "open");
    expect(await stepsOf(payment.id)).toEqual([
      "0 three-ds authenticate succeeded",
      "0 acquirer authorize declined",
      "1 three-ds authenticate succeeded",
      "1 acquirer authorize succeeded",
    ]);
  });

  it("is not answered so twice", async () => {
    await answers("acquirer", "1A", 2);
    // Its scheme stands in for the issuer: nobody is asked.
    const outcome = await pay(world, magicNumber("visa", "02"), { minor: LOW, deps: acquirer });
    expect(outcome).toMatchObject({ kind: "declined", decline: { code: "authentication_required" } });
    if (outcome.kind !== "declined") return;
    expect(await stepsOf(outcome.payment.id)).toEqual([
      "0 acquirer authorize declined",
      "1 three-ds authenticate succeeded",
      "1 acquirer authorize declined",
    ]);
    await expectCodeForgotten(world, outcome.payment);
  });

  it("stands where the payer has answered already", async () => {
    await answers("acquirer", "1A");
    const { payment, challenge } = await waits(world, magicNumber("visa", "05"), { deps: acquirer });
    await answerChallenge(challenge, "1234");
    expect(await becomes(payment, "declined")).toMatchObject({
      decline: { code: "authentication_required" },
    });
    expect(await stepsOf(payment.id)).toHaveLength(2);
  });

  it("stands where no payer can be asked: no browser, or a merchant that never asks", async () => {
    const never = world.under({ authentication: "never" });
    const cases = [
      { minor: LOW, browser: null, deps: acquirer },
      { minor: LOW, deps: { ...never, router: inOrder("acquirer") } },
    ];
    for (const overrides of cases) {
      const outcome = await pay(world, SOFT, overrides);
      expect(outcome).toMatchObject({ kind: "declined", decline: { code: "authentication_required" } });
      if (outcome.kind !== "declined") continue;
      expect(await stepsOf(outcome.payment.id)).toEqual(["0 acquirer authorize declined"]);
    }
  });

  it("that recovery learns stands: the payer may have gone", async () => {
    const [sandbox] = world.payments.sandboxes;
    await sandbox?.faults([
      { match: { operation: "authorize" }, times: 1, fault: { kind: "lose_response" } },
    ]);
    const outcome = await pay(world, SOFT, { minor: LOW, deps: acquirer });
    if (outcome.kind !== "pending") throw new Error(outcome.kind);
    await world.payments.database.owner`update payments.in_flight set resolve_after = now()`;
    await createRecovery(world.another()).sweep();
    expect(await becomes(outcome.payment, "declined")).toMatchObject({
      decline: { code: "authentication_required" },
    });
    expect(await stepsOf(outcome.payment.id)).toEqual(["0 acquirer authorize declined"]);
  });

  it("whose challenge fails is declined with that; the payment is still its provider's", async () => {
    const key = newKey();
    const token = world.payments.vault.tokenize(SOFT);
    const same = {
      key,
      minor: LOW,
      deps: acquirer,
      source: { type: "token", token, customer: null, store: null },
    } as const;
    const { payment, challenge } = await waits(world, SOFT, same);
    await answerChallenge(challenge, "cancel");
    const declined = await becomes(payment, "declined");
    expect(declined).toMatchObject({ provider: "acquirer", decline: { code: "authentication_failed" } });
    expect(await pay(world, SOFT, same)).toMatchObject({ kind: "declined", payment: { id: payment.id } });
    expect(await takenFor(world, (await stored(world, payment.id)).operations)).toEqual([]);
    await expectCodeForgotten(world, payment);
  });
});

describe("after an authentication, the next provider", () => {
  it("gets the same proof, and the payer is not asked again", async () => {
    await answers("acquirer", "91");
    const cascading = world.another({ router: inOrder("acquirer", "stripe") });
    const { payment, challenge } = await waits(world, SOFT, { deps: cascading });
    world.inbox.take = (headers, body) => receiveResults(cascading, headers, body);
    await answerChallenge(challenge, "1234");
    const paid = await becomes(payment, "open");
    expect(await stepsOf(payment.id)).toEqual([
      "0 three-ds authenticate succeeded",
      "0 acquirer authorize declined",
      "1 stripe authorize succeeded",
    ]);
    const { operations } = await stored(world, payment.id);
    const { cavv, dsTransaction } = paid.authentication ?? {};
    const secure = "payment_method_options[card][three_d_secure]";
    expect(askedOf(world, operations[1])["threeDSecure"]).toMatchObject({ cavv, dsTransaction });
    expect(askedOf(world, operations[2])).toMatchObject({
      [`${secure}[cryptogram]`]: cavv,
      [`${secure}[transaction_id]`]: dsTransaction,
      [`${secure}[electronic_commerce_indicator]`]: "05",
      [`${secure}[ares_trans_status]`]: "C",
    });
    expect(operations[2]?.details).toMatchObject({ liabilityShift: true, cvc: "match" });
    expect(paid).toMatchObject({ provider: "stripe", authentication: { liabilityShift: true } });
    expect(await takenFor(world, operations)).toHaveLength(1);
  });

  it("that takes no proof is asked without it, and nobody claims that the issuer bears fraud", async () => {
    await answers("acquirer", "91");
    const cascading = world.another({ router: inOrder("acquirer", "mollie") });
    const returnUrl = "https://shop.example/back";
    const outcome = await pay(world, frictionless, { deps: cascading, returnUrl });
    expect(outcome).toMatchObject({
      kind: "requires_action",
      payment: {
        provider: "mollie",
        action: { type: "redirect" },
        authentication: { transStatus: "Y", liabilityShift: false },
      },
    });
    if (outcome.kind !== "requires_action") return;
    expect(() => challengeOf(outcome.payment)).toThrow();
    expect(await stepsOf(outcome.payment.id)).toHaveLength(3);
  });

  it("is asked at most twice more, and nobody after the issuer's own no", async () => {
    await answers("acquirer", "51");
    const cascading = world.another({ router: inOrder("acquirer", "stripe") });
    const outcome = await pay(world, frictionless, { deps: cascading });
    expect(outcome).toMatchObject({ kind: "declined", decline: { code: "insufficient_funds" } });
    if (outcome.kind === "declined") expect(await stepsOf(outcome.payment.id)).toHaveLength(2);
  });
});
