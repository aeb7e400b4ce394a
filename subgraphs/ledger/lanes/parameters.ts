import { type AccountRef, OPERATOR_BOOK } from "../accounts.ts";
import { TRANSFER_KINDS } from "../transfer.ts";
import type { AccountIds } from "./account-ids.ts";
import { changesOf } from "./changes.ts";
import { type Entry, PARTS, type Part } from "./entry.ts";
import type { Sealed } from "./seal.ts";

const PART_PARAMETERS: Record<Part, string> = {
  journals: "p_journals",
  claims: "p_claims",
  newPayments: "p_new_payments",
  payments: "p_payments",
  newOperations: "p_new_operations",
  resolutions: "p_resolutions",
  newSessions: "p_new_sessions",
  sessions: "p_sessions",
  assessments: "p_assessments",
  events: "p_events",
};

const ARRAYS = [
  "p_shards",
  "c_shard",
  "c_number",
  "c_first",
  "c_count",
  "c_prev",
  "c_root",
  "c_mac",
  "k_shard",
  "k_id",
  "k_content",
  "k_bare",
  "t_commit",
  "t_shard",
  "t_seq",
  "t_id",
  "t_kind",
  "t_cause",
  "t_debit",
  "t_credit",
  "t_amount",
  "t_currency",
  "t_pending",
  "h_shard",
  "h_id",
  "h_debit",
  "h_credit",
  "h_amount",
  "h_currency",
  "h_payment",
  "h_expires",
  "b_shard",
  "b_account",
  "b_debits_posted",
  "b_credits_posted",
  "b_debits_pending",
  "b_credits_pending",
  "b_more_debits",
  "b_more_credits",
  "g_commit",
  "g_shard",
  "g_merchant",
  "g_what",
  "g_key",
  "g_payment",
  "g_id",
  "g_expected",
] as const;

const JSON_PARAMETERS = ["p_accounts", ...PARTS.map((part) => PART_PARAMETERS[part])];

/** The statement that applies a batch, its parameters as `parametersOf` gives them. */
export const APPLY_BATCH = `select ledger.apply_batch(${[
  "p_careful => $1",
  "p_at => $2",
  ...ARRAYS.map((name, index) => `${name} => $${index + 3}`),
  // As text: the driver would take a string for a JSON value and quote it.
  ...JSON_PARAMETERS.map((name, index) => `${name} => $${index + 3 + ARRAYS.length}::text::json`),
].join(", ")}) as answer`;

const SINGLE = TRANSFER_KINDS.indexOf("single");
const PENDING = TRANSFER_KINDS.indexOf("pending");

export type BatchParameter = string | boolean | null;

/** An array literal, built as one string: these are the hottest lines of a batch. */
function list<T>(items: readonly T[], read: (item: T) => string | number | bigint | boolean): string {
  let text = "{";
  for (let index = 0; index < items.length; index++) {
    if (index > 0) text += ",";
    text += read(items[index] as T);
  }
  return `${text}}`;
}
const bytes = (items: readonly Buffer[]): string =>
  `{${items.map((item) => `"\\\\x${item.toString("hex")}"`).join(",")}}`;

/** A sealed batch as the write function's parameters: PostgreSQL array literals, and JSON rows. */
export function parametersOf(sealed: Sealed, careful: boolean, accounts: AccountIds): BatchParameter[] {
  const { entries, transfers, batches, at } = sealed;
  const shards = [...new Set(entries.map(({ shard }) => shard))].sort((a, b) => a - b);
  return [
    careful,
    at.toISOString(),
    list(shards, (shard) => shard),
    list(batches, ({ header }) => header.shard),
    list(batches, ({ header }) => header.number),
    list(batches, ({ header }) => header.firstSeq),
    list(batches, ({ header }) => header.count),
    bytes(batches.map(({ previous }) => previous)),
    bytes(batches.map(({ header }) => header.root)),
    bytes(batches.map(({ mac }) => mac)),
    list(entries, ({ shard }) => shard),
    list(entries, ({ id }) => id),
    list(entries, ({ content }) => content),
    list(entries, (entry) => entry.transfers.length === 0),
    list(transfers, ({ ordinal }) => ordinal),
    list(transfers, ({ shard }) => shard),
    list(transfers, ({ seq }) => seq),
    list(transfers, ({ id }) => id),
    list(transfers, ({ kind }) => kind),
    list(transfers, ({ cause }) => cause),
    list(transfers, ({ debit }) => debit),
    list(transfers, ({ credit }) => credit),
    list(transfers, ({ amount }) => amount),
    list(transfers, ({ currency }) => currency),
    isPlain(sealed) ? "{}" : list(transfers, ({ pending }) => pending ?? "NULL"),
    ...holdsOf(entries),
    ...balancesOf(sealed),
    ...guardsOf(entries),
    accountsOf(sealed, accounts),
    ...PARTS.map((part) => rowsOf(sealed, part)),
  ];
}

/** Pending transfers once more, with what only they have. */
function holdsOf(entries: readonly Entry[]): string[] {
  const holds = entries.flatMap(({ shard, payment, transfers }) =>
    transfers.filter(({ kind }) => kind === PENDING).map((transfer) => ({ ...transfer, shard, payment })),
  );
  return [
    list(holds, ({ shard }) => shard),
    list(holds, ({ id }) => id),
    list(holds, ({ debit }) => debit),
    list(holds, ({ credit }) => credit),
    list(holds, ({ amount }) => amount),
    list(holds, ({ currency }) => currency),
    list(holds, ({ payment }) => payment ?? "NULL"),
    list(holds, ({ expiresAt }) => expiresAt ?? "NULL"),
  ];
}

/** Nothing is held or resolved: what only such transfers need is left out. */
const isPlain = ({ transfers }: Sealed): boolean => transfers.every(({ kind }) => kind === SINGLE);

function balancesOf(sealed: Sealed): string[] {
  const plain = isPlain(sealed);
  const changes = changesOf(sealed.transfers, plain);
  return [
    list(changes, ({ shard }) => shard),
    list(changes, ({ account }) => account),
    list(changes, ({ debitsPosted }) => debitsPosted),
    list(changes, ({ creditsPosted }) => creditsPosted),
    ...(plain
      ? ["{}", "{}", "{}", "{}"]
      : [
          list(changes, ({ debitsPending }) => debitsPending),
          list(changes, ({ creditsPending }) => creditsPending),
          list(changes, ({ moreDebits }) => moreDebits),
          list(changes, ({ moreCredits }) => moreCredits),
        ]),
  ];
}

function guardsOf(entries: readonly Entry[]): string[] {
  const guards = entries.flatMap((entry, index) =>
    entry.guards.map((guard) => ({
      ...guard,
      ordinal: index + 1,
      shard: entry.shard,
      merchant: entry.merchant,
    })),
  );
  return [
    list(guards, ({ ordinal }) => ordinal),
    list(guards, ({ shard }) => shard),
    list(guards, ({ merchant }) => merchant),
    list(guards, ({ what }) => what),
    list(guards, ({ key }) => (key === null ? "NULL" : quoted(key))),
    list(guards, ({ payment }) => payment ?? "NULL"),
    list(guards, ({ id }) => id ?? "NULL"),
    list(guards, ({ expected }) => expected ?? "NULL"),
  ];
}

/** Any text as an element of an array literal. */
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;

function rowsOf({ entries }: Sealed, part: Part): string | null {
  const rows: string[] = [];
  for (const { parts } of entries) rows.push(...(parts[part] ?? []));
  return rows.length === 0 ? null : `[${rows.join(",")}]`;
}

/** Rows of the accounts that are opened and not known to be open, each once. */
function accountsOf({ entries }: Sealed, accounts: AccountIds): string | null {
  const rows = new Map<string, object>();
  for (const { shard, opens } of entries) {
    for (const account of opens) {
      if (!accounts.isOpen(shard, account))
        rows.set(`${shard} ${accounts.idOf(account)}`, rowOf(shard, account, accounts));
    }
  }
  return rows.size === 0
    ? null
    : // Beyond what a JSON number holds exactly, so as text.
      JSON.stringify([...rows.values()]);
}

function rowOf(shard: number, account: AccountRef, accounts: AccountIds) {
  const { book, code, currency, normalSide, overdraft } = account;
  const limited = overdraft ? 0 : normalSide === "credit" ? 1 : 2;
  const merchant = book === OPERATOR_BOOK ? null : account.merchant;
  const id = accounts.idOf(account).toString();
  return { shard, id, book, merchant, code, currency, normal_side: normalSide, limited };
}
