import type { KeyObject } from "node:crypto";
import { uuidOf } from "../../../subgraphs/kernel/ids.ts";
import type { Commit, OperationResolution, Row } from "../../../subgraphs/ledger/commit.ts";
import { AccountIds } from "../../../subgraphs/ledger/lanes/account-ids.ts";
import { type Entry, entryOf } from "../../../subgraphs/ledger/lanes/entry.ts";
import { type Head, type Sealed, type SealedTransfer, seal } from "../../../subgraphs/ledger/lanes/seal.ts";
import type { WireClient } from "../wire/client.ts";
import type { Parameter, Statement } from "../wire/messages.ts";

/**
 * What one would write without batches: a commit is a transaction, each of its rows a statement, each statement a round
 * trip. It leaves the same rows as the committer, chain and digest included, so that the two differ in nothing but
 * how they get there. Balances are changed once per account and commit, in one order.
 */
export type StatementCommitter = {
  /** @throws if a guard does not hold, or the ledger would refuse it */
  apply(commit: Commit): Promise<void>;
  close(): Promise<void>;
};

export function byStatements(wire: WireClient, auditKey: KeyObject): StatementCommitter {
  const accounts = new AccountIds();
  const prepared = new Map<string, Statement>();
  const sender: Sender = async (text, ...parameters) => {
    let statement = prepared.get(text);
    if (statement === undefined) {
      statement = await wire.prepare(text);
      prepared.set(text, statement);
    }
    return wire.first(statement, ...parameters);
  };
  return {
    async apply(commit) {
      const entry = entryOf(commit, accounts);
      await sender("begin");
      try {
        await writeState(sender, commit, entry);
        if (entry.transfers.length > 0) await writeJournal(sender, entry, auditKey);
        else
          await insert(sender, "ledger.commit", {
            shard: entry.shard,
            id: entry.id,
            content: `${entry.content}`,
          });
        await writeEvents(sender, commit, entry);
      } catch (error) {
        await sender("rollback");
        throw error;
      }
      await sender("commit");
    },
    close: () => wire.close(),
  };
}

type Sender = (
  text: string,
  ...parameters: readonly Parameter[]
) => Promise<readonly (string | null)[] | null>;

function insert(send: Sender, table: string, row: Row): Promise<unknown> {
  const columns = Object.keys(row);
  const values = columns.map((_, at) => `$${at + 1}`).join(", ");
  return send(`insert into ${table} (${columns.join(", ")}) values (${values})`, ...parametersOf(row));
}

/** Sets all columns but `by` of the one row that has these; @throws if there is none */
async function update(
  send: Sender,
  table: string,
  row: Row,
  by: readonly string[],
  guard: string,
): Promise<void> {
  const columns = Object.keys(row).filter((column) => !by.includes(column));
  const names = [...columns, ...by];
  const condition = by.map((column, at) => `${column} = $${columns.length + at + 1}`).join(" and ");
  const text = `update ${table} set ${columns.map((column, at) => `${column} = $${at + 1}`).join(", ")} where ${condition} and ${guard} returning 1`;
  const found = await send(
    text,
    ...parametersOf(Object.fromEntries(names.map((name) => [name, row[name] ?? null]))),
  );
  if (found === null) throw new Error(`a guard of ${table} does not hold: ${guard}`);
}

const parametersOf = (row: Row): Parameter[] =>
  Object.values(row).map((value) => {
    if (value === null || typeof value === "string") return value;
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  });

async function writeState(send: Sender, commit: Commit, { shard }: Entry): Promise<void> {
  const { claim, payment, operation, resolution, assessment, at } = commit;
  const home = { shard, merchant: uuidOf(commit.merchant) };
  if (claim !== undefined) {
    const { key, kind } = claim;
    await insert(send, "payments.idempotency", {
      ...home,
      key,
      fingerprint: `\\x${claim.fingerprint}`,
      kind,
      subject: uuidOf(claim.subject),
      payment: claim.payment && uuidOf(claim.payment),
      created_at: at.toISOString(),
    });
  }
  if (payment !== undefined) {
    if ("insert" in payment) {
      await insert(send, "payments.payment", payment.insert);
      const { what = null, ...terms } = payment.terms;
      await insert(send, "payments.payment_terms", terms);
      const use = { shard, what, payment: terms["id"] ?? null, merchant: home.merchant };
      if (what !== null) await insert(send, "payments.card_use", use);
    } else
      await update(
        send,
        "payments.payment",
        mutableOf(payment.update),
        ["shard", "merchant", "id"],
        `version = ${payment.expectedVersion}`,
      );
  }
  if (resolution !== undefined) await resolve(send, resolution, home, at);
  if (operation !== undefined) {
    await insert(send, "payments.operation", operation.insert);
    if (operation.inFlight !== null) await insert(send, "payments.in_flight", operation.inFlight);
  }
  if (assessment !== undefined) await insert(send, "risk.assessment", assessment);
}

async function resolve(
  send: Sender,
  { id, payment, state, failure, details, providerOperation }: OperationResolution,
  home: { readonly shard: number; readonly merchant: string },
  at: Date,
): Promise<void> {
  const row = {
    ...home,
    payment: uuidOf(payment),
    id: uuidOf(id),
    state,
    failure,
    details,
    provider_operation: providerOperation,
    resolved_at: at.toISOString(),
  };
  const keys = ["shard", "merchant", "payment", "id"];
  await update(send, "payments.operation", row, keys, "state in ('claimed', 'requires_action')");
  await send("delete from payments.in_flight where shard = $1 and operation = $2", `${home.shard}`, row.id);
}

/** What of a payment's row never changes after its first commit. */
const FIXED = new Set(["amount", "currency", "capture_method", "created_at"]);

const mutableOf = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([column]) => !FIXED.has(column)));

async function writeEvents(
  send: Sender,
  { events, merchant, at, journal }: Commit,
  { id, shard }: Entry,
): Promise<void> {
  const home = { shard, merchant: uuidOf(merchant) };
  if (journal?.payment)
    await insert(send, "ledger.payment_journal", { ...home, payment: uuidOf(journal.payment), commit: id });
  for (const { id: event, type, payment, body } of events) {
    const ids = { id: uuidOf(event), payment: uuidOf(payment) };
    await insert(send, "payments.outbox", { ...home, ...ids, type, body, created_at: at.toISOString() });
    await insert(send, "payments.unpublished", { shard, id: ids.id });
  }
}

/** As a batch of one commit, from the head of its shard, which stays locked until the transaction's end. */
async function writeJournal(send: Sender, entry: Entry, auditKey: KeyObject): Promise<void> {
  const { shard } = entry;
  const row = await send(
    "select seq, batch, mac, (extract(epoch from at) * 1000000)::bigint from ledger.chain where shard = $1 for update",
    shard,
  );
  const [seq, batch, mac, at] = row as readonly [string, string, string, string];
  const head: Head = {
    seq: BigInt(seq),
    batch: BigInt(batch),
    mac: Buffer.from(mac.slice(2), "hex"),
    atMicros: BigInt(at),
  };
  const sealed = seal([entry], () => head, new Date(), auditKey);
  for (const transfer of sealed.transfers) await writeTransfer(send, transfer, sealed, entry);
  for (const [account, change] of [...changesOf(sealed.transfers)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await send(
      `update ledger.balance set debits_posted = debits_posted + $1, credits_posted = credits_posted + $2,
         debits_pending = debits_pending + $3, credits_pending = credits_pending + $4 where shard = $5 and id = $6`,
      ...change.map(String),
      shard,
      String(account),
    );
  }
  await writeLink(send, sealed);
}

async function writeTransfer(
  send: Sender,
  transfer: SealedTransfer,
  { at }: Sealed,
  entry: Entry,
): Promise<void> {
  const { id, shard, seq, kind, cause, currency, pending } = transfer;
  const [debit, credit, amount] = [`${transfer.debit}`, `${transfer.credit}`, `${transfer.amount}`];
  const sides = { shard, debit, credit, currency };
  await insert(send, "ledger.transfer", {
    ...sides,
    id,
    amount,
    kind,
    cause,
    pending,
    seq: `${seq}`,
    at: at.toISOString(),
    content: `${entry.content}`,
  });
  if (kind === 1) {
    const until = {
      payment: entry.payment,
      expires_at: entry.transfers.find((one) => one.id === id)?.expiresAt ?? null,
    };
    await insert(send, "ledger.pending", { ...sides, transfer: id, remaining: amount, ...until });
  }
  if (pending === null) return;
  const gone = await send(
    "delete from ledger.pending where shard = $1 and transfer = $2 and remaining = $3 returning 1",
    ...([shard, pending, amount] as const),
  );
  if (gone !== null) return;
  const lessened = await send(
    "update ledger.pending set remaining = remaining - $3 where shard = $1 and transfer = $2 and remaining > $3 returning 1",
    ...([shard, pending, amount] as const),
  );
  if (lessened === null) throw new Error("a pending transfer has not what is to be resolved of it");
}

type Change = [debitsPosted: bigint, creditsPosted: bigint, debitsPending: bigint, creditsPending: bigint];

function changesOf(transfers: readonly SealedTransfer[]): Map<bigint, Change> {
  const changes = new Map<bigint, Change>();
  for (const { kind, debit, credit, amount } of transfers) {
    const posted = kind === 0 || kind === 2 ? amount : 0n;
    const pending = kind === 0 ? 0n : kind === 1 ? amount : -amount;
    for (const [account, side] of [
      [debit, 0],
      [credit, 1],
    ] as const) {
      const change = changes.get(account) ?? [0n, 0n, 0n, 0n];
      change[side] += posted;
      change[side === 0 ? 2 : 3] += pending;
      changes.set(account, change);
    }
  }
  return changes;
}

async function writeLink(send: Sender, { batches, at }: Sealed): Promise<void> {
  for (const { header, mac: made } of batches) {
    const { shard, number, firstSeq, count, root } = header;
    const mac = `\\x${made.toString("hex")}`;
    const link = { shard, number: `${number}`, first_seq: `${firstSeq}`, count, at: at.toISOString() };
    await insert(send, "ledger.batch", { ...link, root: `\\x${root.toString("hex")}`, mac });
    const last = `${firstSeq + BigInt(count) - 1n}`;
    await send(
      "update ledger.chain set seq = $1, batch = $2, mac = $3, at = $4 where shard = $5",
      ...([last, `${number}`, mac, at.toISOString(), shard] as const),
    );
  }
}
