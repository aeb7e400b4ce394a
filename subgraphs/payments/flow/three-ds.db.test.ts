import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type MagicCode, magicNumber } from "../../../test/sandbox/three-ds/cards.ts";
import { eventually } from "../../../test/support/eventually.ts";
import {
  answerChallenge,
  askedOf,
  expectCodeForgotten,
  pay,
  startThreeDsWorld,
  stored,
  type ThreeDsWorld,
  takenFor,
  waits,
} from "../../../test/support/three-ds-world.ts";
import type { Operation } from "../domain/operation.ts";

/** How each outcome of 3-D Secure ends a payment, with what of it reaches the provider and the payment. */
let world: ThreeDsWorld;
beforeAll(async () => {
  world = await startThreeDsWorld({ directory: { decoupledMinutes: 5 } });
});
afterEach(() => world.directory.clearFaults());
afterAll(() => world.stop());

const visa = (code: MagicCode) => magicNumber("visa", code);
const steps = (operations: readonly Operation[]) => operations.map(({ kind, state }) => `${kind} ${state}`);

describe("without a question", () => {
  it.each([
    ["01", "visa", "Y", "05", true],
    ["01", "mastercard", "Y", "02", true],
    ["01", "amex", "Y", "05", true],
    ["02", "visa", "A", "06", true],
    ["02", "mastercard", "A", "01", true],
    ["04", "visa", "U", "07", false],
    ["04", "mastercard", "U", "00", false],
    ["08", "visa", "I", "07", false],
    // A yes that its ECI or its proof contradicts is none.
    ["21", "visa", "U", "07", false],
    ["23", "visa", "U", "07", false],
    ["24", "visa", "U", "07", false],
  ] as const)(
    "card %s of %s: %s, ECI %s, liability shift %s",
    async (code, scheme, transStatus, eci, shift) => {
      const outcome = await pay(world, magicNumber(scheme, code));
      expect(outcome).toMatchObject({
        kind: "succeeded",
        payment: {
          authentication: { transStatus, eci, liabilityShift: shift, challenged: false },
          action: null,
        },
      });
      if (outcome.kind !== "succeeded") return;
      const { payment, operations } = await stored(world, outcome.payment.id);
      expect(steps(operations)).toEqual(["authenticate succeeded", "authorize succeeded"]);
      expect(operations[0]).toMatchObject({ provider: "three-ds", details: { eci, liabilityShift: shift } });
      expect(payment).toMatchObject({ provider: "acquirer", attempt: 0, authentication: { eci } });
      const { cavv, dsTransaction } = payment.authentication ?? {};
      expect(askedOf(world, operations[1])["threeDSecure"]).toEqual({
        version: "2.2.0",
        ecommerceIndicator: eci,
        ...(cavv === null ? {} : { cavv }),
        dsTransaction,
      });
      if (shift)
        expect(await world.directory.proof(cavv ?? "")).toMatchObject({ transStatus, eci, dsTransaction });
      expect(await takenFor(world, operations)).toHaveLength(1);
    },
  );

  it.each([
    ["03", "authentication_failed", "N:01"],
    ["07", "suspected_fraud", "R:11"],
    ["25", "authentication_failed", "N"],
  ] as const)("card %s is refused: %s", async (code, declineCode, providerCode) => {
    const outcome = await pay(world, visa(code));
    expect(outcome).toMatchObject({ kind: "declined", decline: { code: declineCode, providerCode } });
    if (outcome.kind !== "declined") return;
    const { payment, operations } = await stored(world, outcome.payment.id);
    expect(steps(operations)).toEqual(["authenticate declined"]);
    expect(operations[0]).toMatchObject({
      details: { rawCode: providerCode },
      failure: { code: declineCode },
    });
    expect(payment).toMatchObject({ phase: "declined", authentication: null });
    expect(world.sent.at(-1)?.body, "nothing was sent after the question").toContain('"AReq"');
    // What its security code was kept for is over.
    await expectCodeForgotten(world, payment);
  });

  it.each([
    ["41", "Erro 402 of D"],
    ["42", "Erro 403 of D"],
    ["43", "Erro 101 of D"],
  ] as const)("card %s, of which the directory says %s, is authorized without", async (code, because) => {
    const outcome = await pay(world, visa(code));
    expect(outcome).toMatchObject({ kind: "succeeded", payment: { authentication: null } });
    if (outcome.kind !== "succeeded") return;
    const { operations } = await stored(world, outcome.payment.id);
    expect(operations[0]?.details?.rawCode).toContain(because);
    expect(askedOf(world, operations[1])).not.toHaveProperty("threeDSecure");
  });

  it.each([
    ["lost", { kind: "lose_response" }],
    ["a proxy's error", { kind: "status", status: 502, body: "bad gateway" }],
    ["unreadable", { kind: "garbage", work: true }],
    ["not there in time", { kind: "hang" }],
    [
      "another transaction's",
      {
        kind: "quirk",
        quirk: "ares",
        parameters: { threeDSServerTransID: "0".repeat(8) + "-0000-0000-0000-000000000000" },
      },
    ],
  ] as const)(
    "an answer that is %s is no answer: authorized, and the issuer bears nothing",
    async (_, fault) => {
      await world.directory.faults({ match: { operation: "authenticate" }, times: 1, fault });
      const outcome = await pay(world, visa("01"));
      expect(outcome).toMatchObject({ kind: "succeeded", payment: { authentication: null } });
    },
  );

  it("a merchant that takes no payment without it declines all of that", async () => {
    const strict = world.under({ authentication: "required" });
    for (const code of ["04", "21", "41", "08"] as const)
      expect(await pay(world, visa(code), { deps: strict }), code).toMatchObject({
        kind: "declined",
        decline: { code: "authentication_failed" },
      });
    expect(await pay(world, visa("02"), { deps: strict })).toMatchObject({ kind: "succeeded" });
  });
});

describe("a challenge", () => {
  it.each([
    ["the right code", "05", ["1234"], "Y", "05", true],
    ["the right code at last", "05", ["1", "2", "1234"], "Y", "05", true],
    ["a code after which the issuer cannot tell", "36", ["1234"], "U", "07", false],
    ["a code after which the scheme stands in", "37", ["1234"], "A", "06", true],
    ["a yes with another outcome's ECI", "35", ["1234"], "U", "07", false],
  ] as const)("answered with %s", async (_, card, codes, transStatus, eci, liabilityShift) => {
    const { payment, challenge } = await waits(world, visa(card));
    expect(await takenFor(world, (await stored(world, payment.id)).operations)).toEqual([]);
    await world.deps.forgetter.flush();
    await answerChallenge(challenge, ...codes);
    await eventually(async () =>
      expect((await stored(world, payment.id)).payment).toMatchObject({ phase: "open", action: null }),
    );
    const after = await stored(world, payment.id);
    expect(steps(after.operations)).toEqual(["authenticate succeeded", "authorize succeeded"]);
    expect(after.payment.authentication).toMatchObject({
      transStatus,
      eci,
      liabilityShift,
      challenged: true,
    });
    const [entry] = await world.directory.authentications(challenge.transaction);
    expect(askedOf(world, after.operations[1])["threeDSecure"]).toMatchObject({
      ecommerceIndicator: eci,
      dsTransaction: entry?.dsTransaction,
      ...(liabilityShift ? { cavv: entry?.outcome.cavv } : {}),
    });
    // The security code was still there for it: the acquirer has checked it.
    expect(after.operations[1]?.details?.cvc).toBe("match");
    expect(await takenFor(world, after.operations)).toHaveLength(1);
  });

  it.each([
    ["three wrong codes", "05", ["1", "2", "3"], "authentication_failed"],
    ["cancelling", "05", ["cancel"], "authentication_failed"],
    ["a code after which the issuer refuses", "39", ["1234"], "suspected_fraud"],
  ] as const)("answered with %s is declined", async (_, card, codes, code) => {
    const { payment, challenge } = await waits(world, visa(card));
    await answerChallenge(challenge, ...codes);
    await eventually(async () =>
      expect((await stored(world, payment.id)).payment).toMatchObject({
        phase: "declined",
        decline: { code },
      }),
    );
    const { operations } = await stored(world, payment.id);
    expect(steps(operations)).toEqual(["authenticate declined"]);
    expect(await takenFor(world, operations)).toEqual([]);
    await expectCodeForgotten(world, payment);
  });

  it("that nobody answers at the issuer's is declined: the payer was not there", async () => {
    await world.directory.settings({ firstCReqMs: 200 });
    const { payment } = await waits(world, visa("05"));
    await eventually(async () =>
      expect((await stored(world, payment.id)).payment.decline).toMatchObject({ code: "payer_absent" }),
    );
    await world.directory.settings({ firstCReqMs: 30_000 });
    expect(await takenFor(world, (await stored(world, payment.id)).operations)).toEqual([]);
  });

  it("whose browser says no where the directory says yes goes by the directory", async () => {
    const { payment, challenge } = await waits(world, visa("31"));
    expect(await answerChallenge(challenge, "1234")).toMatchObject({ transStatus: "N" });
    await eventually(async () => expect((await stored(world, payment.id)).payment.phase).toBe("open"));
  });

  it("at an address that no browser may be sent to is none", async () => {
    expect(await pay(world, visa("38"))).toMatchObject({
      kind: "succeeded",
      payment: { authentication: null, action: null },
    });
  });
});

describe("decoupled", () => {
  it("waits for the issuer's app, and goes on when it has answered", async () => {
    await world.directory.settings({ decoupledDelayMs: 400, decoupledOutcome: "Y" });
    const outcome = await pay(world, visa("06"));
    expect(outcome).toMatchObject({ kind: "requires_action", payment: { action: { type: "decoupled" } } });
    if (outcome.kind !== "requires_action") return;
    await eventually(async () => {
      const { payment } = await stored(world, outcome.payment.id);
      expect(payment).toMatchObject({
        phase: "open",
        authentication: { transStatus: "Y", challenged: true },
      });
    });
  });

  it("whose answer comes before the directory's is kept has it sent again", async () => {
    await world.directory.settings({ decoupledDelayMs: 0, decoupledOutcome: "Y" });
    await world.directory.faults({
      match: { operation: "authenticate" },
      times: 1,
      fault: { kind: "delay", ms: 1 },
    });
    const { deps } = world;
    // The commit that keeps the answer is slow: the results overtake it.
    const slow = world.another({
      commit: async (commit) => {
        if (commit.resolution?.state === "requires_action") await new Promise((go) => setTimeout(go, 300));
        return deps.commit(commit);
      },
    });
    const before = world.inbox.deliveries.length;
    const outcome = await pay(world, visa("06"), { deps: slow });
    await eventually(async () =>
      expect(
        (await stored(world, outcome.kind === "requires_action" ? outcome.payment.id : ("" as never))).payment
          .phase,
      ).toBe("open"),
    );
    expect(world.inbox.deliveries[before]?.answer?.status).toBe(503);
  });
});
