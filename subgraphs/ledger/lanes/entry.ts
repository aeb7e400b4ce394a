import { hash } from "node:crypto";
import { homeOf, type Id, type IdKind, transferUuid, uuidOf } from "../../kernel/ids.ts";
import type { AccountRef } from "../accounts.ts";
import { CAUSES, type Commit, type Journal } from "../commit.ts";
import { TRANSFER_KINDS, type Transfer } from "../transfer.ts";
import type { AccountIds } from "./account-ids.ts";

/** A transfer as its row, but for what its batch gives it: position in the shard and time. */
export type EntryTransfer = {
  readonly id: string;
  readonly kind: number;
  readonly debit: bigint;
  readonly credit: bigint;
  readonly amount: bigint;
  readonly currency: string;
  readonly pending: string | null;
  /** Of a pending transfer: ISO 8601, or null. */
  readonly expiresAt: string | null;
};

/** The rows of a commit that go to one parameter of the write function each, as JSON. */
export const PARTS = [
  "journals",
  "claims",
  "newPayments",
  "payments",
  "newOperations",
  "resolutions",
  "newSessions",
  "sessions",
  "customers",
  "methods",
  "assessments",
  "events",
] as const;
export type Part = (typeof PARTS)[number];

/** What the write function reads of a payment that it updates; the rest of the row never changes. */
const PAYMENT_UPDATE = [
  "shard",
  "merchant",
  "id",
  "version",
  "state",
  "authorized",
  "captured",
  "capturing",
  "refunded",
  "refunding",
  "finalized",
  "closing",
  "in_review",
  "over_capturable",
  "incrementing",
  "fee",
  "holds",
  "attempt",
  "provider",
  "provider_payment",
  "action",
  "authentication",
  "decline",
  "updated_at",
  "authorization_expires_at",
] as const;

/** What must hold before a commit is applied; ids as UUIDs. */
export type Guard = {
  readonly what:
    | "key"
    | "payment_version"
    | "operation_state"
    | "session_attempt"
    | "payment_method"
    | "not_duplicate";
  readonly key: string | null;
  readonly payment: string | null;
  readonly id: string | null;
  readonly expected: number | null;
};

/** A commit, made ready once for however many batches it takes until it is applied. */
export type Entry = {
  readonly id: string;
  readonly shard: number;
  readonly merchant: string;
  /** 63 bits of the digest of all that the commit says. */
  readonly content: bigint;
  readonly cause: number;
  readonly transfers: readonly EntryTransfer[];
  readonly opens: readonly AccountRef[];
  readonly payment: string | null;
  readonly parts: Readonly<Partial<Record<Part, readonly string[]>>>;
  readonly guards: readonly Guard[];
  /** What no other commit of the same batch may touch. */
  readonly keys: readonly string[];
  /** Accounts that it has to find as the commits before it left them: those with limits, and those it does not open. */
  readonly finds: readonly bigint[];
  /** Accounts that it leaves for commits after it to find. */
  readonly leaves: readonly bigint[];
};

const NONE: readonly never[] = [];
const CONTENT_BYTES = 8;
const digest = Buffer.alloc(CONTENT_BYTES);

const uuid = (id: Id<IdKind> | null): string | null => (id === null ? null : uuidOf(id));

/** @param shard its merchant's, for whoever knows it already */
export function entryOf(
  commit: Commit,
  accounts: AccountIds,
  shard: number = homeOf(commit.merchant).shard,
): Entry {
  const id = uuidOf(commit.id);
  const merchant = uuidOf(commit.merchant);
  const parts = partsOf(commit, { id, shard, merchant });
  const guards = guardsOf(commit);
  const transfers = commit.journal === undefined ? NONE : transfersOf(commit.journal, id, accounts);
  return {
    id,
    shard,
    merchant,
    content: contentOf(parts, guards, transfers, commit.journal?.cause ?? ""),
    cause: commit.journal === undefined ? 0 : CAUSES.indexOf(commit.journal.cause),
    transfers,
    opens: commit.journal?.opens ?? [],
    payment: uuid(commit.journal?.payment ?? null),
    parts,
    guards,
    keys: keysOf(commit, id, merchant, transfers),
    ...orderOf(commit.journal, transfers, accounts),
  };
}

function transfersOf({ transfers }: Journal, commit: string, accounts: AccountIds): EntryTransfer[] {
  return transfers.map((transfer, index) => ({
    id: transferUuid(commit, index + 1),
    kind: TRANSFER_KINDS.indexOf(transfer.kind),
    debit: accounts.idOf(transfer.debit),
    credit: accounts.idOf(transfer.credit),
    amount: transfer.amount.minor,
    currency: transfer.amount.currency,
    pending: "pending" in transfer ? uuidOf(transfer.pending) : null,
    expiresAt: transfer.kind === "pending" ? (transfer.expiresAt?.toISOString() ?? null) : null,
  }));
}

function partsOf(
  commit: Commit,
  { id, shard, merchant }: { id: string; shard: number; merchant: string },
): Entry["parts"] {
  const {
    claim,
    payment,
    operation,
    resolution,
    session,
    customer,
    method,
    assessment,
    journal,
    events,
    at,
  } = commit;
  const home = { shard, merchant };
  const parts: Partial<Record<Part, string[]>> = {};
  const add = (part: Part, row: object) => {
    parts[part] = [...(parts[part] ?? []), JSON.stringify(row)];
  };
  if (journal?.payment) add("journals", { ...home, payment: uuidOf(journal.payment), commit: id });
  if (claim !== undefined) {
    const { key, fingerprint, kind, subject } = claim;
    add("claims", {
      ...home,
      key,
      fingerprint,
      kind,
      subject: uuidOf(subject),
      payment: uuid(claim.payment),
      created_at: at,
    });
  }
  if (payment !== undefined) {
    if ("insert" in payment) add("newPayments", { ...payment.insert, ...payment.terms });
    else {
      const row: Record<string, unknown> = {};
      for (const column of PAYMENT_UPDATE) row[column] = payment.update[column];
      add("payments", row);
    }
  }
  if (operation !== undefined) add("newOperations", { ...operation.inFlight, ...operation.insert });
  if (resolution !== undefined) {
    const { state, failure, details, providerOperation, resolveAfter, request } = resolution;
    const live = state === "requires_action";
    add("resolutions", {
      ...home,
      payment: uuidOf(resolution.payment),
      id: uuidOf(resolution.id),
      state,
      failure,
      details,
      provider_operation: providerOperation,
      resolved_at: live ? null : at,
      resolve_after: resolveAfter,
      request,
    });
  }
  if (session !== undefined) {
    if ("insert" in session) add("newSessions", session.insert);
    else {
      const { attempt, status } = session.update;
      const ids = { id: uuidOf(session.update.id), payment: uuidOf(session.update.payment) };
      add("sessions", { ...home, ...ids, attempt, status });
    }
  }
  if (customer !== undefined) add("customers", customer);
  if (method !== undefined) add("methods", "insert" in method ? method.insert : method.update);
  if (assessment !== undefined) add("assessments", assessment);
  for (const event of events) {
    const ids = { id: uuidOf(event.id), payment: uuidOf(event.payment) };
    add("events", { ...home, ...ids, type: event.type, body: event.body, created_at: at });
  }
  return parts;
}

function orderOf(
  journal: Journal | undefined,
  transfers: readonly EntryTransfer[],
  accounts: AccountIds,
): Pick<Entry, "finds" | "leaves"> {
  if (journal === undefined) return { finds: NONE, leaves: NONE };
  const opened = journal.opens.map((account) => accounts.idOf(account));
  const finds: bigint[] = [];
  const leaves = [...opened];
  const add = ({ overdraft }: AccountRef, id: bigint) => {
    if (!overdraft) leaves.push(id);
    if (!overdraft || !opened.includes(id)) finds.push(id);
  };
  for (let index = 0; index < transfers.length; index++) {
    const { debit, credit } = journal.transfers[index] as Transfer;
    add(debit, (transfers[index] as EntryTransfer).debit);
    add(credit, (transfers[index] as EntryTransfer).credit);
  }
  return { finds, leaves };
}

function guardsOf({ claim, payment, resolution, session, requires }: Commit): Guard[] {
  const none = { key: null, payment: null, id: null, expected: null };
  const guards: Guard[] = [];
  if (claim !== undefined) guards.push({ ...none, what: "key", key: claim.key });
  if (payment !== undefined && "update" in payment) {
    const id = payment.update["id"] as string;
    guards.push({ ...none, what: "payment_version", id, expected: payment.expectedVersion });
  }
  if (resolution !== undefined) {
    const { payment: of, id, from } = resolution;
    // As `payments.failed_guards` has it: its outcome is still to come, or it has succeeded.
    const expected = from === "live" ? 0 : 1;
    guards.push({ ...none, what: "operation_state", payment: uuidOf(of), id: uuidOf(id), expected });
  }
  if (requires?.method !== undefined)
    guards.push({ ...none, what: "payment_method", id: uuidOf(requires.method) });
  if (requires?.notDuplicate !== undefined) {
    const { what, since, payment: own } = requires.notDuplicate;
    guards.push({ ...none, what: "not_duplicate", key: what, id: since, payment: uuidOf(own) });
  }
  if (session !== undefined && "update" in session) {
    const { id, expectedAttempt } = session.update;
    guards.push({ ...none, what: "session_attempt", id: uuidOf(id), expected: expectedAttempt });
  }
  return guards;
}

function contentOf(
  parts: Entry["parts"],
  guards: readonly Guard[],
  transfers: readonly EntryTransfer[],
  cause: string,
): bigint {
  let said = cause;
  for (const { what, expected } of guards) said += `\n${what} ${expected}`;
  for (const _ in parts) {
    for (const part of PARTS) for (const row of parts[part] ?? NONE) said += `\n${part}\n${row}`;
    break; // there are some
  }
  for (const { kind, debit, credit, amount, currency, pending, expiresAt } of transfers)
    said += `\n${kind} ${debit} ${credit} ${amount} ${currency} ${pending} ${expiresAt}`;
  digest.write(hash("sha256", said, "binary"), 0, CONTENT_BYTES, "binary");
  digest[0] = (digest[0] as number) & 0x7f;
  return digest.readBigInt64BE();
}

function keysOf(commit: Commit, id: string, merchant: string, transfers: readonly EntryTransfer[]): string[] {
  const keys = [id];
  const { claim, payment, resolution, session, method, requires } = commit;
  if (claim !== undefined) keys.push(`${merchant} ${claim.key}`);
  const touched = paymentOf(payment, resolution);
  if (touched !== null) keys.push(touched);
  if (requires?.method !== undefined) keys.push(uuidOf(requires.method));
  if (requires?.notDuplicate !== undefined) keys.push(`${merchant} paid ${requires.notDuplicate.what}`);
  if (method !== undefined && "update" in method) keys.push(method.update["id"] as string);
  if (session !== undefined && "update" in session) keys.push(uuidOf(session.update.id));
  for (const { kind, id: transfer, pending } of transfers) {
    if (pending !== null) keys.push(pending);
    else if (kind === 1) keys.push(transfer);
  }
  return keys;
}

function paymentOf(payment: Commit["payment"], resolution: Commit["resolution"]): string | null {
  if (payment !== undefined) return ("insert" in payment ? payment.insert : payment.update)["id"] as string;
  return resolution === undefined ? null : uuidOf(resolution.payment);
}
