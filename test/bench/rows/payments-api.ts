import { randomUUID } from "node:crypto";
import type { GraphqlClient } from "../graphql-client.ts";

/** Authorize and capture as a merchant's server does it: two mutations, each with a fresh idempotency key. */
const AUTHORIZE = `mutation Authorize($input: AuthorizePaymentInput!) {
  authorizePayment(input: $input) {
    __typename
    ... on Payment { id state amount { amount currency } capturableAmount { amount } }
    ... on PaymentDeclined { message }
    ... on PaymentPending { message }
    ... on ProviderRefused { message }
    ... on UserError { message }
  }
}`;

const CAPTURE = `mutation Capture($input: CapturePaymentInput!) {
  capturePayment(input: $input) {
    __typename
    ... on Payment { id state capturedAmount { amount currency } fee { amount } }
    ... on PaymentPending { message }
    ... on ProviderRefused { message }
    ... on UserError { message }
  }
}`;

type Result = {
  readonly __typename: string;
  readonly id?: string;
  readonly state?: string;
  readonly message?: string;
};

export const AMOUNT = { amount: 4_900, currency: "EUR" } as const;

let payments = 0;
/** Never the same twice within minutes, or each payment were a duplicate of the one before. */
const newAmount = () => ({ ...AMOUNT, amount: AMOUNT.amount + (++payments % 1_000_000) });

/** Takes one payment; throws unless it ends captured. Gives its id. */
export async function takePayment(
  client: GraphqlClient,
  headers: Readonly<Record<string, string>>,
  token: string,
): Promise<string> {
  const authorization = { idempotencyKey: randomUUID(), amount: newAmount(), token, captureMethod: "MANUAL" };
  const authorized = await client.post<{ authorizePayment: Result }>(
    AUTHORIZE,
    { input: authorization },
    headers,
  );
  const { id } = inState(authorized.authorizePayment, "AUTHORIZED");
  const capture = { idempotencyKey: randomUUID(), payment: id };
  const captured = await client.post<{ capturePayment: Result }>(CAPTURE, { input: capture }, headers);
  return inState(captured.capturePayment, "CAPTURED").id;
}

function inState({ __typename, id, state, message }: Result, expected: string): { id: string } {
  if (__typename === "Payment" && state === expected && id !== undefined) return { id };
  throw new Error(`${__typename} ${state ?? ""} where a payment ${expected} was due: ${message ?? ""}`);
}
