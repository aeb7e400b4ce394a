/** The acquirer for the kit: docs/acquirer-api.md as a provider that runs. */

import { createHmac } from "node:crypto";
import { cardFingerprint } from "../kit/cards.ts";
import type { Dialect } from "../kit/dialect.ts";
import { Table } from "../kit/table.ts";
import {
  type AcquirerEvent,
  type AcquirerRequest,
  type AcquirerWorld,
  operations,
  quirks,
  settings,
} from "./acquirer-world.ts";
import { prepare } from "./execute.ts";
import { type Message, minorOf } from "./message.ts";
import { expireHold } from "./purchases.ts";
import type { MessageRecord, RefundRecord, ReversalRecord, TransactionRecord } from "./records.ts";
import { decideRefund } from "./refunds.ts";
import { errorReply, readRequest, routes } from "./requests.ts";
import { testCards } from "./test-cards.ts";

type AcquirerStore = Parameters<Dialect<AcquirerWorld>["subject"]>[0];

export const acquirer: Dialect<AcquirerWorld> = {
  name: "acquirer",
  settings,
  operations,
  quirks,
  memory: () => ({
    tables: {
      transactions: new Table<TransactionRecord>(),
      refunds: new Table<RefundRecord>((refund) => [refund.transaction]),
      messages: new Table<MessageRecord>(),
      reversals: new Table<ReversalRecord>(),
    },
    indexes: {},
  }),
  operationOf: (method, path) => (routes.find(method, path)?.value === "lookup" ? "lookup" : "other"),
  read: readRequest,
  prepare,
  parameters: ({ digest }) => digest,
  subject,
  refusals: {
    bodyTooLarge: () => errorReply(413, "too_large", "The message is too large."),
    keyInUse: () => errorReply(409, "in_progress", "A message of this reference is being executed."),
    keyMismatch: () => errorReply(409, "in_progress", "Another message of this reference is being executed."),
    rateLimited: () => ({
      ...errorReply(429, "too_many_requests", "Slow down."),
      headers: { "retry-after": "1" },
    }),
    failed: (status) => errorReply(status, "unavailable", `The acquirer answers ${status}.`),
  },
  garbage: '{"mti":"0110","respo<html>502',
  decisions: {
    transactions: { next: ({ decision }) => decision, decide: expireHold },
    refunds: { next: ({ decision }) => decision, decide: decideRefund },
  },
  webhooks: { request: signedEvent },
  control: { "GET cards": () => testCards() },
};

/** The payment that a request is about: its own reference, and that of the authorization it goes on with. */
function subject(
  store: AcquirerStore,
  { message, reference }: AcquirerRequest,
): ReturnType<Dialect<AcquirerWorld>["subject"]> {
  const fields = message === null ? {} : fieldsOf(message);
  const known = store.tables.transactions.get(fields.retrievalReference ?? "");
  return {
    metadata: [{ reference }, ...(known === undefined ? [] : [{ reference: known.reference }])],
    cardFingerprint: fields.pan === undefined ? (known?.fingerprint ?? null) : cardFingerprint(fields.pan),
    amount: fields.amount === undefined ? (known?.authorized ?? null) : minorOf(fields.amount),
    identity: reference,
  };
}

/** What of a message tells which payment it is about, where it has it. */
function fieldsOf(message: Message): { pan?: string; amount?: string; retrievalReference?: string } {
  switch (message.kind) {
    case "authorize":
    case "sale":
    case "advise":
      return { pan: message.fields.card.pan, amount: message.fields.amount };
    case "increment":
    case "capture":
    case "refund":
      return { amount: message.fields.amount, ...message.fields.original };
    case "void":
      return { ...message.fields.original };
    case "reverse":
    case "echo":
      return {};
  }
}

function signedEvent(
  event: AcquirerEvent,
  { atMs, settings: { webhooks } }: { readonly atMs: number; readonly settings: AcquirerWorld["settings"] },
): { body: string; headers: Record<string, string> } {
  const { id, type, created, reference, retrievalReference, amount, currency, responseCode } = event;
  const body = JSON.stringify({
    id,
    type,
    created,
    reference,
    retrievalReference,
    amount,
    currency,
    responseCode,
  });
  const seconds = Math.floor(atMs / 1000);
  const signature = createHmac("sha256", webhooks.secret).update(`${seconds}.${body}`).digest("hex");
  return {
    body,
    headers: { "content-type": "application/json", "tessera-signature": `t=${seconds},v1=${signature}` },
  };
}
