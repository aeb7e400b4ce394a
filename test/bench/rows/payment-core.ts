import { randomUUID } from "node:crypto";
import { moneyOf } from "../../../subgraphs/kernel/money.ts";
import type { CreatedMerchant } from "../../../subgraphs/merchants/create.ts";
import { fingerprint } from "../../../subgraphs/payments/domain/idempotency.ts";
import { authorize } from "../../../subgraphs/payments/flow/authorize.ts";
import { followUp } from "../../../subgraphs/payments/flow/follow-up.ts";
import { ownMeter } from "../cpu-time.ts";
import { createDatabase, databaseUrl } from "../databases.ts";
import { CORE_TOKEN, openPaymentCore, type PaymentCore } from "../flows-in-process.ts";
import { openMerchants } from "../merchants.ts";
import type { RowGroup } from "../row.ts";
import { AMOUNT } from "./payments-api.ts";

/**
 * What a payment costs without HTTP, GraphQL, vault and provider: the flows, called as the resolvers call them, and
 * the outbox relay, in the driver's own process over real Postgres. Two operations, four commits.
 */
const CLIENTS = [1, 16, 64];
/** Of its own: the chains of its shards are made with another key than the platform's. */
export const CORE_DATABASE = "bench_core";
const nameOf = (clients: number) => `payment.core.c${clients}`;

export const paymentCore: RowGroup = {
  names: CLIENTS.map(nameOf),
  async open(bench) {
    const url = await createDatabase(bench, CORE_DATABASE);
    const merchants = await openMerchants(url.href);
    let core = await openPaymentCore(url.href);
    const flows = ownMeter("flows");
    let next = 0;
    return {
      rows: CLIENTS.map((clients) => ({
        name: nameOf(clients),
        units: "payments",
        clients,
        run: () => takePayment(core, merchants[next++ % merchants.length] as CreatedMerchant),
        processes: [bench.meters.postgres, flows],
        ours: ["postgres", "flows"],
        database: CORE_DATABASE,
      })),
      async reconnect(through) {
        await core.close();
        core = await openPaymentCore(databaseUrl(through, CORE_DATABASE).href);
      },
      close: () => core.close(),
    };
  },
};

const amount = moneyOf(BigInt(AMOUNT.amount), AMOUNT.currency);
const NOBODY = { ip: null, country: null, email: null };

async function takePayment({ deps }: PaymentCore, { id: merchant }: CreatedMerchant): Promise<void> {
  const source = { type: "token", token: CORE_TOKEN, customer: null, store: null } as const;
  const asked = {
    source,
    captureMethod: "manual",
    description: null,
    reference: null,
    returnUrl: null,
  } as const;
  const digest = fingerprint("authorize", {
    ...asked,
    amount: amount.minor,
    currency: amount.currency,
    payer: NOBODY,
  });
  const command = { ...asked, merchant, key: randomUUID(), amount, payer: NOBODY, browser: null };
  const authorized = await authorize(deps, { command, fingerprint: digest, session: null });
  if (authorized.kind !== "succeeded") throw new Error(`the authorization ended ${authorized.kind}`);
  const { id: payment } = authorized.payment;
  const captured = await followUp(deps, "capture", {
    merchant,
    key: randomUUID(),
    payment,
    amount: null,
    final: true,
  });
  if (captured.kind !== "succeeded") throw new Error(`the capture ended ${captured.kind}`);
}
