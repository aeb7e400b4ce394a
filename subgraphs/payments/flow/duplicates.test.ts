import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { homeFor, type MerchantId, newId } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { OutboxEvent } from "../../ledger/commit.ts";
import { declineOf } from "../domain/decline.ts";
import { cardUseOf, DEFAULT_POLICY, type DuplicatePolicy, paidBy } from "../domain/duplicates.ts";
import type { Payment, Phase } from "../domain/payment.ts";
import { samplePayment, sampleTerms } from "../domain/samples.ts";
import type { Duplicate, Duplicates, UsedCard } from "../sql/duplicates.ts";
import { type DuplicateWatch, watchDuplicates } from "./duplicates.ts";

const MINUTE = 60_000;
const merchant = newId("mer", homeFor(1, 7), new Date());

/** What several processes have in common: the committed payments, found as the database finds them. */
class Shared implements Duplicates {
  policyNow: DuplicatePolicy = DEFAULT_POLICY;
  readonly committed = new Map<string, { payment: Payment; what: string }>();
  readonly flagged = new Map<string, string>();
  readonly events: OutboxEvent[] = [];
  readonly asked: number[] = [];
  policies = 0;
  down = false;

  commit(payment: Payment): void {
    this.committed.set(payment.id, { payment, what: cardUseOf(paidBy(payment)) ?? "" });
  }
  async policy() {
    this.policies++;
    return this.policyNow;
  }
  async since(of: MerchantId, what: string, since: Date) {
    return [...this.committed.values()]
      .filter((one) => one.payment.merchant === of && one.what === what && one.payment.createdAt >= since)
      .map(({ payment: { id, phase } }) => ({
        id,
        state: phase === "declined" ? ("declined" as const) : ("authorized" as const),
      }))
      .toReversed();
  }
  async among(used: readonly UsedCard[]) {
    if (this.down) throw new Error("the database is away");
    this.asked.push(used.length);
    const found: Duplicate[] = [];
    for (const { payment, merchant: of, what } of used) {
      for (const [other, known] of this.committed) {
        if (other === payment || known.what !== what || known.payment.merchant !== of) continue;
        const [earlier, later] = [payment, known.payment.id].toSorted() as [typeof payment, typeof payment];
        if (!this.flagged.has(later)) found.push({ merchant: of, payment: later, earlier });
      }
    }
    return found;
  }
  async flag({ payment, earlier }: Duplicate, event: OutboxEvent) {
    if (this.flagged.has(payment)) return false;
    this.flagged.set(payment, earlier);
    this.events.push(event);
    return true;
  }
  forgetOld = vi.fn(async () => 0);
  async close() {}
}

let shared: Shared;
const watches: DuplicateWatch[] = [];
const warned: string[] = [];
const log = pino(
  { level: "warn" },
  { write: (line: string) => void warned.push((JSON.parse(line) as { msg: string }).msg) },
);

function process(): DuplicateWatch {
  const reads = {
    payments: async (_: MerchantId, ids: readonly string[]) =>
      ids.flatMap((id) => shared.committed.get(id)?.payment ?? []),
  };
  const watch = watchDuplicates({ duplicates: shared, reads, clock: { now: () => new Date() }, log });
  watches.push(watch);
  return watch;
}

let amounts = 0;
function payment(overrides: Partial<Payment> = {}): Payment {
  const at = new Date();
  return samplePayment({
    id: newId("pay", homeFor(1, 7), at),
    merchant,
    createdAt: at,
    phase: "processing" as Phase,
    amount: moneyOf(100n, "EUR"),
    ...overrides,
  });
}
/** As the flow does it: look, commit 1, and say so. */
async function pay(watch: DuplicateWatch, overrides: Partial<Payment> = {}): Promise<Payment> {
  const asked = payment(overrides);
  const { of } = await watch.look(paidBy(asked));
  const claimed = { ...asked, terms: { ...asked.terms, duplicateOf: of } };
  shared.commit(claimed);
  if (of !== null) shared.flagged.set(claimed.id, of);
  watch.claimed(claimed);
  await vi.advanceTimersByTimeAsync(1);
  return claimed;
}
const amount = () => ({ amount: moneyOf(BigInt(1_000 + ++amounts), "EUR") });
const figure = (watch: DuplicateWatch, name: string) => watch.figures()[`tessera_duplicates_${name}`];

beforeEach(() => {
  vi.useFakeTimers();
  shared = new Shared();
  warned.length = 0;
});
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.stop()));
  vi.useRealTimers();
});

describe("the same again", () => {
  it("is known before it is claimed, in the same process", async () => {
    const watch = process();
    const same = amount();
    const first = await pay(watch, same);
    const second = await pay(watch, same);
    const third = await pay(watch, same);
    expect([first, second, third].map(({ terms }) => terms.duplicateOf)).toEqual([null, first.id, second.id]);
    expect([figure(watch, "suspected_total"), warned]).toEqual([
      2,
      Array(2).fill("a payment looks like a duplicate"),
    ]);
    expect(figure(watch, "waiting")).toBe(1); // the first
    watch.claimed(third); // as recovery does
    await watch.sweep();
    expect([shared.events.length, figure(watch, "suspected_total")]).toEqual([0, 2]); // commit 1 has announced them
  });

  it("is no duplicate of one that took nothing", async () => {
    const watch = process();
    const same = amount();
    const first = await pay(watch, same);
    shared.commit({ ...first, phase: "declined", decline: declineOf("generic_decline") });
    expect((await pay(watch, same)).terms.duplicateOf).toBeNull();
  });

  it("is none after the window", async () => {
    shared.policyNow = { windowMs: 10 * MINUTE, refuse: false };
    const watch = process();
    const same = amount();
    const first = await pay(watch, same);
    await vi.advanceTimersByTimeAsync(10 * MINUTE - 10);
    const late = await watch.look(paidBy(first));
    await vi.advanceTimersByTimeAsync(20);
    const tooLate = await watch.look(paidBy(first));
    expect([late.count, tooLate.count]).toEqual([1, 0]);
  });

  it("is none of another merchant's, nor of agreed payments without the payer", async () => {
    const watch = process();
    const same = amount();
    await pay(watch, same);
    const other = newId("mer", homeFor(1, 7), new Date());
    expect((await pay(watch, { ...same, merchant: other })).terms.duplicateOf).toBeNull();
    const recurring = {
      initiator: "merchant",
      reason: "recurring",
      first: false,
      networkTransactionId: null,
    } as const;
    expect(
      (await pay(watch, { ...same, terms: sampleTerms({ stored: recurring }) })).terms.duplicateOf,
    ).toBeNull();
    await watch.sweep();
    expect(shared.asked).toEqual([2]);
  });

  it("is looked up where the merchant refuses it, also what another process has seen", async () => {
    shared.policyNow = { windowMs: 10 * MINUTE, refuse: true };
    const [one, another] = [process(), process()];
    const same = amount();
    const first = await pay(one, same);
    const found = await another.look(paidBy(first));
    expect(found).toEqual({ count: 1, of: first.id, policy: shared.policyNow });
  });

  it("that was refused is counted as that, and is not the first of another", async () => {
    const watch = process();
    const same = amount();
    watch.claimed(payment({ ...same, phase: "declined", decline: declineOf("duplicate_payment") }));
    expect([figure(watch, "refused_total"), figure(watch, "waiting"), warned.length]).toEqual([1, 0, 1]);
    watch.claimed(payment({ ...same, phase: "declined", decline: declineOf("blocked_by_risk") }));
    expect([figure(watch, "refused_total"), figure(watch, "waiting")]).toEqual([1, 0]);
  });
});

describe("what another process claimed at the same moment", () => {
  it("is flagged within a second, counted, logged and announced, once", async () => {
    const [one, another] = [process(), process()];
    const same = amount();
    const first = await pay(one, same);
    await vi.advanceTimersByTimeAsync(1);
    const second = await pay(another, same);
    expect(second.terms.duplicateOf).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([...shared.flagged]).toEqual([[second.id, first.id]]);
    expect(shared.events).toMatchObject([
      {
        type: "payment.duplicate_suspected.v1",
        payment: second.id,
        body: { duplicateOf: first.id, amount: Number(same.amount.minor) },
      },
    ]);
    expect((figure(one, "suspected_total") ?? 0) + (figure(another, "suspected_total") ?? 0)).toBe(1);
    expect(warned).toHaveLength(1);
  });

  it("is flagged by one of two that find it at once", async () => {
    const [one, another] = [process(), process()];
    const same = amount();
    await pay(one, same);
    await pay(another, same);
    const flagged = await Promise.all([one.sweep(), another.sweep()]);
    expect([flagged.toSorted(), shared.events.length]).toEqual([[0, 1], 1]);
  });

  it("is asked for many at once", async () => {
    const watch = process();
    await Promise.all(Array.from({ length: 2_500 }, () => pay(watch, amount())));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shared.asked.reduce((sum, length) => sum + length, 0)).toBe(2_500);
    expect(Math.max(...shared.asked)).toBeLessThanOrEqual(1_000);
    expect(shared.asked.length).toBeLessThan(10);
    expect(shared.policies).toBe(1);
  });

  it("is asked for again if the database was away", async () => {
    const [one, another] = [process(), process()];
    const same = amount();
    await pay(one, same);
    shared.down = true;
    await pay(another, same);
    await vi.advanceTimersByTimeAsync(3_000);
    expect([figure(another, "waiting"), shared.flagged.size]).toEqual([1, 0]);
    shared.down = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect([figure(another, "waiting"), shared.flagged.size]).toEqual([0, 1]);
  });

  it("is not remembered without bound", async () => {
    const watch = process();
    shared.down = true;
    for (let time = 0; time < 20_003; time++) watch.claimed(payment(amount()));
    expect([figure(watch, "waiting"), figure(watch, "unchecked_total")]).toEqual([20_000, 3]);
    shared.down = false;
  });

  it("is looked for once more before the process ends", async () => {
    const [one, another] = [process(), process()];
    const same = amount();
    await pay(one, same);
    await pay(another, same);
    await another.stop();
    expect(shared.flagged.size).toBe(1);
  });
});

it("forgets from time to time what nobody asks for any more", async () => {
  const watch = process();
  for (let time = 0; time < 5; time++) {
    await pay(watch, amount());
    await vi.advanceTimersByTimeAsync(30_000);
  }
  expect(shared.forgetOld.mock.calls.length).toBeGreaterThanOrEqual(2);
  expect(shared.forgetOld.mock.calls.length).toBeLessThanOrEqual(3);
  expect(shared.forgetOld).toHaveBeenCalledWith([7]);
});
