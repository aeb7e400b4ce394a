import { randomInt, randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { platformPorts, requireFreePorts } from "../../regions/dev/ports.ts";
import { type Stack, type StackOptions, startStack } from "../../regions/dev/stack.ts";
import { type CardInput, tokenize } from "../../regions/dev/tokenize.ts";
import { type CreatedMerchant } from "../../subgraphs/merchants/create.ts";
import { StripeSandboxControl } from "../sandbox/stripe/control-client.ts";
import { testMerchant } from "./database.ts";

/** A whole platform of its own for an end-to-end test: temporary folder, free ports, nothing durable. */
export type Platform = {
  readonly stack: Stack;
  readonly sandbox: StripeSandboxControl;
  /** A connection that owns the schema. */
  readonly owner: Sql;
  readonly home: string;
  /** Another merchant, with keys. */
  merchant(): Promise<CreatedMerchant>;
  token(card?: Partial<CardInput>, merchant?: CreatedMerchant): Promise<string>;
  /** A GraphQL request through the edge: status and body as they come. */
  request(query: string, variables?: object, key?: string): Promise<GraphqlAnswer>;
  stop(): Promise<void>;
};

export type GraphqlAnswer = {
  readonly status: number;
  // Tests look into answers of every shape.
  readonly data: any;
  readonly errors: readonly { message: string; extensions: { code: string } }[] | undefined;
  readonly headers: Headers;
};

const NOT_DURABLE = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  shared_buffers: "128MB",
};

export async function startPlatform(options: Partial<StackOptions> = {}): Promise<Platform> {
  const home = mkdtempSync(join(tmpdir(), "tessera-e2e-"));
  chmodSync(home, 0o711); // started by root, Postgres runs as another user
  const stack = await startStack({
    home,
    ports: await freePortBlock(),
    postgresSettings: NOT_DURABLE,
    log: process.env["TEST_LOG"] === undefined ? () => {} : console.log,
    ...options,
  });
  const { urls } = stack;
  const owner = postgres(urls.database, { max: 4, types: { bigint: postgres.BigInt }, onnotice: () => {} });
  return {
    stack,
    home,
    owner: owner as unknown as Sql,
    sandbox: new StripeSandboxControl(urls.sandbox),
    merchant: () => testMerchant(owner),
    async token(card = {}, merchant = stack.merchant) {
      const full = { number: "4242424242424242", expMonth: 12, expYear: 2040, cvc: "123", ...card };
      return (await tokenize(urls.vault, merchant.publishableKey, full)).token;
    },
    async request(query, variables = {}, key = stack.merchant.secretKey) {
      const response = await fetch(`${urls.edge}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as Pick<GraphqlAnswer, "data" | "errors">;
      return { status: response.status, data, errors, headers: response.headers };
    },
    async stop() {
      await owner.end({ timeout: 2 });
      await stack.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Fifteen ports in a row that nobody listens on. */
export async function freePortBlock() {
  for (let attempt = 1; ; attempt++) {
    const ports = platformPorts({ TESSERA_PORT_BASE: String(randomInt(12_000, 30_000)) });
    try {
      await requireFreePorts(ports);
      return ports;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

const PAYMENT_FIELDS = `
  id state
  amount { amount currency formatted } capturedAmount { amount } refundedAmount { amount }
  capturableAmount { amount } refundableAmount { amount } authorizedAmount { amount } fee { amount }
  captureMethod decline { code advice message } card { brand bin last4 }`;

const RESULT_FIELDS = `
  __typename
  ... on Payment { ${PAYMENT_FIELDS} }
  ... on PaymentPending { message payment { ${PAYMENT_FIELDS} } }
  ... on ProviderRefused { message reason { code advice } payment { ${PAYMENT_FIELDS} } }
  ... on IdempotencyKeyReused { message }
  ... on InvalidInput { message issues { path code message } }`;

export const AUTHORIZE = `mutation ($input: AuthorizePaymentInput!) { authorizePayment(input: $input) {
  ${RESULT_FIELDS}
  ... on PaymentDeclined { message reason { code advice } payment { ${PAYMENT_FIELDS} } }
} }`;

const followUp = (
  field: string,
  type: string,
  exceeds: boolean,
) => `mutation ($input: ${type}!) { ${field}(input: $input) {
  ${RESULT_FIELDS}
  ... on PaymentNotFound { message }
  ... on PaymentStateConflict { message state }
  ${exceeds ? "... on AmountExceedsAvailable { message available { amount currency } }" : ""}
} }`;

export const CAPTURE = followUp("capturePayment", "CapturePaymentInput", true);
export const VOID = followUp("voidPayment", "VoidPaymentInput", false);
export const REFUND = followUp("refundPayment", "RefundPaymentInput", true);
export const READ = `query ($id: ID!) { payment(id: $id) { ${PAYMENT_FIELDS} } }`;

/** The four commands and a read as functions over a platform; each gives the result union's member. */
export function payments(platform: Platform, merchant: CreatedMerchant = platform.stack.merchant) {
  const run = async (query: string, variables: object) => {
    const { data, errors } = await platform.request(query, variables, merchant.secretKey);
    if (errors !== undefined) throw new Error(errors.map(({ message }) => message).join("; "));
    return Object.values(data)[0] as any;
  };
  const money = (amount: number, currency = "EUR") => ({ amount, currency });
  const key = () => randomUUID();
  return {
    money,
    authorize: async (input: Record<string, unknown> = {}) =>
      run(AUTHORIZE, {
        input: {
          idempotencyKey: key(),
          amount: money(10_000),
          captureMethod: "MANUAL",
          ...input,
          token: input["token"] ?? (await platform.token({}, merchant)),
        },
      }),
    capture: (payment: string, input: Record<string, unknown> = {}) =>
      run(CAPTURE, { input: { idempotencyKey: key(), payment, ...input } }),
    void: (payment: string, input: Record<string, unknown> = {}) =>
      run(VOID, { input: { idempotencyKey: key(), payment, ...input } }),
    refund: (payment: string, input: Record<string, unknown> = {}) =>
      run(REFUND, { input: { idempotencyKey: key(), payment, ...input } }),
    read: (id: string) => run(READ, { id }),
    /** Reads until the payment is no longer processing. */
    async settled(id: string, withinMs = 45_000) {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const payment = await run(READ, { id });
        if (payment.state !== "PROCESSING") return payment;
        if (Date.now() > deadline) throw new Error(`${id} is still processing`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
  };
}
