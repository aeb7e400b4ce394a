import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  authorizeAs,
  authorizeCommand,
  newKey,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import { createAdmission } from "./admission.ts";
import { type FollowUpKind, followUp } from "./follow-up.ts";
import type { Outcome } from "./outcome.ts";

let world: PaymentWorld;
let merchant: MerchantId;

beforeAll(async () => {
  world = await startPaymentWorld();
  merchant = (await testMerchant(world.database.owner)).id;
});
afterAll(() => world.stop());

const book = async (payment: Payment) => {
  const { movements } = await world.sandbox.book({ metadata: { tessera_payment: payment.id } });
  return movements.map(({ kind, amount }) => [kind, amount] as const);
};

async function succeeded(outcome: Promise<Outcome> | Outcome): Promise<Payment> {
  const result = await outcome;
  if (result.kind !== "succeeded")
    throw new Error(
      `expected success: ${JSON.stringify(result, (_, v) => (typeof v === "bigint" ? `${v}` : v))}`,
    );
  return result.payment;
}

const authorized = (minor = 10_000n) =>
  succeeded(authorizeAs(world.deps, authorizeCommand(merchant, world.vault.tokenize(), { minor })));

const act = (
  kind: FollowUpKind,
  payment: Payment,
  minor: bigint | null,
  options: { key?: string; final?: boolean } = {},
) =>
  followUp(world.deps, kind, {
    merchant,
    key: options.key ?? newKey(),
    payment: payment.id,
    amount: minor === null ? null : moneyOf(minor, payment.amount.currency),
    final: options.final ?? true,
  });

describe("authorizing", () => {
  it("holds the money at the provider, once", async () => {
    const payment = await authorized();
    expect(stateOf(payment)).toBe("authorized");
    expect(payment.authorizationExpiresAt).toBeInstanceOf(Date);
    expect(await book(payment)).toEqual([["authorized", 10_000]]);
  });

  it("takes it at once with automatic capture", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize(), { captureMethod: "automatic" });
    const payment = await succeeded(authorizeAs(world.deps, command));
    expect(stateOf(payment)).toBe("captured");
    expect(await book(payment)).toEqual([
      ["authorized", 10_000],
      ["captured", 10_000],
    ]);
  });

  it.each([
    ["4000000000000002", "generic_decline"],
    ["4000000000009995", "insufficient_funds"],
    ["4000000000009987", "lost_card"],
    ["4000000000009979", "stolen_card"],
    ["4000000000000069", "expired_card"],
    ["4000000000000127", "incorrect_cvc"],
    ["4000000000000119", "processing_error"],
    ["4100000000000019", "suspected_fraud"],
    ["4000002760003184", "authentication_required"],
  ])("with %s is declined: %s", async (number, code) => {
    const outcome = await authorizeAs(world.deps, authorizeCommand(merchant, world.vault.tokenize(number)));
    expect(outcome).toMatchObject({ kind: "declined", decline: { code } });
    if (outcome.kind !== "declined") return;
    expect(stateOf(outcome.payment)).toBe("declined");
    expect(await book(outcome.payment)).toEqual([]);
  });

  it.each([
    ["JPY", 500n],
    ["KWD", 12_340n],
    ["UGX", 5_000n],
    ["ISK", 500n],
    ["MGA", 500_000n],
  ] as const)("counts %s as ISO 4217 does, whatever the provider does", async (currency, minor) => {
    const command = authorizeCommand(merchant, world.vault.tokenize(), {
      currency,
      minor,
      captureMethod: "automatic",
    });
    const payment = await succeeded(authorizeAs(world.deps, command));
    expect(payment.captured).toBe(minor);
    const half = await succeeded(act("refund", payment, minor / 2n));
    expect(half.refunded).toBe(minor / 2n);
  });

  it.each([
    ["KWD", 12_345n],
    ["MGA", 12_345n],
  ] as const)(
    "refuses a %s amount that the provider cannot count, before anything is claimed",
    async (currency, minor) => {
      const command = authorizeCommand(merchant, world.vault.tokenize(), { currency, minor });
      expect(await authorizeAs(world.deps, command)).toMatchObject({
        kind: "invalid",
        issues: [{ code: "AMOUNT_NOT_ACCEPTED" }],
      });
      expect(await world.deps.reads.claim(merchant, command.key)).toBeNull();
    },
  );

  it("of less than the provider's minimum fails for certain", async () => {
    const outcome = await authorizeAs(
      world.deps,
      authorizeCommand(merchant, world.vault.tokenize(), { minor: 1n }),
    );
    expect(outcome).toMatchObject({ kind: "failed", decline: { code: "amount_not_accepted" } });
  });

  it("forgets the security code once it is recorded", async () => {
    const token = world.vault.tokenize();
    await succeeded(authorizeAs(world.deps, authorizeCommand(merchant, token)));
    await world.deps.forgetter.flush();
    expect(world.vault.forgotten).toContain(token);
    const again = await succeeded(authorizeAs(world.deps, authorizeCommand(merchant, token)));
    expect(stateOf(again)).toBe("authorized");
  });

  it("twice at once with one card gives the security code to one, and charges both", async () => {
    const token = world.vault.tokenize();
    const both = await Promise.all(
      [1, 2].map(() => authorizeAs(world.deps, authorizeCommand(merchant, token))),
    );
    expect(both.map(({ kind }) => kind)).toEqual(["succeeded", "succeeded"]);
    const carried = both.map(
      (outcome) => outcome.kind === "succeeded" && outcome.operation.request?.body?.includes("card.cvc"),
    );
    expect(carried.sort()).toEqual([false, true]);
  });

  it("refuses an unknown token, and still answers a repetition after the card is gone", async () => {
    const token = world.vault.tokenize();
    const command = authorizeCommand(merchant, token);
    const first = await succeeded(authorizeAs(world.deps, command));
    world.vault.cards.delete(token);
    const unknown = { ...command, key: newKey() };
    expect(await authorizeAs(world.deps, unknown)).toMatchObject({
      kind: "invalid",
      issues: [{ code: "UNKNOWN_TOKEN" }],
    });
    expect((await succeeded(authorizeAs(world.deps, command))).id).toBe(first.id);
  });
});

describe("before anything is sent", () => {
  const sent = async () => (await world.sandbox.requests()).received;

  it("risk may refuse: the payment is declined in one commit, and its reasons are kept", async () => {
    const shop = (await testMerchant(world.database.owner)).id;
    await world.database.owner`
      insert into risk.list_entry (shard, merchant, kind, value, list)
      values (7, ${uuidOf(shop)}, 'card', 'fp_4242', 'block')`;
    const before = await sent();
    const command = authorizeCommand(shop, world.vault.tokenize(), { captureMethod: "automatic" });
    const outcome = await authorizeAs(world.deps, command);
    expect(outcome).toMatchObject({ kind: "declined", decline: { code: "blocked_by_risk" } });
    expect(await sent()).toBe(before);
    const [row] = await world.database
      .owner`select decision, score from risk.assessment where merchant = ${uuidOf(shop)}`;
    expect(row).toEqual({ decision: "block", score: 100 });
    expect(await authorizeAs(world.deps, command)).toMatchObject({ kind: "declined" });
  });

  it("risk may ask for a review: the payment is authorized and waits for a person's capture", async () => {
    await world.database.owner`
      insert into risk.amount_limit (shard, merchant, currency, review_above) values (7, ${uuidOf(merchant)}, 'CHF', 5000)`;
    const review = { currency: "CHF", captureMethod: "automatic" } as const;
    const held = await succeeded(
      authorizeAs(
        world.deps,
        authorizeCommand(merchant, world.vault.tokenize(), { ...review, minor: 5_001n }),
      ),
    );
    expect([stateOf(held), held.captureMethod]).toEqual(["in_review", "manual"]);
    expect(await book(held)).toEqual([["authorized", 5_001]]);
    const passed = await succeeded(
      authorizeAs(
        world.deps,
        authorizeCommand(merchant, world.vault.tokenize(), { ...review, minor: 5_000n }),
      ),
    );
    expect(stateOf(passed)).toBe("captured");
    expect(stateOf(await succeeded(act("capture", held, null)))).toBe("captured");
  });

  it("an expired card is told, and takes no key", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize(undefined, "123", 2025));
    expect(await authorizeAs(world.deps, command)).toMatchObject({
      kind: "invalid",
      issues: [{ code: "EXPIRED_CARD" }],
    });
    expect(await world.deps.reads.claim(merchant, command.key)).toBeNull();
  });

  it("load beyond the limit is refused, and takes no key", async () => {
    const full = world.another({ admission: createAdmission(2) });
    await world.sandbox.faults({
      match: { operation: "create" },
      times: 2,
      fault: { kind: "delay", ms: 300 },
    });
    const commands = [1, 2, 3].map(() => authorizeCommand(merchant, world.vault.tokenize()));
    const outcomes = await Promise.all(commands.map((command) => authorizeAs(full, command)));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(["overloaded", "succeeded", "succeeded"]);
    const refused = commands[outcomes.findIndex(({ kind }) => kind === "overloaded")];
    expect(await world.deps.reads.claim(merchant, refused?.key ?? "")).toBeNull();
    expect(await authorizeAs(full, refused as (typeof commands)[0])).toMatchObject({ kind: "succeeded" });
  });
});

describe("the same request again", () => {
  it("of another merchant is that merchant's own payment", async () => {
    const stranger = (await testMerchant(world.database.owner)).id;
    const mine = authorizeCommand(merchant, world.vault.tokenize());
    const theirs = { ...mine, merchant: stranger };
    const [a, b] = await Promise.all([authorizeAs(world.deps, mine), authorizeAs(world.deps, theirs)]);
    const [first, second] = [await succeeded(a), await succeeded(b)];
    expect(first.id).not.toBe(second.id);
    expect([await book(first), await book(second)]).toEqual([
      [["authorized", 10_000]],
      [["authorized", 10_000]],
    ]);
  });

  it("is the same payment, from another process too", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize());
    const first = await succeeded(authorizeAs(world.deps, command));
    const second = await succeeded(authorizeAs(world.another(), command));
    expect(second.id).toBe(first.id);
    expect(await book(first)).toEqual([["authorized", 10_000]]);
  });

  it("with another amount is refused", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize());
    await succeeded(authorizeAs(world.deps, command));
    const other = { ...command, amount: moneyOf(10_001n, "EUR") };
    expect(await authorizeAs(world.deps, other)).toEqual({ kind: "key_reused" });
  });

  it("for another kind of operation is refused", async () => {
    const payment = await authorized();
    const key = newKey();
    await succeeded(act("capture", payment, 1_000n, { key, final: false }));
    expect(await act("refund", payment, 1_000n, { key })).toEqual({ kind: "key_reused" });
  });

  it("many times at once charges once", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize(), { captureMethod: "automatic" });
    const other = world.another();
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, i) => authorizeAs(i % 2 ? other : world.deps, command)),
    );
    const ids = new Set(
      outcomes.map((outcome) => {
        if (outcome.kind !== "succeeded" && outcome.kind !== "pending") throw new Error(outcome.kind);
        return outcome.payment.id;
      }),
    );
    expect(ids.size).toBe(1);
    const [first] = outcomes;
    if (first?.kind !== "succeeded" && first?.kind !== "pending") throw new Error("unreachable");
    expect(await book(first.payment)).toEqual([
      ["authorized", 10_000],
      ["captured", 10_000],
    ]);
  });

  it("of a decline is declined again, and nothing is sent", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize("4000000000000002"));
    await authorizeAs(world.deps, command);
    const { received } = await world.sandbox.requests();
    expect(await authorizeAs(world.deps, command)).toMatchObject({ kind: "declined" });
    expect((await world.sandbox.requests()).received).toBe(received);
  });
});

describe("capturing, voiding and refunding", () => {
  it("takes parts until a final one releases the rest", async () => {
    const payment = await authorized();
    expect(stateOf(await succeeded(act("capture", payment, 3_000n, { final: false })))).toBe(
      "partially_captured",
    );
    const closed = await succeeded(act("capture", payment, 2_000n));
    expect([closed.captured, stateOf(closed)]).toEqual([5_000n, "captured"]);
    expect(await book(payment)).toEqual([
      ["authorized", 10_000],
      ["captured", 3_000],
      ["captured", 2_000],
      ["released", 5_000],
    ]);
  });

  it("takes all that is left when no amount is given", async () => {
    const payment = await authorized();
    expect((await succeeded(act("capture", payment, null))).captured).toBe(10_000n);
    expect((await succeeded(act("refund", payment, null))).refunded).toBe(10_000n);
    expect(await act("refund", payment, null)).toMatchObject({ kind: "exceeds", available: { minor: 0n } });
  });

  it("voids", async () => {
    const payment = await authorized();
    expect(stateOf(await succeeded(act("void", payment, null)))).toBe("voided");
    expect(await book(payment)).toEqual([
      ["authorized", 10_000],
      ["released", 10_000],
    ]);
    expect(await act("capture", payment, null)).toMatchObject({ kind: "illegal_state", state: "voided" });
  });

  it.each([
    ["above the authorized amount", "capture", 10_001n, { kind: "exceeds", available: { minor: 10_000n } }],
    ["a refund of nothing captured", "refund", 1n, { kind: "illegal_state", state: "authorized" }],
  ] as const)("refuses %s", async (_, kind, minor, expected) => {
    const payment = await authorized();
    expect(await act(kind, payment, minor)).toMatchObject(expected);
    expect(await book(payment)).toEqual([["authorized", 10_000]]);
  });

  it("refuses another currency", async () => {
    const payment = await authorized();
    const command = { merchant, key: newKey(), payment: payment.id, amount: moneyOf(1n, "USD"), final: true };
    expect(await followUp(world.deps, "capture", command)).toMatchObject({
      kind: "invalid",
      issues: [{ code: "CURRENCY_MISMATCH" }],
    });
  });

  it("does not find another merchant's payment", async () => {
    const payment = await authorized();
    const stranger = (await testMerchant(world.database.owner)).id;
    const command = { merchant: stranger, key: newKey(), payment: payment.id, amount: null, final: true };
    for (const kind of ["capture", "void", "refund"] as const) {
      expect(await followUp(world.deps, kind, command)).toEqual({ kind: "not_found" });
    }
    expect(await world.deps.reads.payment(stranger, payment.id)).toBeNull();
  });

  it.each(["capture", "refund"] as const)("two at once never %s more than there is", async (kind) => {
    for (let round = 0; round < 5; round++) {
      const payment = await authorized();
      if (kind === "refund") await succeeded(act("capture", payment, null));
      const outcomes = await Promise.all([
        act(kind, payment, 7_000n, { final: false }),
        followUp(world.another(), kind, {
          merchant,
          key: newKey(),
          payment: payment.id,
          amount: moneyOf(7_000n, "EUR"),
          final: false,
        }),
      ]);
      expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(["exceeds", "succeeded"]);
      const moved = (await book(payment)).filter(
        ([what]) => what === (kind === "capture" ? "captured" : "refunded"),
      );
      expect(moved.reduce((sum, [, amount]) => sum + amount, 0)).toBe(7_000);
    }
  });

  it("many small captures at once all succeed and add up", async () => {
    const payment = await authorized();
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => act("capture", payment, 500n, { final: false })),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => "succeeded"));
    const now = await world.deps.reads.payment(merchant, payment.id);
    expect([now?.captured, now?.capturing]).toEqual([5_000n, 0n]);
    const journals = await world.database.owner`
      select sum(amount) as posted from ledger.transfer t
      join ledger.payment_journal j on j.shard = t.shard and j.commit = ledger.commit_of(t.id)
      where t.kind = 2 and t.cause = (select code from ledger.cause where name = 'capture')
        and j.payment = (select id from payments.payment where provider_payment = ${payment.providerPayment})`;
    expect(Number(journals[0]?.["posted"])).toBe(5_000);
  });
});
