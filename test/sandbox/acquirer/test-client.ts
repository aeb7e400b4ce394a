/**
 * What the sandbox's own tests share: one that runs, and a client that is written from the documents and not from the
 * sandbox's code (its signature, its canonical form).
 */

import { createHash, createHmac } from "node:crypto";
import { type RunningSandbox, startSandbox } from "../kit/server.ts";
import type { AcquirerWorld } from "./acquirer-world.ts";
import { AcquirerSandboxControl } from "./control-client.ts";
import { acquirer } from "./dialect.ts";

export type Fields = { readonly [name: string]: unknown };
export type Answered = { readonly status: number; readonly body: Record<string, unknown> };

export type TestAcquirer = {
  readonly running: RunningSandbox<AcquirerWorld>;
  readonly control: AcquirerSandboxControl;
  send(message: Fields, sent?: { readonly secret?: string; readonly agoSeconds?: number }): Promise<Answered>;
  look(reference: string): Promise<Answered>;
  /** Movements of the payment whose first message had this reference, as "authorized 100". */
  moved(reference: string): Promise<string[]>;
};

const KEY = { id: "ak_1", secret: "secret" };

export async function startAcquirer(dataDir?: string): Promise<TestAcquirer> {
  const running = await startSandbox(acquirer, { port: 0, apiKey: `${KEY.id}:${KEY.secret}`, dataDir });
  const control = new AcquirerSandboxControl(running.url);
  const call = async (method: string, path: string, message: Fields | null, secret: string, ago: number) => {
    const seconds = Math.floor(Date.now() / 1000) - ago;
    const digest = createHash("sha256")
      .update(message === null ? "" : signedBody(message))
      .digest("hex");
    const mac = createHmac("sha256", secret).update(`${seconds}.${method}.${path}.${digest}`).digest("hex");
    const response = await fetch(running.url + path, {
      method,
      headers: { authorization: `TESSERA-HMAC key=${KEY.id}, t=${seconds}, v1=${mac}` },
      body: message === null ? null : JSON.stringify(message),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return {
    running,
    control,
    send: (message, { secret = KEY.secret, agoSeconds = 0 } = {}) =>
      call("POST", "/v1/messages", message, secret, agoSeconds),
    look: (reference) => call("GET", `/v1/messages/${reference}`, null, KEY.secret, 0),
    moved: async (reference) =>
      (await control.book({ reference })).movements.map(({ kind, amount }) => `${kind} ${amount}`),
  };
}

/** Names sorted, no white space, without the card. */
function signedBody(fields: Fields): string {
  const { card: _, ...message } = fields;
  const sorted = (value: unknown): unknown =>
    typeof value !== "object" || value === null
      ? value
      : Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, member]) => [name, sorted(member)]),
        );
  return JSON.stringify(sorted(message));
}

let made = 0;
export const newReference = (): string => `ref-${String(++made).padStart(6, "0")}`;

const heading = (reference: string) => ({
  reference,
  transmissionTime: "1122123456",
  traceNumber: "000001",
  terminal: "T1",
  merchant: "M1",
});

/** An authorization of 100.00 EUR at a restaurant. */
export const authorization = (overrides: Fields = {}): Fields & { reference: string } => ({
  mti: "0100",
  processingCode: "000000",
  ...heading(newReference()),
  card: { pan: "4242424242424242", expiry: "3512", cvc: "123" },
  amount: "000000010000",
  currency: "978",
  merchantType: "5812",
  acquirerCountry: "NL",
  entryMode: "81",
  ...overrides,
});

export const sale = (overrides: Fields = {}) => authorization({ mti: "0200", ...overrides });
export const card = (pan: string): Fields => ({ card: { pan, expiry: "3512" } });

/** A message about a transaction: an increment, a completion or a refund. */
export const followUp = (
  mti: string,
  rrn: unknown,
  overrides: Fields = {},
): Fields & { reference: string } => ({
  mti,
  processingCode: "000000",
  ...heading(newReference()),
  amount: "000000010000",
  currency: "978",
  original: { retrievalReference: rrn },
  ...overrides,
});

export const completion = (rrn: unknown, minor: number, part: "partial" | "final") =>
  followUp("0220", rrn, { amount: String(minor).padStart(12, "0"), completion: part });
export const refund = (rrn: unknown, minor: number) =>
  followUp("0200", rrn, { amount: String(minor).padStart(12, "0"), processingCode: "200000" });
export const release = (rrn: unknown): Fields & { reference: string } => ({
  mti: "0420",
  ...heading(newReference()),
  original: { retrievalReference: rrn },
});
export const reversal = (reference: string, mti = "0400", own = `${reference}.r`): Fields => ({
  mti,
  ...heading(own),
  original: { reference },
});
export const echo = (): Fields => ({ mti: "0800", ...heading(newReference()) });
