import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RedisSandboxControl } from "../../../test/sandbox/redis/control-client.ts";
import { type RunningRedis, startRedisSandbox } from "../../../test/sandbox/redis/server.ts";
import { testMerchant } from "../../../test/support/database.ts";
import {
  authorizeAs,
  authorizeCommand,
  newKey,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { createSealer } from "../../cache/seal.ts";
import { openSharedTier } from "../../cache/shared-tier.ts";
import { type MerchantId, type PaymentMethodId, uuidOf } from "../../kernel/ids.ts";
import type { Commit } from "../../ledger/commit.ts";
import { createCustomer, removePaymentMethod } from "../flow/customer.ts";
import type { PaymentDeps } from "../flow/deps.ts";
import { createCachedReads } from "./cached-reads.ts";

const SECRET = "s".repeat(32);
let world: PaymentWorld;
let redis: RunningRedis;
let control: RedisSandboxControl;
let merchant: MerchantId;
let method: PaymentMethodId;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  world = await startPaymentWorld();
  redis = await startRedisSandbox({ port: 0, token: "t" });
  control = new RedisSandboxControl(redis.url);
});
beforeEach(async () => {
  await control.reset();
  merchant = (await testMerchant(world.database.owner)).id;
  method = await storedCard();
});
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});
afterAll(async () => {
  await redis.stop();
  await world.stop();
});

/** A card that a customer has stored by paying with it. */
async function storedCard(): Promise<PaymentMethodId> {
  const made = await createCustomer(world.deps, {
    merchant,
    key: newKey(),
    reference: null,
    email: null,
    name: null,
  });
  if (made.kind !== "created") throw new Error(`no customer: ${made.kind}`);
  const source = {
    type: "token",
    token: world.vault.tokenize(),
    customer: made.customer.id,
    store: "recurring",
  } as const;
  const payer = { ip: "203.0.113.77", country: null, email: null };
  const outcome = await authorizeAs(world.deps, authorizeCommand(merchant, "", { source, payer }));
  if (outcome.kind !== "succeeded" || outcome.payment.terms.paymentMethod === null)
    throw new Error(`the card was not stored: ${outcome.kind}`);
  return outcome.payment.terms.paymentMethod;
}

/** A feed that asks once at its start and then not again while a test runs. */
const HEARS_NOTHING_MORE = 60_000;

/** A region process with its cache of stored cards. */
function processOf(withRedis: boolean, pollMs?: number, commit = world.deps.commit) {
  const shared = withRedis
    ? openSharedTier({ url: redis.url, token: "t", secret: SECRET, timeoutMs: 500 })
    : null;
  const { reads } = world.deps;
  const cached = createCachedReads({
    reads,
    url: world.database.url,
    shared,
    ...(pollMs === undefined ? {} : { pollMs }),
  });
  closing.push(async () => {
    await shared?.close();
    await cached.close();
  });
  const deps: PaymentDeps = { ...world.deps, reads: cached.reads, commit: cached.dropping(commit) };
  return { deps, counts: cached.counts };
}

type Process = ReturnType<typeof processOf>;

/** Reads the card until the process has it from its memory, as active. */
async function warm({ deps, counts }: Process): Promise<void> {
  const before = counts().memory;
  await expect
    .poll(async () => {
      expect((await deps.reads.method(merchant, method))?.status).toBe("active");
      return counts().memory;
    })
    .toBeGreaterThan(before);
}

const pay = (deps: PaymentDeps, key = newKey()) =>
  authorizeAs(deps, {
    ...authorizeCommand(merchant, ""),
    key,
    source: { type: "stored", method, initiator: "merchant" },
  });

async function traces() {
  const { received } = await world.sandbox.requests();
  const [rows] = await world.database.owner`
    select (select count(*) from payments.payment where merchant = ${uuidOf(merchant)}) as payments,
           (select count(*) from payments.operation where merchant = ${uuidOf(merchant)}) as operations,
           (select count(*) from payments.idempotency where merchant = ${uuidOf(merchant)}) as keys`;
  return { received, ...rows };
}

describe.each([
  ["with Redis", true],
  ["without Redis", false],
])("%s: a stored card that was removed", (_, withRedis) => {
  it("is refused at once by a process that still has it as active, and nothing is sent", async () => {
    const [first, second] = [processOf(withRedis), processOf(withRedis, HEARS_NOTHING_MORE)];
    await warm(second);
    await removePaymentMethod(first.deps, merchant, method);
    const [before, memory] = [await traces(), second.counts().memory];
    expect(await pay(second.deps)).toMatchObject({
      kind: "invalid",
      issues: [{ path: ["paymentMethod"], code: "UNKNOWN_PAYMENT_METHOD" }],
    });
    // It was the guard that refused: the cache had said that the card was active.
    expect(second.counts().memory).toBe(memory + 1);
    expect(await traces()).toEqual(before);
    // And this process has learned it.
    expect((await second.deps.reads.method(merchant, method))?.status).toBe("removed");
  });

  it("would be charged without the guard of commit 1", async () => {
    const unguarded = (commit: Commit) => {
      const { requires: _requires, ...rest } = commit;
      return world.deps.commit(rest);
    };
    const [first, second] = [processOf(withRedis), processOf(withRedis, HEARS_NOTHING_MORE, unguarded)];
    await warm(second);
    await removePaymentMethod(first.deps, merchant, method);
    const before = await traces();
    expect((await pay(second.deps)).kind).toBe("succeeded");
    expect((await traces()).received).toBeGreaterThan(before.received);
  });

  it("is seen as removed at once where it was removed, and everywhere within seconds", async () => {
    const [first, second] = [processOf(withRedis), processOf(withRedis)];
    await warm(first);
    await warm(second);
    await removePaymentMethod(first.deps, merchant, method);
    expect((await first.deps.reads.method(merchant, method))?.status).toBe("removed");
    const from = performance.now();
    const seen = async () => (await second.deps.reads.method(merchant, method))?.status;
    await expect.poll(seen, { timeout: 5_000 }).toBe("removed");
    expect(performance.now() - from).toBeLessThan(2_500);
    for (const one of [first, second, processOf(withRedis)])
      expect((await one.deps.reads.method(merchant, method))?.status).toBe("removed");
  });

  it("does not change what a request that was made before is answered, once it is known to be removed", async () => {
    const [first, second] = [processOf(withRedis), processOf(withRedis, HEARS_NOTHING_MORE)];
    await warm(second);
    const key = newKey();
    const paid = await pay(second.deps, key);
    if (paid.kind !== "succeeded") throw new Error(`not paid: ${paid.kind}`);
    await removePaymentMethod(first.deps, merchant, method);
    // What commit 1 says of it teaches the process that has it as active still.
    await pay(second.deps, newKey());
    const before = await traces();
    for (const one of [first, second])
      expect(await pay(one.deps, key)).toMatchObject({ kind: "succeeded", payment: { id: paid.payment.id } });
    expect(await traces()).toEqual(before);
  });
});

it("a card that is still pending is not kept: it can be paid with as soon as it is active", async () => {
  const process = processOf(true);
  await warm(process);
  const become = (status: string) =>
    world.database.owner`update payments.payment_method set status = ${status} where id = ${uuidOf(method)}`;
  await become("pending");
  const seen = async () => (await process.deps.reads.method(merchant, method))?.status;
  await expect.poll(seen, { timeout: 5_000 }).toBe("pending");
  expect(await seen()).toBe("pending");
  await become("active");
  expect(await seen()).toBe("active");
  expect((await pay(process.deps)).kind).toBe("succeeded");
});

it("a stored card is its merchant's own, also in the cache", async () => {
  const [first, second] = [processOf(true), processOf(true)];
  await warm(first);
  const stranger = (await testMerchant(world.database.owner)).id;
  for (const { deps } of [first, second]) expect(await deps.reads.method(stranger, method)).toBeNull();
});

it("another process reads it from Redis in full, and Redis has nothing of it to read", async () => {
  const [first, second] = [processOf(true), processOf(true)];
  await warm(first);
  const name = createSealer(SECRET).nameOf("payment method 1", merchant, method);
  const inRedis = async () => (await control.keys()).keys.find(({ key }) => key === name);
  await expect.poll(inRedis).toBeDefined();
  await warm(second);
  expect(second.counts().shared).toBe(1);
  const stored = await first.deps.reads.method(merchant, method);
  expect(await second.deps.reads.method(merchant, method)).toEqual(stored);
  const kept = await inRedis();
  const bytes = `${kept?.key}${Buffer.from(kept?.value ?? "", "base64url").toString("latin1")}`;
  for (const secret of [
    stored?.card.token,
    stored?.card.last4,
    "203.0.113.77",
    method,
    merchant,
    uuidOf(method),
  ])
    expect(bytes).not.toContain(secret);
});
