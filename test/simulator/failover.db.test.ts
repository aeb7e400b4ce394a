import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import type { Outcome } from "../../subgraphs/payments/flow/outcome.ts";
import { createRecovery } from "../../subgraphs/payments/flow/recover.ts";
import { BREAKER_LIMITS } from "../../subgraphs/payments/routing/breaker.ts";
import type { FaultRule } from "../sandbox/kit/faults.ts";
import { testMerchant } from "../support/database.ts";
import { authorizeAs, authorizeCommand, type PaymentWorld, startPaymentWorld } from "../support/payments.ts";
import { preferring } from "../support/routing-rules.ts";

/**
 * One provider of three is of no use, and the others carry on. The router is the real one with its breakers; the charges are
 * counted in the providers' own books.
 */
const NAMES = ["stripe", "adyen", "acquirer"] as const;
const AT_ONCE = 10;

let world: PaymentWorld;
let merchants: MerchantId[];

/** Everybody prefers the provider that is of no use. */
async function start(useless: string): Promise<void> {
  const router = { rules: preferring(NAMES, () => useless) };
  world = await startPaymentWorld({ providers: NAMES, router, providerDeadlineMs: 500 });
  const created = [1, 2, 3].map((shard) => testMerchant(world.database.owner, shard));
  merchants = (await Promise.all(created)).map(({ id }) => id);
}

/** Authorizations, some at the same time; each is told with what it became. */
async function authorizeMany(count: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      const merchant = merchants[left % merchants.length] as MerchantId;
      outcomes.push(await authorizeAs(world.deps, authorizeCommand(merchant, world.vault.tokenize())));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return outcomes;
}

const counted = (outcomes: readonly Outcome[]) => (kind: Outcome["kind"]) =>
  outcomes.filter((outcome) => outcome.kind === kind).length;

/** Authorizations that the books have, by provider: each reference at most once. */
async function charges(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const references = new Set<string>();
  for (const sandbox of world.sandboxes) {
    const movements = (await sandbox.book()).filter(({ kind }) => kind === "authorized");
    for (const { reference } of movements) {
      expect(references.has(reference ?? ""), `${reference} is charged once`).toBe(false);
      references.add(reference ?? "");
    }
    found[sandbox.name] = movements.length;
  }
  return found;
}

const total = (found: Readonly<Record<string, number>>): number =>
  Object.values(found).reduce((sum, count) => sum + count, 0);

/** Payments that have more than one operation with money. */
const chargedTwice = () => world.database.owner`
  select payment from payments.operation where kind = 'authorize' and state = 'succeeded' group by payment having count(*) > 1`;

async function failing(name: (typeof NAMES)[number], rule: FaultRule): Promise<void> {
  await world.sandboxes.find((sandbox) => sandbox.name === name)?.faults([rule]);
}

describe.each(NAMES)("while %s", (name) => {
  beforeAll(() => start(name));
  afterAll(() => world.stop());

  it("fails every payment definitely, at least 99.9 % succeed through another, and none twice", async () => {
    // In each provider's own words: something broke before the issuer was asked.
    const definite = { stripe: "processing_error", adyen: "4", acquirer: "19" }[name];
    await failing(name, { match: { method: "POST" }, fault: { kind: "decline", declineCode: definite } });
    const count = 300;
    const outcomes = await authorizeMany(count);
    expect(counted(outcomes)("succeeded") / count).toBeGreaterThanOrEqual(0.999);
    const found = await charges();
    expect(found[name]).toBe(0);
    expect(total(found)).toBe(count);
    expect(await chargedTwice()).toEqual([]);
    const [asked] = await world.database.owner`
      select count(*)::int as count from payments.operation where provider = ${name} and kind = 'authorize'`;
    // It was asked at all, or this proved nothing.
    expect(asked?.["count"]).toBeGreaterThan(0);
  });
});

describe.each(NAMES)("while %s", (name) => {
  beforeAll(() => start(name));
  afterAll(() => world.stop());

  it("never answers, the breaker's threshold and those in flight become unknown, and the rest succeed elsewhere", async () => {
    await failing(name, { match: { method: "POST" }, fault: { kind: "hang" } });
    const count = 200;
    const outcomes = await authorizeMany(count);
    const of = counted(outcomes);
    expect(of("pending")).toBeGreaterThan(0);
    expect(of("pending")).toBeLessThanOrEqual(BREAKER_LIMITS.inARow + AT_ONCE);
    expect(of("succeeded")).toBe(count - of("pending"));
    expect(total(await charges())).toBe(of("succeeded"));

    // Nothing of it was tried elsewhere: once the provider answers, each of them is there, once.
    await world.sandboxes.find((sandbox) => sandbox.name === name)?.faults([]);
    const recovery = createRecovery(world.another());
    const { owner } = world.database;
    const unresolved = async () =>
      (await owner`select count(*)::int as count from payments.in_flight`)[0]?.["count"] as number;
    for (const end = Date.now() + 20_000; Date.now() < end && (await unresolved()) > 0; ) {
      await owner`update payments.in_flight set resolve_after = now()`;
      await recovery.sweep();
    }
    expect(await unresolved()).toBe(0);
    const found = await charges();
    expect(found[name]).toBe(of("pending"));
    expect(total(found)).toBe(count);
    expect(await chargedTwice()).toEqual([]);
  });
});
