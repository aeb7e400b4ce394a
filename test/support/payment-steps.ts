import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import pino, { type Logger } from "pino";
import { uuidOf } from "../../subgraphs/kernel/ids.ts";
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

/** The payment's last operation of this kind. */
export async function latest(
  world: PaymentWorld,
  payment: Payment,
  kind: Operation["kind"],
): Promise<Operation> {
  const found = (await operationsOf(world, payment)).findLast((operation) => operation.kind === kind);
  if (found === undefined) throw new Error(`the payment has no ${kind}`);
  return found;
}

/** What the providers' books say of the payment, in each provider's order: "stripe authorized 10000". */
export async function movementsOf(world: PaymentWorld, payment: Payment): Promise<string[]> {
  const references = new Set((await operationsOf(world, payment)).map(({ reference }) => reference));
  const books = world.sandboxes.map(async (sandbox) => {
    const all = await sandbox.book();
    const own = all.filter(
      ({ metadata, reference }) =>
        metadata["tessera_payment"] === payment.id || references.has(reference ?? ""),
    );
    // The provider's own name for it: what is done later may carry another reference.
    const names = new Set(own.map((movement) => movement.payment));
    return all
      .filter((movement) => names.has(movement.payment))
      .map(({ kind, amount }) => `${sandbox.name} ${kind} ${amount}`);
  });
  return (await Promise.all(books)).flat();
}

/** Types of the payment's events, oldest first. */
export async function eventsOf({ database }: PaymentWorld, { id }: Payment): Promise<string[]> {
  const rows = await database.owner`
    select type from payments.outbox where body ->> 'payment' = ${id} order by id`;
  return rows.map(({ type }) => (type as string).replace(/^payment\.|\.v1$/g, ""));
}

/** What became of the news of the payment, oldest first. */
export async function notedNews({ database }: PaymentWorld, { id }: Payment): Promise<string[]> {
  const rows = await database.owner`
    select outcome from payments.inbound_news where payment = ${uuidOf(id)} order by received_at`;
  return rows.map(({ outcome }) => outcome as string);
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

/** These rules for every merchant, over these providers. */
export function rulesAtHand(text: string, providers: readonly string[]): RulesAtHand {
  const rules = readRoutingRules(text, providers);
  if (!rules.ok) throw new Error(JSON.stringify(rules.error));
  return { ready: async () => {}, of: () => ({ version: 1, rules: rules.value }), changed: () => {} };
}

/** Rules that ask the providers in this order, and never explore. */
export const inOrder = (...providers: readonly string[]): RulesAtHand =>
  rulesAtHand(`prefer ${providers.join(", ")}`, providers);

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
  readonly deliveries: readonly Delivery[];
  /** The first of the provider's deliveries that speaks of all of these; throws if none comes within five seconds. */
  letter(provider: string, ...texts: readonly string[]): Promise<Delivery>;
  stop(): Promise<void>;
};

const LETTER_WITHIN_MS = 5_000;

export async function startMailbox(): Promise<Mailbox> {
  const deliveries: (Delivery & { readonly body: Buffer })[] = [];
  const keep = async (message: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
    );
    const [, provider = "", endpoint = ""] = (message.url ?? "").split("/");
    deliveries.push({ provider, endpoint, headers, body: Buffer.concat(chunks) });
    response.end("[accepted]");
  };
  const server = createServer((message, response) => {
    keep(message, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlFor: (provider) => `http://127.0.0.1:${port}/${provider}`,
    deliveries,
    async letter(provider, ...texts) {
      const deadline = Date.now() + LETTER_WITHIN_MS;
      for (;;) {
        const found = deliveries.find(
          (one) => one.provider === provider && texts.every((text) => one.body.includes(text)),
        );
        if (found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`no letter of ${provider} with ${texts.join(", ")}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const others = new WeakMap<PaymentWorld, PaymentDeps>();

/** A second region process of the world, with a memory of its own; the same one each time, since each takes connections. */
export function otherProcess(world: PaymentWorld): PaymentDeps {
  const other = others.get(world) ?? world.another();
  others.set(world, other);
  return other;
}

/** The one sandbox of this name. */
export function sandboxOf({ sandboxes }: PaymentWorld, name: string) {
  const found = sandboxes.find((sandbox) => sandbox.name === name);
  if (found === undefined) throw new Error(`there is no ${name} in this world`);
  return found;
}
