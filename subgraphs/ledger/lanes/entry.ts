import { hash } from "node:crypto";
import { homeOf, type Id, type IdKind, transferUuid, uuidOf } from "../../kernel/ids.ts";
import type { AccountRef } from "../accounts.ts";
import { CAUSES, type Commit, type Journal } from "../commit.ts";
import { TRANSFER_KINDS } from "../transfer.ts";
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
  "fee",
  "authorization_transfer",
  "provider_payment",
  "decline",
  "updated_at",
  "authorization_expires_at",
] as const;

/** What must hold before a commit is applied; ids as UUIDs. */
export type Guard = {
  readonly what: "key" | "payment_version" | "operation_state" | "session_attempt";
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

const uuid = (id: Id<IdKind> | null): string | null => (id === null ? null : uuidOf(id));

export function entryOf(commit: Commit, accounts: AccountIds): Entry {
  const id = uuidOf(commit.id);
  const { shard } = homeOf(commit.merchant);
  const merchant = uuidOf(commit.merchant);
  const parts = partsOf(commit, { id, shard, merchant });
  const guards = guardsOf(commit);
  const transfers = commit.journal === undefined ? [] : transfersOf(commit.journal, id, accounts);
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
  const { claim, payment, operation, session, assessment, journal, events, at } = commit;
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
    if ("insert" in payment) add("newPayments", payment.insert);
    else {
      const row: Record<string, unknown> = {};
      for (const column of PAYMENT_UPDATE) row[column] = payment.update[column];
      add("payments", row);
    }
  }
  if (operation !== undefined) {
    if ("insert" in operation) add("newOperations", operation.insert);
    else {
      const { resolve } = operation;
      const ids = { payment: uuidOf(resolve.payment), id: uuidOf(resolve.id) };
      add("resolutions", {
        ...home,
        ...ids,
        state: resolve.state,
        failure: resolve.failure,
        resolved_at: at,
      });
    }
  }
  if (session !== undefined) {
    if ("insert" in session) add("newSessions", session.insert);
    else {
      const { attempt, status } = session.update;
      const ids = { id: uuidOf(session.update.id), payment: uuidOf(session.update.payment) };
      add("sessions", { ...home, ...ids, attempt, status });
    }
  }
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
  if (journal === undefined) return { finds: [], leaves: [] };
  const opened = journal.opens.map((account) => accounts.idOf(account));
  const finds: bigint[] = [];
  const leaves = [...opened];
  journal.transfers.forEach(({ debit, credit }, index) => {
    const ids = transfers[index] as EntryTransfer;
    for (const [account, id] of [
      [debit, ids.debit],
      [credit, ids.credit],
    ] as const) {
      if (!account.overdraft) leaves.push(id);
      if (!account.overdraft || !opened.includes(id)) finds.push(id);
    }
  });
  return { finds, leaves };
}

function guardsOf({ claim, payment, operation, session }: Commit): Guard[] {
  const none = { key: null, payment: null, id: null, expected: null };
  const guards: Guard[] = [];
  if (claim !== undefined) guards.push({ ...none, what: "key", key: claim.key });
  if (payment !== undefined && "update" in payment) {
    const id = payment.update["id"] as string;
    guards.push({ ...none, what: "payment_version", id, expected: payment.expectedVersion });
  }
  if (operation !== undefined && "resolve" in operation) {
    const { payment: of, id } = operation.resolve;
    guards.push({ ...none, what: "operation_state", payment: uuidOf(of), id: uuidOf(id) });
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
  const said = [cause];
  for (const { what, expected } of guards) said.push(`${what} ${expected}`);
  for (const part of PARTS) for (const row of parts[part] ?? []) said.push(part, row);
  for (const { kind, debit, credit, amount, currency, pending, expiresAt } of transfers)
    said.push(`${kind} ${debit} ${credit} ${amount} ${currency} ${pending} ${expiresAt}`);
  return hash("sha256", said.join("\n"), "buffer").readBigUInt64BE() & 0x7fff_ffff_ffff_ffffn;
}

function keysOf(commit: Commit, id: string, merchant: string, transfers: readonly EntryTransfer[]): string[] {
  const keys = [id];
  const { claim, payment, operation, session } = commit;
  if (claim !== undefined) keys.push(`${merchant} ${claim.key}`);
  const touched = paymentOf(payment, operation);
  if (touched !== null) keys.push(touched);
  if (session !== undefined && "update" in session) keys.push(uuidOf(session.update.id));
  for (const { kind, id: transfer, pending } of transfers) {
    if (pending !== null) keys.push(pending);
    else if (kind === 1) keys.push(transfer);
  }
  return keys;
}

function paymentOf(payment: Commit["payment"], operation: Commit["operation"]): string | null {
  if (payment !== undefined) return ("insert" in payment ? payment.insert : payment.update)["id"] as string;
  if (operation !== undefined && "resolve" in operation) return uuidOf(operation.resolve.payment);
  return null;
}
