import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino, { type Logger } from "pino";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { moneyOf } from "../../subgraphs/kernel/money.ts";
import { openReconciler } from "../../subgraphs/ledger/reconcile/reconcile.ts";
import type { Operation } from "../../subgraphs/payments/domain/operation.ts";
import type { Payment } from "../../subgraphs/payments/domain/payment.ts";
import { readRoutingRules } from "../../subgraphs/payments/domain/routing/rules.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import { type FollowUpKind, followUp } from "../../subgraphs/payments/flow/follow-up.ts";
import {
  type Delivery,
  type NewsDeps,
  type Receipt,
  receiveNews,
} from "../../subgraphs/payments/flow/news.ts";
import type { Outcome } from "../../subgraphs/payments/flow/outcome.ts";
import { createRecovery } from "../../subgraphs/payments/flow/recover.ts";
import type { RulesAtHand } from "../../subgraphs/payments/routing/rules-cache.ts";
import { WEBHOOK_SECRETS } from "./connectors.ts";
import { newKey, type PaymentWorld } from "./payments.ts";

/** Steps that tests of the payment flows take in a world (payments.ts), and ways to look at what came of them. */

const bigintText = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);

/** The payment of an outcome of this kind; throws for any other. */
export async function paymentOf(
  outcome: Promise<Outcome> | Outcome,
  kind: "succeeded" | "declined" | "failed" | "pending" | "requires_action" = "succeeded",
): Promise<Payment> {
  const ended = await outcome;
  if (ended.kind !== kind || !("payment" in ended))
    throw new Error(`expected ${kind}: ${JSON.stringify(ended, bigintText).slice(0, 2_000)}`);
  return ended.payment;
}

export type ActOptions = { readonly key?: string; readonly final?: boolean; readonly over?: boolean };

/** Follows a payment up, as its merchant would; `minor` null: all that is left. */
export const act = (
  deps: PaymentDeps,
  kind: FollowUpKind,
  { merchant, id, amount }: Payment,
  minor: bigint | null,
  { key = newKey(), final = true, over = false }: ActOptions = {},
): Promise<Outcome> =>
  followUp(deps, kind, {
    merchant,
    key,
    payment: id,
    amount: minor === null ? null : moneyOf(minor, amount.currency),
    final,
    over,
  });

export async function reread({ deps }: PaymentWorld, { merchant, id }: Payment): Promise<Payment> {
  const now = await deps.reads.payment(merchant, id);
  if (now === null) throw new Error("a payment does not vanish");
  return now;
}

export const operationsOf = ({ deps }: PaymentWorld, { merchant, id }: Payment): Promise<Operation[]> =>
  deps.reads.operations(merchant, id);

/** What the providers' books say of the payment, in each provider's order: "stripe authorized 10000". */
export async function movementsOf(world: PaymentWorld, payment: Payment): Promise<string[]> {
  const references = new Set((await operationsOf(world, payment)).map(({ reference }) => reference));
  const books = world.sandboxes.map(async (sandbox) =>
    (await sandbox.book())
      .filter(
        ({ metadata, reference }) =>
          metadata["tessera_payment"] === payment.id || references.has(reference ?? ""),
      )
      .map(({ kind, amount }) => `${sandbox.name} ${kind} ${amount}`),
  );
  return (await Promise.all(books)).flat();
}

/** Types of the payment's events, oldest first. */
export async function eventsOf({ database }: PaymentWorld, { id }: Payment): Promise<string[]> {
  const rows = await database.owner`
    select type from payments.outbox where body ->> 'payment' = ${id} order by id`;
  return rows.map(({ type }) => (type as string).replace(/^payment\.|\.v1$/g, ""));
}

/** Makes everything that is in flight due, and sweeps until nothing is or the sweeps are over. */
export async function recover(
  { database }: PaymentWorld,
  deps: PaymentDeps,
  { sweeps = 20 }: { readonly sweeps?: number } = {},
): Promise<void> {
  const recovery = createRecovery(deps);
  for (let sweep = 1; sweep <= sweeps; sweep++) {
    await database.owner`update payments.in_flight set resolve_after = now()`;
    await recovery.sweep();
    if ((await deps.queue.unresolved()).count === 0) return;
    if (sweep < sweeps) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What `npm run ledger:reconcile` finds: in words, each thing that does not agree. */
export async function differences({ database }: PaymentWorld): Promise<string[]> {
  const reconciler = openReconciler({ url: database.url, connections: 1, statementTimeoutMs: 30_000 });
  try {
    const result = await reconciler.reconcile({ from: new Date(0), to: new Date("9999-12-31T00:00:00Z") });
    if (!result.ok) throw new Error(result.error.code);
    return result.value.findings.flatMap((finding) =>
      finding.differences.map(({ check, message }) => `${check}: ${message}`),
    );
  } finally {
    await reconciler.close();
  }
}

/** A log that is kept: what was said, with its level's name. */
export function keptLog(): { readonly log: Logger; readonly said: { level: string; msg: string }[] } {
  const said: { level: string; msg: string }[] = [];
  const formatters = { level: (level: string) => ({ level }) };
  const log = pino({ level: "info", formatters }, { write: (line: string) => said.push(JSON.parse(line)) });
  return { log, said };
}

/** Rules that ask the providers in this order, and never explore. */
export function inOrder(...providers: readonly string[]): RulesAtHand {
  const rules = readRoutingRules(`prefer ${providers.join(", ")}`, providers);
  if (!rules.ok) throw new Error(JSON.stringify(rules.error));
  return { ready: async () => {}, of: () => ({ version: 1, rules: rules.value }), changed: () => {} };
}

/** Takes a delivery as the region would. */
export const tell = (deps: PaymentDeps, delivery: Delivery): Promise<Receipt> => {
  const webhookSecrets = Object.fromEntries(
    Object.entries(WEBHOOK_SECRETS).map(([name, secret]) => [name, [secret]]),
  );
  const newsDeps: NewsDeps = { ...deps, webhookSecrets };
  return receiveNews(newsDeps, delivery);
};

/** What providers have sent, kept and accepted, so that a test hands it on when and how often it wants. */
export type Mailbox = {
  /** Where a provider's deliveries go. */
  readonly urlFor: (provider: string) => string;
  /** Oldest first. */
  readonly deliveries: Delivery[];
  stop(): Promise<void>;
};

export async function startMailbox(): Promise<Mailbox> {
  const deliveries: Delivery[] = [];
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
    );
    const [, provider = "", endpoint = ""] = (message.url ?? "").split("/");
    deliveries.push({ provider, endpoint, headers, body: Buffer.concat(chunks) });
    response.end("[accepted]");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlFor: (provider) => `http://127.0.0.1:${port}/${provider}`,
    deliveries,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The one sandbox of this name. */
export function sandboxOf({ sandboxes }: PaymentWorld, name: string) {
  const found = sandboxes.find((sandbox) => sandbox.name === name);
  if (found === undefined) throw new Error(`there is no ${name} in this world`);
  return found;
}
