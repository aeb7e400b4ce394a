import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { REFUND_REVERSED_LATER } from "../../../test/sandbox/adyen/test-cards.ts";
import type { ProviderName } from "../../../test/support/connectors.ts";
import {
  act,
  eventsOf,
  latest,
  type Mailbox,
  movementsOf,
  otherProcess,
  paymentOf,
  recover,
  reread,
  sandboxOf,
  tell,
} from "../../../test/support/payment-steps.ts";
import { authorizeAs, authorizeCommand, type PaymentWorld } from "../../../test/support/payments.ts";
import { type ProviderProcesses, startProviderProcesses } from "../../../test/support/provider-processes.ts";
import { cameBack, scriptedNews } from "../../../test/support/scripted-news.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { consumeEvents } from "../../settlement/consume.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import { createRelay } from "../relay.ts";
import type { PaymentDeps } from "./deps.ts";
import type { Delivery } from "./news.ts";

/** Refunds, and what else providers only accept at first: told later, and sometimes undone later still. */
let processes: ProviderProcesses;
let world: PaymentWorld;
let merchant: MerchantId;
let mailbox: Mailbox;
const names = ["stripe", "acquirer", "adyen"] as const;

beforeAll(async () => {
  processes = await startProviderProcesses(...names);
  ({ world, merchant, mailbox } = processes);
});
beforeEach(() => processes.clearFaults());
afterAll(() => processes.stop());

const process = (name: ProviderName): PaymentDeps => processes.at(name);
const sold = (provider: ProviderName, number?: string) =>
  paymentOf(
    authorizeAs(
      process(provider),
      authorizeCommand(merchant, world.vault.tokenize(number), { captureMethod: "automatic" }),
    ),
  );

/** What the provider sends of the payment's last refund. */
const told = async (provider: string, payment: Payment, ...texts: string[]): Promise<Delivery> =>
  mailbox.letter(provider, (await latest(world, payment, "refund")).reference, ...texts);

/** What of the payment the merchant is owed, net, by the settlement's own items. */
async function owed(payment: Payment): Promise<number> {
  const relay = createRelay({
    url: world.database.url,
    log: world.deps.log,
    consume: (sql, events) => consumeEvents(sql, world.deps.merchants, events),
  });
  while ((await relay.pump()) > 0);
  await relay.stop();
  const [row] = await world.database.owner`
    select coalesce(sum(net), 0) as net from settlement.item where payment = ${uuidOf(payment.id)}`;
  return Number(row?.["net"]);
}

/** What the ledger owes the merchant for the payment: posted, and held for refunds under way. */
async function books({ id }: Payment): Promise<{ owed: number; held: number }> {
  const [row] = await world.database.owner`
    select coalesce(sum(case when c.code = 'merchant_payable' then t.amount else -t.amount end)
             filter (where t.kind in (0, 2)), 0) as owed,
           coalesce(sum(case t.kind when 1 then t.amount else -t.amount end)
             filter (where t.kind <> 0 and d.code = 'merchant_payable'), 0) as held
    from ledger.payment_journal j
    join ledger.transfer t on t.shard = j.shard and ledger.commit_of(t.id) = j.commit
    join ledger.account d on d.shard = t.shard and d.id = t.debit
    join ledger.account c on c.shard = t.shard and c.id = t.credit
    where j.payment = ${uuidOf(id)}`;
  return { owed: Number(row?.["owed"]), held: Number(row?.["held"]) };
}

const NET = 10_000 - 320;

/** Cards whose refunds the bank carries out later, and those whose refunds come back, at each provider. */
const LATER = { stripe: "4000000000007726", acquirer: "4000000000007726", adyen: undefined } as const;
const RETURNED = {
  stripe: "4000000000005126",
  acquirer: "4000000000005126",
  adyen: REFUND_REVERSED_LATER,
} as const;
const SUCCEEDED = { stripe: "refund.updated", acquirer: "refund.completed", adyen: '"REFUND"' } as const;
const CAME_BACK = {
  stripe: "refund.failed",
  acquirer: "refund.returned",
  adyen: "REFUNDED_REVERSED",
} as const;

describe.each(names)("a refund that %s carries out later", (provider) => {
  it("holds the money until the provider tells, and is told once", async () => {
    const payment = await sold(provider, LATER[provider]);
    await paymentOf(act(process(provider), "refund", payment, 4_000n), "pending");
    expect(await books(payment)).toEqual({ owed: NET, held: 4_000 });
    const operation = await latest(world, payment, "refund");
    expect([operation.accepted, operation.providerOperation === null]).toEqual([true, false]);
    expect(await act(process(provider), "refund", payment, 6_001n)).toMatchObject({ kind: "exceeds" });

    const news = await told(provider, payment, SUCCEEDED[provider]);
    await Promise.all([process(provider), otherProcess(world)].map((deps) => tell(deps, news)));
    expect(await books(payment)).toEqual({ owed: NET - 4_000, held: 0 });
    expect((await reread(world, payment)).refunded).toBe(4_000n);
    expect(await owed(payment)).toBe(NET - 4_000);
    expect(await eventsOf(world, payment)).toEqual(["captured", "refunded"]);
  });
});

describe.each(names)("a refund that comes back at %s after it had succeeded", (provider) => {
  async function refunded(): Promise<Payment> {
    const payment = await sold(provider, RETURNED[provider]);
    const outcome = await act(process(provider), "refund", payment, 4_000n);
    if (outcome.kind === "pending")
      await tell(process(provider), await told(provider, payment, SUCCEEDED[provider]));
    const now = await reread(world, payment);
    expect(now.refunded).toBe(4_000n);
    return now;
  }

  it("is the merchant's money again, in the payment, the ledger and the settlement, once", async () => {
    const payment = await refunded();
    expect(await owed(payment)).toBe(NET - 4_000);
    const news = await told(provider, payment, CAME_BACK[provider]);
    await Promise.all([process(provider), world.deps, otherProcess(world)].map((deps) => tell(deps, news)));
    await tell(process(provider), news);
    const now = await reread(world, payment);
    expect([stateOf(now), now.refunded]).toEqual(["captured", 0n]);
    expect(await books(payment)).toEqual({ owed: NET, held: 0 });
    expect(await owed(payment)).toBe(NET);
    expect(await eventsOf(world, payment)).toEqual(["captured", "refunded", "refund_reversed"]);
    expect((await latest(world, payment, "refund")).state).toBe("reversed");
  });

  it("can be made again", async () => {
    const payment = await refunded();
    await tell(process(provider), await told(provider, payment, CAME_BACK[provider]));
    const again = await act(process(provider), "refund", payment, 10_000n);
    if (again.kind === "pending")
      await tell(process(provider), await told(provider, payment, SUCCEEDED[provider]));
    expect((await reread(world, payment)).refunded).toBe(10_000n);
  });

  it("while another refund is being made: both are in the books", async () => {
    const payment = await refunded();
    const news = await told(provider, payment, CAME_BACK[provider]);
    const [outcome] = await Promise.all([
      act(process(provider), "refund", payment, 1_000n),
      tell(otherProcess(world), news),
    ]);
    if (outcome.kind === "pending")
      await tell(process(provider), await told(provider, payment, SUCCEEDED[provider]));
    expect((await reread(world, payment)).refunded).toBe(1_000n);
    expect(await books(payment)).toEqual({ owed: NET - 1_000, held: 0 });
  });
});

describe("a refund whose return is heard before its success", () => {
  it("has failed, and the success that is heard later is no news", async () => {
    const payment = await sold("adyen", REFUND_REVERSED_LATER);
    await paymentOf(act(process("adyen"), "refund", payment, 4_000n), "pending");
    const [success, back] = [
      await told("adyen", payment, '"REFUND"'),
      await told("adyen", payment, "REVERSED"),
    ];
    await tell(process("adyen"), back);
    expect((await latest(world, payment, "refund")).state).toBe("failed");
    expect(await books(payment)).toEqual({ owed: NET, held: 0 });
    await tell(otherProcess(world), success);
    expect((await reread(world, payment)).refunded).toBe(0n);
    expect(await owed(payment)).toBe(NET);
    expect(await eventsOf(world, payment)).toEqual(["captured", "refund_failed"]);
  });
});

it("a refund that is told to have come back before its success was told has failed", async () => {
  const payment = await sold("adyen");
  await paymentOf(act(process("adyen"), "refund", payment, 4_000n), "pending");
  const { reference } = await latest(world, payment, "refund");
  await scriptedNews(processes, "adyen", { reference, kind: "refund", answer: cameBack }).hear();
  expect((await latest(world, payment, "refund")).state).toBe("failed");
  expect(await books(payment)).toEqual({ owed: NET, held: 0 });
});

describe("what a provider has accepted", () => {
  const requestsOf = async (reference: string) => {
    const { requests } = (await (
      await fetch(`${sandboxOf(world, "adyen").url}/_sandbox/requests?since=0`)
    ).json()) as { requests: { idempotencyKey: string | null }[] };
    return requests.filter(({ idempotencyKey }) => idempotencyKey === reference).length;
  };

  it("is never sent again, however long its news takes", async () => {
    const payment = await sold("adyen");
    await paymentOf(act(process("adyen"), "refund", payment, 4_000n), "pending");
    const { reference } = await latest(world, payment, "refund");
    for (let sweep = 0; sweep < 4; sweep++) await recover(world, otherProcess(world), { sweeps: 1 });
    expect(await requestsOf(reference)).toBe(1);
    expect((await latest(world, payment, "refund")).state).toBe("claimed");
    await tell(process("adyen"), await told("adyen", payment, '"REFUND"'));
    expect((await reread(world, payment)).refunded).toBe(4_000n);
  });

  it("is asked again under the same key where its word was lost, and moves nothing twice", async () => {
    const payment = await sold("adyen");
    await sandboxOf(world, "adyen").faults([
      { match: { operation: "refund" }, times: 1, fault: { kind: "lose_response" } },
    ]);
    await paymentOf(act(process("adyen"), "refund", payment, 4_000n), "pending");
    const { reference } = await latest(world, payment, "refund");
    await recover(world, otherProcess(world), { sweeps: 1 });
    expect((await latest(world, payment, "refund")).accepted).toBe(true);
    await recover(world, otherProcess(world), { sweeps: 2 });
    expect(await requestsOf(reference)).toBe(2);
    await tell(process("adyen"), await told("adyen", payment, '"REFUND"'));
    expect((await movementsOf(world, payment)).filter((one) => one.includes("refunded"))).toEqual([
      "adyen refunded 4000",
    ]);
  });

  it("is looked up where the provider can be asked, without any news", async () => {
    for (const provider of ["stripe", "acquirer"] as const) {
      const payment = await sold(provider, "4000000000007726");
      await paymentOf(act(process(provider), "refund", payment, 4_000n), "pending");
      await new Promise((resolve) => setTimeout(resolve, 200));
      await recover(world, otherProcess(world), { sweeps: 1 });
      expect((await reread(world, payment)).refunded, provider).toBe(4_000n);
      expect((await movementsOf(world, payment)).filter((one) => one.includes("refunded"))).toHaveLength(1);
    }
  });

  it("has its news before we have noted that it was accepted", async () => {
    const base = process("adyen");
    const payment = await sold("adyen");
    const noted = Promise.withResolvers<void>();
    const markAccepted: PaymentDeps["queue"]["markAccepted"] = async (...args) => {
      await noted.promise;
      return base.queue.markAccepted(...args);
    };
    const slow = { ...base, queue: { ...base.queue, markAccepted } };
    const refunding = act(slow, "refund", payment, 4_000n);
    await expect.poll(async () => (await reread(world, payment)).refunding).toBe(4_000n);
    await tell(otherProcess(world), await told("adyen", payment, '"REFUND"'));
    noted.resolve();
    await refunding;
    const operation = await latest(world, payment, "refund");
    expect([operation.state, operation.accepted]).toEqual(["succeeded", false]);
    expect((await reread(world, payment)).refunded).toBe(4_000n);
  });
});
