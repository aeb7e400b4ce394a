import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type MagicCode, magicNumber } from "../../../test/sandbox/three-ds/cards.ts";
import { SECRET } from "../../../test/sandbox/three-ds/test-harness.ts";
import { eventually } from "../../../test/support/eventually.ts";
import {
  answerChallenge,
  type Delivery,
  NOBODY,
  startThreeDsWorld,
  stored,
  type ThreeDsWorld,
  takenFor,
  waits,
} from "../../../test/support/three-ds-world.ts";
import type { Payment } from "../domain/payment.ts";
import { receiveResults } from "./authentication-results.ts";
import type { PaymentDeps } from "./deps.ts";
import { createInboundDoor } from "./inbound.ts";
import { createRecovery } from "./recover.ts";

/** Results of challenges: whoever takes them, however often and in whatever order, one authorization goes out. */
let world: ThreeDsWorld;
beforeAll(async () => {
  world = await startThreeDsWorld();
});
afterEach(() => {
  world.inbox.take = (headers, body) => receiveResults(world.deps, headers, body);
});
afterAll(() => world.stop());

const visa = (code: MagicCode) => magicNumber("visa", code);

/** A payer who has answered the issuer, whose results nobody has taken yet. */
async function answered(card: MagicCode = "05", ...codes: readonly string[]) {
  world.inbox.take = NOBODY;
  const { payment, challenge } = await waits(world, visa(card));
  await answerChallenge(challenge, ...(codes.length === 0 ? ["1234"] : codes));
  await eventually(async () => expect(of(challenge.transaction)).toBeDefined());
  return { payment, challenge, delivery: of(challenge.transaction) as Delivery };
}

const of = (transaction: string) =>
  world.inbox.deliveries.find(({ body }) => Buffer.from(body).includes(transaction));

const signed = (message: object | string, secret = SECRET): Pick<Delivery, "headers" | "body"> => {
  const body = Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  return { headers: { "x-ds-signature": `sha256=${signature}` }, body };
};

const take = ({ headers, body }: Pick<Delivery, "headers" | "body">, deps: PaymentDeps = world.deps) =>
  receiveResults(deps, headers, body);
const messageIn = ({ body }: Pick<Delivery, "body">) =>
  JSON.parse(Buffer.from(body).toString()) as Record<string, string>;
const typeOf = ({ body }: { readonly body: string }) =>
  (JSON.parse(body) as Record<string, string>)["messageType"];

/** Ends authorized, by one authorization and one charge. */
async function expectPaidOnce({ id }: Pick<Payment, "id">): Promise<void> {
  await eventually(async () => expect((await stored(world, id)).payment.phase).toBe("open"));
  const { operations } = await stored(world, id);
  expect(operations.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    "authenticate succeeded",
    "authorize succeeded",
  ]);
  expect(await takenFor(world, operations)).toHaveLength(1);
  const reference = operations[1]?.reference ?? "?";
  expect(world.sent.filter(({ body }) => body.includes(reference))).toHaveLength(1);
}

async function expectWaiting({ id }: Pick<Payment, "id">): Promise<void> {
  const { payment, operations } = await stored(world, id);
  expect([payment.phase, operations.map(({ state }) => state)]).toEqual([
    "requires_action",
    ["requires_action"],
  ]);
}

describe("results", () => {
  it("count, and not that the browser is back", async () => {
    const { payment, delivery } = await answered();
    await expectWaiting(payment);
    expect(typeOf(await take(delivery))).toBe("RRes");
    await expectPaidOnce(payment);
  });

  it("that come twice at once, and again later, are one authorization", async () => {
    const { payment, challenge } = await waits(world, visa("34"));
    await answerChallenge(challenge, "1234");
    await expectPaidOnce(payment);
    const delivery = of(challenge.transaction) as Delivery;
    expect(typeOf(await take(delivery))).toBe("RRes");
    await expectPaidOnce(payment);
  });

  it("that come late are taken all the same", async () => {
    const { payment, challenge } = await waits(world, visa("32"));
    await answerChallenge(challenge, "1234");
    await expectWaiting(payment);
    await expectPaidOnce(payment);
  });

  it.each(["1234", "cancel"])("that several processes take at once (%s) end it once", async (code) => {
    const { payment, delivery } = await answered("05", code);
    // All have read it before one of them writes.
    let reading = 3;
    const allRead = Promise.withResolvers<void>();
    const processes = Array.from({ length: reading }, () => {
      const deps = world.another();
      const commit: PaymentDeps["commit"] = async (wanted) => {
        if (--reading === 0) allRead.resolve();
        await allRead.promise;
        return deps.commit(wanted);
      };
      return { ...deps, commit };
    });
    const answers = await Promise.all(processes.map((deps) => take(delivery, deps)));
    expect(answers.map(typeOf)).toEqual(["RRes", "RRes", "RRes"]);
    if (code === "1234") return expectPaidOnce(payment);
    expect(await stored(world, payment.id)).toMatchObject({
      payment: { phase: "declined" },
      operations: [{ kind: "authenticate", state: "declined" }],
    });
  });

  it("are believed with a secret of ours only, as they were signed", async () => {
    const { payment, delivery } = await answered("05", "cancel");
    const forged = { ...messageIn(delivery), transStatus: "Y" };
    const unsigned = { headers: {}, body: delivery.body };
    const changed = { headers: delivery.headers, body: signed(forged).body };
    for (const strange of [unsigned, changed, signed(forged, "another-secret"), signed(forged, "")])
      expect(await take(strange)).toMatchObject({ status: 401, body: "" });
    await expectWaiting(payment);
    expect(typeOf(await take(signed(messageIn(delivery), "a-former-secret")))).toBe("RRes");
    expect((await stored(world, payment.id)).payment.phase).toBe("declined");
  });

  it("of another transaction change nothing", async () => {
    const [mine, other] = [await answered(), await answered()];
    const message = messageIn(mine.delivery);
    const ids = messageIn(other.delivery);
    for (const field of ["acsTransID", "dsTransID"] as const) {
      const crossed = await take(signed({ ...message, [field]: ids[field] }));
      expect(JSON.parse(crossed.body)).toMatchObject({ messageType: "Erro", errorCode: "301" });
    }
    await expectWaiting(mine.payment);
    await expectWaiting(other.payment);
    await take(mine.delivery);
    await expectPaidOnce(mine.payment);
    await expectWaiting(other.payment);
    await take(other.delivery);
    await expectPaidOnce(other.payment);
  });

  it("of a transaction that is none are answered so, whatever they name", async () => {
    const { payment, delivery } = await answered();
    await take(delivery);
    await expectPaidOnce(payment);
    const { operations } = await stored(world, payment.id);
    const own = messageIn(delivery);
    const nobody = own["threeDSServerTransID"]?.replace(/^.{8}/, "00000000");
    for (const threeDSServerTransID of [nobody, "00000000-0000-4000-8000-000000000000"]) {
      const answer = await take(signed({ ...own, threeDSServerTransID }));
      expect(JSON.parse(answer.body)).toMatchObject({ messageType: "Erro", errorCode: "301" });
    }
    const reference = operations[1]?.reference;
    for (const unreadable of [
      "{",
      "{}",
      { ...own, threeDSServerTransID: reference },
      { ...own, transStatus: "C" },
    ])
      expect(JSON.parse((await take(signed(unreadable))).body)).toMatchObject({ errorCode: "203" });
    await expectPaidOnce(payment);
  });

  it("arrive at the door beside providers' news; where there is no 3-D Secure there is no such door", async () => {
    const { payment, delivery } = await answered();
    const door = createInboundDoor({ ...world.deps, webhookSecrets: {} });
    const closed = createInboundDoor({ ...world.deps, webhookSecrets: {}, threeDs: null });
    expect(await closed.receive("three-ds", delivery.headers, delivery.body)).toMatchObject({ status: 404 });
    await expectWaiting(payment);
    const answer = await door.receive("three-ds", delivery.headers, delivery.body);
    expect(answer).toMatchObject({ status: 200, contentType: "application/json" });
    await expectPaidOnce(payment);
  });
});

describe("an answer to results", () => {
  it("comes after what they say is kept, not before", async () => {
    const { payment, delivery } = await answered();
    const gate = Promise.withResolvers<void>();
    const { deps } = world;
    const slow = world.another({
      commit: async (commit) => {
        await gate.promise;
        return deps.commit(commit);
      },
    });
    let isAnswered = false;
    const answer = take(delivery, slow).finally(() => {
      isAnswered = true;
    });
    await new Promise((go) => setTimeout(go, 200));
    expect(isAnswered).toBe(false);
    await expectWaiting(payment);
    gate.resolve();
    expect(typeOf(await answer)).toBe("RRes");
    expect((await stored(world, payment.id)).operations).toHaveLength(2);
    await expectPaidOnce(payment);
  });

  it("does not come from a process that dies before: the next delivery is taken as the first", async () => {
    const { payment, delivery } = await answered();
    await expect(take(delivery, dyingAt("authenticate.before-commit"))).rejects.toThrow("killed");
    await expectWaiting(payment);
    await take(delivery);
    await expectPaidOnce(payment);
  });

  it("does not come from one that dies after: recovery sends the authorization that was claimed", async () => {
    const { payment, delivery } = await answered();
    await expect(take(delivery, dyingAt("authenticate.after-commit"))).rejects.toThrow("killed");
    const { operations } = await stored(world, payment.id);
    expect(operations.map(({ state }) => state)).toEqual(["succeeded", "claimed"]);
    expect(await takenFor(world, operations)).toEqual([]);
    expect(typeOf(await take(delivery))).toBe("RRes");
    expect(await takenFor(world, operations)).toEqual([]);
    await world.payments.database.owner`update payments.in_flight set resolve_after = now()`;
    await Promise.all([createRecovery(world.another()).sweep(), createRecovery(world.another()).sweep()]);
    await expectPaidOnce(payment);
    // With its security code, which the vault has kept over challenge and crash.
    expect((await stored(world, payment.id)).operations[1]?.details?.cvc).toBe("match");
  });
});

const dyingAt = (point: string): PaymentDeps =>
  world.another({
    crash: (name) => {
      if (name === point) throw new Error("killed");
    },
  });
