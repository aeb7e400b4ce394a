import { createHash } from "node:crypto";
import type { Sql } from "postgres";
import { homeOf, type Id, type IdKind, uuidOf } from "../kernel/ids.ts";
import type { Commit, CommitResult, Journal } from "./commit.ts";
import type { Transfer } from "./transfer.ts";

/** Applies commits: the one write door to payments, ledger, risk decisions and the outbox. */
export type ApplyCommit = (commit: Commit) => Promise<CommitResult>;

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 20;

/**
 * The committer over a pool whose role may execute `ledger.apply_commit` and nothing else. One commit is one
 * statement, one round trip and one transaction. Serialization failures, deadlocks and lost connections
 * are answered by sending the same commit again: its id makes that safe, also when the answer to a COMMIT
 * that happened was lost. Throws when the database stays unreachable; the commit may then have happened.
 */
export function createCommitter(sql: Sql): ApplyCommit {
  return async (commit) => {
    const encoded = encodeCommit(commit);
    for (let attempt = 1; ; attempt++) {
      try {
        const rows = await sql.unsafe<{ result: CommitResult }[]>(
          "select ledger.apply_commit($1::text::jsonb) as result",
          [encoded],
          { prepare: true },
        );
        return (rows[0] as { result: CommitResult }).result;
      } catch (error) {
        if (attempt === ATTEMPTS || !isWorthResending(error)) throw error;
        const pause = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };
}

const RESEND_SQLSTATES = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "23505", // unique_violation: the same commit id at the same time; the next look finds it applied
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "08006", // connection_failure
  "53300", // too_many_connections
]);
const RESEND_NETWORK = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "EPIPE",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
]);

function isWorthResending(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && (RESEND_SQLSTATES.has(code) || RESEND_NETWORK.has(code));
}

const uuid = (id: Id<IdKind> | null): string | null => (id === null ? null : uuidOf(id));

/** The commit as the JSON text that the write function reads, with a digest of its content. */
export function encodeCommit(commit: Commit): string {
  const content = {
    id: uuidOf(commit.id),
    shard: homeOf(commit.merchant).shard,
    merchant: uuidOf(commit.merchant),
    at: commit.at.toISOString(),
    claim: commit.claim && {
      ...commit.claim,
      subject: uuidOf(commit.claim.subject),
      payment: uuid(commit.claim.payment),
    },
    payment: commit.payment,
    operation: commit.operation && encodeOperation(commit.operation),
    session: commit.session && encodeSession(commit.session),
    assessment: commit.assessment,
    journal: commit.journal && encodeJournal(commit.journal),
    events: commit.events.map((event) => ({
      ...event,
      id: uuidOf(event.id),
      payment: uuidOf(event.payment),
    })),
  };
  const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  return JSON.stringify({ ...content, digest });
}

function encodeOperation(operation: NonNullable<Commit["operation"]>) {
  if ("insert" in operation) return operation;
  const { resolve } = operation;
  return { resolve: { ...resolve, id: uuidOf(resolve.id), payment: uuidOf(resolve.payment) } };
}

function encodeSession(session: NonNullable<Commit["session"]>) {
  if ("insert" in session) return session;
  const { update } = session;
  return { update: { ...update, id: uuidOf(update.id), payment: uuidOf(update.payment) } };
}

function encodeJournal(journal: Journal) {
  return {
    id: uuidOf(journal.id),
    payment: uuidOf(journal.payment),
    operation: uuidOf(journal.operation),
    cause: journal.cause,
    transfers: journal.transfers.map(encodeTransfer),
  };
}

function encodeTransfer(transfer: Transfer) {
  const { id, amount, ...rest } = transfer;
  const money = { id: uuidOf(id), amount: amount.minor.toString(), currency: amount.currency };
  return "pending" in rest ? { ...money, ...rest, pending: uuidOf(rest.pending) } : { ...money, ...rest };
}
