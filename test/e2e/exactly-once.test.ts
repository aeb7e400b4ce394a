import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectBooksToAgree } from "../support/agreement.ts";
import { type Platform, payments, startPlatform } from "../support/platform.ts";

/** One charge for one request, whatever clients, networks and the provider do. Read from the provider's own book. */
let platform: Platform;
let api: ReturnType<typeof payments>;

beforeAll(async () => {
  platform = await startPlatform({ regionEnv: { PROVIDER_DEADLINE_MS: "2000", BREAKERS: "off" } });
  api = payments(platform);
});
afterAll(() => platform?.stop());

const movementsOf = async (id: string) =>
  (await platform.sandbox.book({ metadata: { tessera_payment: id } })).movements.map(
    ({ kind, amount }) => `${kind} ${amount}`,
  );

/** A thousand at once are more than there is room for. Whoever is turned away may ask again. */
const turnedAway = (error: unknown): null => {
  expect(String(error)).toMatch(/Too many|repeat the request/);
  return null;
};

describe("1,000 times the same request at once", () => {
  it("is one charge and one payment; who is not turned away hears of that payment, or that it is in progress", async () => {
    const input = { idempotencyKey: randomUUID(), token: await platform.token(), captureMethod: "AUTOMATIC" };
    await platform.sandbox.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "delay", ms: 800 },
    });
    const all = await Promise.all(
      Array.from({ length: 1_000 }, () => api.authorize(input).catch(turnedAway)),
    );
    const answers = all.filter((answer) => answer !== null);
    const ids = new Set(answers.map((answer) => answer.id ?? answer.payment?.id));
    expect(ids.size).toBe(1);
    const kinds = Map.groupBy(answers, (answer) => answer.__typename);
    expect([...kinds.keys()].filter((kind) => kind !== "Payment" && kind !== "PaymentPending")).toEqual([]);
    expect(kinds.get("Payment")?.length).toBeGreaterThan(0);
    const [id] = ids;
    expect(await movementsOf(id)).toEqual(["authorized 10000", "captured 10000"]);
    const rows = await platform.owner`select 1 from payments.idempotency where key = ${input.idempotencyKey}`;
    expect(rows).toHaveLength(1);
    expect(await api.authorize(input)).toMatchObject({ __typename: "Payment", id, state: "CAPTURED" });
    expect(await api.authorize({ ...input, amount: api.money(1) })).toMatchObject({
      __typename: "IdempotencyKeyReused",
    });
  });
});

describe.each(["capture", "refund"] as const)("two of %s at once with different keys", (kind) => {
  it("never exceed the amount", async () => {
    const rounds = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { id } = await api.authorize();
        if (kind === "refund") await api.capture(id);
        const part = { amount: api.money(6_000), ...(kind === "capture" ? { final: false } : {}) };
        const results = await Promise.all([api[kind](id, part), api[kind](id, part), api[kind](id, part)]);
        return { id, kinds: results.map(({ __typename }) => __typename).sort() };
      }),
    );
    for (const { id, kinds } of rounds) {
      expect(kinds).toEqual(["AmountExceedsAvailable", "AmountExceedsAvailable", "Payment"]);
      const moved = (await movementsOf(id)).filter((movement) =>
        movement.startsWith(kind === "capture" ? "captured" : "refunded"),
      );
      expect(moved).toEqual([kind === "capture" ? "captured 6000" : "refunded 6000"]);
    }
  });
});

describe.each([
  ["MANUAL", "AUTHORIZED", ["authorized 10000"]],
  ["AUTOMATIC", "CAPTURED", ["authorized 10000", "captured 10000"]],
] as const)("an authorization with capture method %s", (captureMethod, state, charged) => {
  it.each([
    ["whose answer is lost", { kind: "lose_response" }],
    ["that lands after the provider did not find it", { kind: "land_late", afterMs: 4_000 }],
    ["answered with a 500 after it was done", { kind: "status_after", status: 500 }],
  ] as const)("%s is pending, then what the provider's book says", async (_, fault) => {
    await platform.sandbox.faults({ match: { operation: "create" }, times: 1, fault });
    const pending = await api.authorize({ captureMethod });
    expect(pending).toMatchObject({ __typename: "PaymentPending", payment: { state: "PROCESSING" } });
    const { id } = pending.payment;
    expect((await api.settled(id)).state).toBe(state);
    // Also when the late one has landed.
    if (fault.kind === "land_late") await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(await movementsOf(id)).toEqual(charged);
  });
});

it("a provider that is down for a while delays payments and loses none", async () => {
  await platform.sandbox.settings({ down: true });
  const pending = await Promise.all(
    Array.from({ length: 5 }, () => api.authorize({ captureMethod: "AUTOMATIC" })),
  );
  expect(pending.map(({ __typename }) => __typename)).toEqual(Array(5).fill("PaymentPending"));
  await platform.sandbox.settings({ down: false });
  const back = Date.now();
  const settled = await Promise.all(pending.map(({ payment }) => api.settled(payment.id)));
  expect(settled.map(({ state }) => state)).toEqual(Array(5).fill("CAPTURED"));
  expect(Date.now() - back).toBeLessThan(30_000);
});

it("after all that provider, payments and ledger agree to the cent", async () => {
  expect(await expectBooksToAgree(platform)).toBeGreaterThan(20);
});
