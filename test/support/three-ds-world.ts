import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import type { MerchantId, PaymentId } from "../../subgraphs/kernel/ids.ts";
import {
  createDirectory,
  DIRECTORY,
  type DirectorySettings,
  threeDsAccount,
} from "../../subgraphs/payments/connectors/three-ds/index.ts";
import type { ResultsResponse } from "../../subgraphs/payments/connectors/three-ds/results.ts";
import { createProviderTransport } from "../../subgraphs/payments/connectors/transport.ts";
import type { AuthorizeCommand } from "../../subgraphs/payments/domain/commands.ts";
import type { NextAction, Operation } from "../../subgraphs/payments/domain/operation.ts";
import type { Payment } from "../../subgraphs/payments/domain/payment.ts";
import type { MerchantSetting } from "../../subgraphs/payments/domain/three-ds/policy.ts";
import { browserSample, requestorSample } from "../../subgraphs/payments/domain/three-ds/samples.ts";
import { SCHEMES } from "../../subgraphs/payments/domain/three-ds/scheme.ts";
import { receiveResults } from "../../subgraphs/payments/flow/authentication-results.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import type { ThreeDs } from "../../subgraphs/payments/flow/three-ds.ts";
import type { Router } from "../../subgraphs/payments/routing/router.ts";
import type { EgressRequest } from "../../subgraphs/payments/vault/client.ts";
import type { Movement } from "../sandbox/kit/book.ts";
import { readBody } from "../sandbox/kit/http.ts";
import { startSandbox } from "../sandbox/kit/server.ts";
import { ThreeDsSandboxControl } from "../sandbox/three-ds/control-client.ts";
import { threeDs as directoryDialect } from "../sandbox/three-ds/dialect.ts";
import { decode } from "../sandbox/three-ds/messages.ts";
import { API_KEY, cresIn, Payer, SECRET } from "../sandbox/three-ds/test-harness.ts";
import { accountFor, type ProviderName } from "./connectors.ts";
import { testMerchant } from "./database.ts";
import { eventually } from "./eventually.ts";
import {
  authorizeAs,
  authorizeCommand,
  type PaymentWorld,
  startPaymentWorld,
  type WorldOptions,
} from "./payments.ts";

/** An RReq as it came, and what was answered to it: null if whoever took it failed. */
export type Delivery = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  answer: ResultsResponse | null;
};

type TakeResults = (headers: Delivery["headers"], body: Uint8Array) => Promise<ResultsResponse>;

/** Where the directory's results arrive. Tests change who takes them. */
export type Inbox = {
  readonly url: string;
  readonly deliveries: Delivery[];
  take: TakeResults;
  readonly close: () => Promise<void>;
};

/** What comes back where nobody takes results for now: the directory sends them again. */
export const NOBODY: TakeResults = async () => ({ status: 503, headers: {}, body: "" });

async function startInbox(): Promise<Inbox> {
  const receive = async (message: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.from(await readBody(message, 100_000));
    const delivery: Delivery = { headers: headersOf(message), body, answer: null };
    inbox.deliveries.push(delivery);
    try {
      delivery.answer = await inbox.take(delivery.headers, body);
    } catch {
      return response.writeHead(500).end();
    }
    const { status, headers, body: text } = delivery.answer;
    return response.writeHead(status, headers).end(text);
  };
  const server = createServer((message, response) => {
    receive(message, response).catch(() => message.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const inbox: Inbox = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/results`,
    deliveries: [],
    take: NOBODY,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return inbox;
}

const headersOf = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

export type ThreeDsOptions = WorldOptions & {
  readonly setting?: Partial<MerchantSetting>;
  readonly directory?: Partial<DirectorySettings>;
};

export type ThreeDsWorld = {
  readonly payments: PaymentWorld;
  readonly merchant: MerchantId;
  readonly deps: PaymentDeps;
  readonly directory: ThreeDsSandboxControl;
  readonly inbox: Inbox;
  /** What went out through the vault, as it was before the card was filled in; oldest first. */
  readonly sent: EgressRequest[];
  /** Another region process over the same database, with the same outside. */
  readonly another: (overrides?: Partial<PaymentDeps>) => PaymentDeps;
  /** With other settings of the merchant's. */
  readonly under: (setting: Partial<MerchantSetting>) => PaymentDeps;
  stop(): Promise<void>;
};

const DEADLINE_MS = 1_000;

/** The payment flows over a real database, with 3-D Secure: a directory, an issuer, and providers that take its proof. */
export async function startThreeDsWorld(options: ThreeDsOptions = {}): Promise<ThreeDsWorld> {
  const names: readonly ProviderName[] = options.providers ?? ["acquirer"];
  const payments = await startPaymentWorld({ providerDeadlineMs: DEADLINE_MS, ...options, providers: names });
  const running = await startSandbox(directoryDialect, { port: 0, apiKey: API_KEY });
  const directory = new ThreeDsSandboxControl(running.url);
  await directory.settings({ webhooks: { retryDelayMs: 20 }, resultsWaitMs: 150, lateResultsMs: 300 });
  const inbox = await startInbox();
  const { vault } = payments;
  const sent: EgressRequest[] = [];
  const egress = vault.egress.bind(vault);
  vault.egress = (request) => {
    sent.push(request);
    return egress(request);
  };
  const threeDs = threeDsFor(inbox.url, options);
  const accounts = payments.sandboxes.map(({ name, url }) => [name, accountFor(name, url)] as const);
  const transport = createProviderTransport({
    providers: {
      ...Object.fromEntries(accounts),
      [DIRECTORY]: threeDsAccount({ baseUrl: running.url, key: API_KEY }),
    },
    vault,
    deadlineMs: payments.deps.providerDeadlineMs,
  });
  const deps = { ...payments.deps, transport, threeDs };
  // Connections are few: all the others are one process with different memories.
  const other = payments.another({ transport, threeDs });
  const another = (overrides: Partial<PaymentDeps> = {}) => ({ ...other, live: new Map(), ...overrides });
  inbox.take = (headers, body) => receiveResults(deps, headers, body);
  return {
    payments,
    merchant: (await testMerchant(payments.database.owner)).id,
    deps,
    directory,
    inbox,
    sent,
    another,
    under: (setting) => another({ threeDs: { ...threeDs, setting: { ...threeDs.setting, ...setting } } }),
    async stop() {
      await running.stop();
      await inbox.close();
      await transport.close();
      await payments.stop();
    },
  };
}

function threeDsFor(resultsUrl: string, { setting, directory }: ThreeDsOptions): ThreeDs {
  return {
    directory: createDirectory({
      version: "2.2.0",
      server: { referenceNumber: "3DS_LOA_SER_TEST", operatorId: "test", url: resultsUrl },
      paths: Object.fromEntries(SCHEMES.map((scheme) => [scheme, "/ds/areq"])),
      challengeMs: 10 * 60_000,
      decoupledMinutes: null,
      loopback: true,
      ...directory,
    }),
    requestor: ({ name, country }) => requestorSample({ name, country }),
    notificationUrl: "https://edge.example/3ds/return",
    setting: {
      authentication: "automatic",
      exemptions: ["low_value", "recurring"],
      exemptionsIn: "authorization",
      fraudBps: null,
      ...setting,
    },
    secrets: ["a-former-secret", SECRET],
  };
}

/** A payer with a browser pays by card, as the resolver would have it. */
export function pay(
  world: ThreeDsWorld,
  card: string,
  overrides: Partial<AuthorizeCommand> & { minor?: bigint; deps?: PaymentDeps } = {},
) {
  const { deps = world.deps, ...rest } = overrides;
  const token = world.payments.vault.tokenize(card);
  return authorizeAs(deps, authorizeCommand(world.merchant, token, { browser: browserSample(), ...rest }));
}

/** A payer pays and is asked by the issuer; throws if it went otherwise. */
export async function waits(world: ThreeDsWorld, card: string, overrides: Parameters<typeof pay>[2] = {}) {
  const outcome = await pay(world, card, overrides);
  if (outcome.kind !== "requires_action") throw new Error(`no challenge: ${outcome.kind}`);
  return { payment: outcome.payment, challenge: challengeOf(outcome.payment) };
}

/** Waits until the vault was told to forget the security code of a payment's card. */
export const expectCodeForgotten = (
  { payments: { vault } }: ThreeDsWorld,
  { terms }: Payment,
): Promise<void> => eventually(async () => expect(vault.forgotten).toContain(terms.card.token));

export type Challenge = Extract<NextAction, { type: "challenge" }>;

/** The challenge that a payment waits with; throws if it waits for nothing of the kind. */
export function challengeOf(payment: Pick<Payment, "action" | "phase">): Challenge {
  if (payment.action?.type !== "challenge") throw new Error(`no challenge: ${payment.phase}`);
  return payment.action;
}

/** Opens the challenge in a browser and enters codes (or "cancel"); gives what the browser is brought back with. */
export async function answerChallenge(action: Challenge, ...codes: readonly string[]) {
  const payer = new Payer(action.acsUrl);
  await payer.open(action.creq);
  const transaction = String(decode(action.creq)?.["acsTransID"]);
  return cresIn(await payer.enter(transaction, ...codes));
}

/** What is stored of a payment: itself, and its operations in their order. */
export async function stored(
  { deps, merchant }: Pick<ThreeDsWorld, "deps" | "merchant">,
  id: PaymentId,
): Promise<{ readonly payment: Payment; readonly operations: readonly Operation[] }> {
  const payment = await deps.reads.payment(merchant, id);
  if (payment === null) throw new Error(`${id} is not stored`);
  return { payment, operations: await deps.reads.operations(merchant, id) };
}

/** All that was taken from a payment's card, over all providers. */
export async function takenFor(
  { payments: { sandboxes } }: Pick<ThreeDsWorld, "payments">,
  operations: readonly Operation[],
): Promise<readonly Movement[]> {
  const references = new Set(operations.map(({ reference }) => reference));
  const books = await Promise.all(sandboxes.map((sandbox) => sandbox.book()));
  return books
    .flat()
    .filter(({ kind }) => kind === "authorized")
    .filter(
      ({ reference, metadata }) =>
        references.has(reference ?? "") || references.has(metadata["tessera_reference"] ?? ""),
    );
}

/** The fields that a provider was asked with. */
export function askedOf(
  world: Pick<ThreeDsWorld, "sent">,
  operation: Operation | undefined,
): Record<string, unknown> {
  const request = world.sent.findLast(({ body }) => body.includes(operation?.reference ?? "?"));
  if (request === undefined) throw new Error(`nothing was sent for ${operation?.id}`);
  return request.body.startsWith("{")
    ? (JSON.parse(request.body) as Record<string, unknown>)
    : Object.fromEntries(new URLSearchParams(request.body));
}

/** Providers are asked in this order, whatever their scores. */
export const inOrder = (...names: readonly ProviderName[]): Router => ({
  ready: async () => {},
  choose(facts, tried) {
    const provider = names.find((name) => !tried.includes(name)) ?? null;
    const { cardCountry, payerCountry } = facts;
    const reason = { rule: null, candidates: [], cardCountry, payerCountry, rulesVersion: 0 };
    return { provider, reason: { ...reason, because: tried.length > 0 ? "cascade" : "default" } };
  },
  guarded: (_, send) => send,
  observe: () => {},
});
