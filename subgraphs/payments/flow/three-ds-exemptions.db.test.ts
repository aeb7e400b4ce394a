import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { magicNumber } from "../../../test/sandbox/three-ds/cards.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { newKey } from "../../../test/support/payments.ts";
import {
  answerChallenge,
  askedOf,
  inOrder,
  pay,
  startThreeDsWorld,
  stored,
  type ThreeDsWorld,
  waits,
} from "../../../test/support/three-ds-world.ts";
import type { PaymentMethodId } from "../../kernel/ids.ts";
import { importBinRanges } from "../../risk/import-bin-ranges.ts";
import { createCustomer } from "./customer.ts";
import type { Outcome } from "./outcome.ts";

/** When nobody is asked, why, and what the provider is told instead. */
let world: ThreeDsWorld;
beforeAll(async () => {
  world = await startThreeDsWorld({ providers: ["acquirer", "mollie"] });
});
afterAll(() => world.stop());

/** Its issuer wants the payer authenticated unless an exemption is claimed. */
const UNLESS_EXEMPT = "4000002500003155";
const plain = magicNumber("visa", "01");

async function attemptsOf(outcome: Outcome) {
  if (!("payment" in outcome)) throw new Error(outcome.kind);
  return (await stored(world, outcome.payment.id)).operations;
}

/** The first attempt's decision, and what the provider was told. */
async function decided(outcome: Outcome) {
  const operations = await attemptsOf(outcome);
  const authorization = operations.find(({ kind }) => kind === "authorize");
  return {
    kinds: operations.map(({ kind }) => kind),
    because: operations[0]?.routing?.authentication,
    told: authorization === undefined ? null : askedOf(world, authorization),
  };
}

describe("a payment of low value", () => {
  it("asks for the exemption, is honoured, and the issuer bears nothing", async () => {
    const outcome = await pay(world, UNLESS_EXEMPT, { minor: 3_000n });
    expect(outcome).toMatchObject({ kind: "succeeded", payment: { authentication: null } });
    expect(await decided(outcome)).toMatchObject({
      kinds: ["authorize"],
      because: { because: "exemption", by: null, challenge: null, exemption: "low_value" },
      told: { exemption: "LV", ecommerceIndicator: "07" },
    });
    const [attempt] = await attemptsOf(outcome);
    expect(attempt?.details).toMatchObject({ eci: "07", liabilityShift: false });
  });

  it("is one up to 30 euro, in euro", async () => {
    for (const over of [{ minor: 3_001n }, { minor: 100n, currency: "SEK" }] as const) {
      const { kinds, because, told } = await decided(await pay(world, plain, over));
      expect([kinds, because]).toEqual([
        ["authenticate", "authorize"],
        { because: "due", by: "us", challenge: "no_preference", exemption: null },
      ]);
      expect(told).not.toHaveProperty("exemption");
    }
  });

  it("is none of that where the merchant takes no payment without authentication", async () => {
    const strict = world.under({ authentication: "required" });
    expect(await decided(await pay(world, plain, { minor: 100n, deps: strict }))).toMatchObject({
      kinds: ["authenticate", "authorize"],
      because: { because: "merchant_required" },
    });
  });
});

describe("an analysed risk", () => {
  const allowed = { exemptions: ["transaction_risk_analysis"], fraudBps: 5 } as const;

  it("is told to the acquirer", async () => {
    const outcome = await pay(world, UNLESS_EXEMPT, { deps: world.under(allowed) });
    expect(outcome.kind).toBe("succeeded");
    expect(await decided(outcome)).toMatchObject({ kinds: ["authorize"], told: { exemption: "TR" } });
  });

  it("or to the issuer first, whose consent goes with it, and the liability stays here", async () => {
    const deps = world.under({ ...allowed, exemptionsIn: "authentication" });
    const outcome = await pay(world, plain, { deps });
    expect(outcome).toMatchObject({
      kind: "succeeded",
      payment: { authentication: { transStatus: "I", liabilityShift: false } },
    });
    expect(await decided(outcome)).toMatchObject({
      kinds: ["authenticate", "authorize"],
      because: { because: "exemption", challenge: "avoid", exemption: "transaction_risk_analysis" },
      told: { exemption: "TR", threeDSecure: { ecommerceIndicator: "07" } },
    });
  });

  it("that the issuer answers by asking the payer is no exemption any more", async () => {
    const deps = world.under({ ...allowed, exemptionsIn: "authentication" });
    const { payment, challenge } = await waits(world, magicNumber("visa", "05"), { deps });
    await answerChallenge(challenge, "1234");
    await eventually(async () => expect((await stored(world, payment.id)).payment.phase).toBe("open"));
    const after = await stored(world, payment.id);
    expect(after.payment.authentication).toMatchObject({ transStatus: "Y", liabilityShift: true });
    expect(askedOf(world, after.operations[1])).not.toHaveProperty("exemption");
  });
});

describe("a series", () => {
  const series = async () => {
    const { deps, merchant } = world;
    const created = await createCustomer(deps, {
      merchant,
      key: newKey(),
      reference: null,
      email: null,
      name: null,
    });
    if (created.kind !== "created") throw new Error(created.kind);
    const customer = created.customer.id;
    const token = world.payments.vault.tokenize(UNLESS_EXEMPT);
    const source = { type: "token", token, customer, store: "recurring" } as const;
    const { payment, challenge } = await waits(world, UNLESS_EXEMPT, { source, minor: 1_500n });
    return { payment, challenge, method: payment.terms.paymentMethod as PaymentMethodId };
  };

  it("begins with the payer's proof, whatever the amount; later payments of the amount are exempt", async () => {
    const { payment, challenge, method } = await series();
    const [entry] = await world.directory.authentications(challenge.transaction);
    expect(entry?.challengeIndicator).toBe("04");
    await answerChallenge(challenge, "1234");
    await eventually(async () => expect((await stored(world, payment.id)).payment.phase).toBe("open"));
    const { operations } = await stored(world, payment.id);
    expect(operations[0]?.routing?.authentication).toMatchObject({
      because: "card_is_stored",
      challenge: "mandated",
    });

    const source = { type: "stored", method, initiator: "customer" } as const;
    const only = world.under({ exemptions: ["recurring"] });
    const later = (minor: bigint) => pay(world, "", { source, minor, browser: null, deps: only });
    const same = await later(1_500n);
    expect(same.kind).toBe("succeeded");
    expect(await decided(same)).toMatchObject({ kinds: ["authorize"], told: { exemption: "RP" } });
    const more = await later(1_600n);
    expect(more).toMatchObject({ kind: "declined", decline: { code: "authentication_required" } });
    expect((await decided(more)).told).not.toHaveProperty("exemption");

    const byMerchant = { ...source, initiator: "merchant" } as const;
    const without = await pay(world, "", { source: byMerchant, minor: 9_900n, deps: only });
    expect(without.kind).toBe("succeeded");
    expect(await decided(without)).toMatchObject({
      kinds: ["authorize"],
      because: { because: "merchant_initiated", exemption: null },
    });
  });
});

describe("nobody is asked", () => {
  it("where the law does not ask, and it says so", async () => {
    await importBinRanges(world.payments.database.owner, `prefix,country\n${plain.slice(0, 8)},US`);
    expect(await decided(await pay(world, plain))).toMatchObject({
      kinds: ["authorize"],
      because: { because: "outside_the_zone", by: null, exemption: null },
    });
    await world.payments.database.owner`delete from risk.bin_range`;
  });

  it("where nobody could be: without a browser", async () => {
    const none = await decided(await pay(world, magicNumber("mastercard", "01"), { browser: null }));
    expect(none).toMatchObject({ kinds: ["authorize"], because: { because: "not_supported", by: null } });
  });

  it("by us where the provider takes no proof and asks by itself", async () => {
    const deps = world.another({ router: inOrder("mollie") });
    const outcome = await pay(world, magicNumber("mastercard", "05"), {
      deps,
      returnUrl: "https://shop.example/back",
    });
    expect(outcome).toMatchObject({ kind: "requires_action", payment: { action: { type: "redirect" } } });
    const [attempt, ...others] = await attemptsOf(outcome);
    expect(others).toEqual([]);
    expect(attempt?.routing?.authentication).toMatchObject({ because: "due", by: "provider" });
  });
});
