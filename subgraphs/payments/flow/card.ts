import type { CustomerId } from "../../kernel/ids.ts";
import { homeOf, newId } from "../../kernel/ids.ts";
import { err, ok, type Result } from "../../kernel/result.ts";
import type { AuthorizeCommand, CardSource } from "../domain/commands.ts";
import { type InputIssue, issue } from "../domain/input-issue.ts";
import type { Card } from "../domain/payment.ts";
import type { StoredCredential } from "../domain/stored-credential.ts";
import type { StoredMethod } from "../domain/stored-method.ts";
import type { PaymentDeps } from "./deps.ts";

/** The card that pays, and how: just tokenized, stored by this payment, or stored before. */
export type CardInUse = {
  readonly card: Card;
  readonly cvcAvailable: boolean;
  readonly customer: CustomerId | null;
  /** The stored card that pays: commit 1 looks whether it still may. */
  readonly uses: StoredMethod | null;
  /** The stored card that this payment makes. */
  readonly stores: StoredMethod | null;
  readonly stored: StoredCredential | null;
};

/** Finds the card of a command, or what is wrong with it. Throws if the vault is away. */
export async function cardInUse(
  deps: PaymentDeps,
  command: AuthorizeCommand,
  promisedTo: string,
): Promise<Result<CardInUse, InputIssue>> {
  const { source } = command;
  return source.type === "token"
    ? tokenized(deps, command, source, promisedTo)
    : stored(deps, command, source);
}

async function tokenized(
  deps: PaymentDeps,
  { merchant, payer, amount }: AuthorizeCommand,
  { token, customer, store }: Extract<CardSource, { type: "token" }>,
  promisedTo: string,
): Promise<Result<CardInUse, InputIssue>> {
  const described = await deps.vault.describe(merchant, token, promisedTo);
  if (!described.ok) return err(UNKNOWN_TOKEN);
  const { card, cvcAvailable } = described.value;
  const at = deps.clock.now();
  if (hasExpired(card, at)) return err(expiredCard("token"));
  if (customer !== null && (await deps.reads.customer(merchant, customer)) === null)
    return err(UNKNOWN_CUSTOMER);
  const stores: StoredMethod | null =
    store === null || customer === null
      ? null
      : {
          id: newId("pm", homeOf(merchant), at),
          merchant,
          customer,
          status: "pending",
          card,
          mandate: {
            reason: store,
            acceptedAt: at.toISOString(),
            ip: payer.ip,
            ...(store === "recurring"
              ? { amount: { minor: amount.minor.toString(), currency: amount.currency } }
              : {}),
          },
          networkTransactionId: null,
          createdAt: at,
          updatedAt: at,
        };
  const use: StoredCredential | null =
    store === null ? null : { initiator: "customer", reason: store, first: true, networkTransactionId: null };
  return ok({ card, cvcAvailable, customer, uses: null, stores, stored: use });
}

async function stored(
  deps: PaymentDeps,
  { merchant }: AuthorizeCommand,
  { method: id, initiator }: Extract<CardSource, { type: "stored" }>,
): Promise<Result<CardInUse, InputIssue>> {
  const method = await deps.reads.method(merchant, id);
  if (method === null || method.status !== "active") return err(UNKNOWN_METHOD);
  if (hasExpired(method.card, deps.clock.now())) return err(expiredCard("paymentMethod"));
  if (initiator === "merchant" && method.mandate.reason === "on_demand") return err(NO_MANDATE);
  const { customer, card, mandate, networkTransactionId } = method;
  const use: StoredCredential = { initiator, reason: mandate.reason, first: false, networkTransactionId };
  return ok({ card, cvcAvailable: false, customer, uses: method, stores: null, stored: use });
}

const hasExpired = (card: Card, at: Date): boolean =>
  at.getUTCFullYear() * 12 + at.getUTCMonth() > card.expYear * 12 + card.expMonth - 1;

const expiredCard = (path: string) =>
  issue([path], "EXPIRED_CARD", "The card has expired. Ask the payer for another card.");
const UNKNOWN_TOKEN = issue(
  ["token"],
  "UNKNOWN_TOKEN",
  "There is no such card token. Tokenize the card again with a publishable key of this merchant.",
);
const UNKNOWN_CUSTOMER = issue(["customer"], "UNKNOWN_CUSTOMER", "You have no such customer.");
const UNKNOWN_METHOD = issue(
  ["paymentMethod"],
  "UNKNOWN_PAYMENT_METHOD",
  "You have no such stored card, or it was removed. Ask the payer for a card.",
);
const NO_MANDATE = issue(
  ["initiator"],
  "NO_MANDATE",
  "The payer has agreed to pay with this card on demand only: it takes the payer to use it.",
);
