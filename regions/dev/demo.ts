import { randomUUID } from "node:crypto";
import { graphql } from "./graphql.ts";
import type { Stack } from "./stack.ts";
import { tokenize } from "./tokenize.ts";

/**
 * One payment as a shop and its payer would make it, with the time that each step took. The steps inside the
 * region are the region's own measurements.
 */
export type WalkStep = { readonly where: string; readonly what: string; readonly ms: number | null };

const OPEN = `mutation ($input: CreateCheckoutSessionInput!) {
  createCheckoutSession(input: $input) {
    __typename
    ... on CheckoutSession { id clientSecret }
    ... on UserError { message }
  }
}`;

const CONFIRM = `mutation ($input: ConfirmCheckoutSessionInput!) {
  confirmCheckoutSession(input: $input) {
    __typename
    ... on CheckoutSession { id status }
    ... on CheckoutDeclined { message }
    ... on CheckoutPending { message }
    ... on UserError { message }
  }
}`;

const READ = `query ($id: ID!) {
  node(id: $id) {
    ... on CheckoutSession {
      payment {
        id state capturedAmount { formatted } fee { formatted }
        risk { decision score }
        operations { reference }
        journals { cause transfers { kind amount { formatted } debit { code } credit { code } } }
      }
    }
  }
  viewer { settlement { currency pending available } }
}`;

type Opened = {
  createCheckoutSession: { __typename: string; id: string; clientSecret: string; message?: string };
};
type Confirmed = { confirmCheckoutSession: { __typename: string; status?: string; message?: string } };
type Transfer = {
  kind: string;
  amount: { formatted: string };
  debit: { code: string };
  credit: { code: string };
};
type Read = {
  node: {
    payment: {
      id: string;
      state: string;
      capturedAmount: { formatted: string };
      fee: { formatted: string };
      risk: { decision: string; score: number };
      operations: { reference: string }[];
      journals: { cause: string; transfers: Transfer[] }[];
    };
  };
  viewer: { settlement: { currency: string; pending: number; available: number }[] };
};

const INSIDE: Record<string, [where: string, what: string]> = {
  "describe-card": ["region -> vault", "asks what the token may tell: brand, range, last four"],
  "assess-risk": ["region, risk", "decides by rules"],
  "commit-1": ["region, commit 1", "claims key, amount and the exact request"],
  provider: ["region -> vault -> provider", "sends it; the vault swaps the token for the card number"],
  "commit-2": ["region, commit 2", "records it: state, transfers and event in one transaction"],
};

export type Walk = {
  readonly steps: readonly WalkStep[];
  readonly summary: readonly string[];
  readonly token: string;
};

export async function takeDemoPayment({ urls, merchant }: Stack): Promise<Walk> {
  const steps: WalkStep[] = [];
  const step = async <T>(where: string, what: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    steps.push({ where, what, ms: performance.now() - from });
    return result;
  };
  const input = {
    idempotencyKey: randomUUID(),
    amount: { amount: 4_900, currency: "EUR" },
    description: "Demo payment",
  };
  const opened = await step("shop's server", "opens a checkout session over 49.00 EUR", () =>
    graphql<Opened>(urls.edge, merchant.secretKey, OPEN, { input }),
  );
  const session = opened.data.createCheckoutSession;
  if (session.__typename !== "CheckoutSession") throw new Error(`no session: ${session.message}`);

  const card = {
    number: "4242424242424242",
    expMonth: 12,
    expYear: new Date().getUTCFullYear() + 3,
    cvc: "123",
  };
  const { token, brand, last4 } = await step(
    "payer's browser -> vault",
    "encrypts the card; gets a token for it",
    () => tokenize(urls.vault, merchant.publishableKey, card),
  );

  const confirmed = await step("payer's browser -> edge", "confirms the session with the token", () =>
    graphql<Confirmed>(urls.edge, merchant.publishableKey, CONFIRM, {
      input: { clientSecret: session.clientSecret, token, attempt: 0 },
    }),
  );
  const result = confirmed.data.confirmCheckoutSession;
  if (result.status !== "COMPLETE") throw new Error(`not paid: ${result.__typename} ${result.message ?? ""}`);
  for (const [name, [where, what]] of Object.entries(INSIDE)) {
    const ms = confirmed.timing.get(name);
    steps.push({ where: `  ${where}`, what, ms: ms ?? null });
  }

  const { data } = await step(
    "shop's server",
    "reads payment, risk, journals and settlement in one query",
    () => settled(urls.edge, merchant.secretKey, session.id),
  );
  return { steps, token, summary: summarize(data, `${brand} ending ${last4}`) };
}

/** Settlement follows by the outbox, a moment later. */
async function settled(edgeUrl: string, key: string, id: string) {
  for (let attempt = 1; ; attempt++) {
    const read = await graphql<Read>(edgeUrl, key, READ, { id });
    if (read.data.viewer.settlement.length > 0 || attempt === 50) return read;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function summarize({ node: { payment }, viewer }: Read, card: string): string[] {
  const transfers = payment.journals.flatMap(({ cause, transfers: list }) =>
    list.map(
      ({ kind, amount, debit, credit }) =>
        `  ${cause.toLowerCase()}, ${kind.toLowerCase()}: ${amount.formatted} from ${debit.code.toLowerCase()} to ${credit.code.toLowerCase()}`,
    ),
  );
  const owed = viewer.settlement.map(
    ({ currency, pending, available }) =>
      `  ${currency}: ${pending} pending, ${available} available (minor units)`,
  );
  return [
    `${payment.id} is ${payment.state}: ${payment.capturedAmount.formatted} by ${card}, fee ${payment.fee.formatted}`,
    `risk: ${payment.risk.decision}, score ${payment.risk.score}; the provider knows it as ${payment.operations[0]?.reference}`,
    "the books:",
    ...transfers,
    "owed to the shop:",
    ...owed,
  ];
}

/** The walk as lines of a table. */
export function renderWalk({ steps, summary }: Walk): string[] {
  const width = Math.max(...steps.map(({ where }) => where.length));
  const lines = steps.map(({ where, what, ms }) => {
    const time = ms === null ? "" : `${ms.toFixed(1)} ms`;
    return `  ${time.padStart(9)}  ${where.padEnd(width)}  ${what}`;
  });
  return [...lines, "", ...summary.map((line) => `  ${line}`)];
}
