import { type AccountRef, OPERATOR_BOOK } from "../accounts.ts";
import { TRANSFER_KINDS } from "../transfer.ts";
import type { AccountIds } from "./account-ids.ts";
import { changesOf } from "./changes.ts";
import { type Entry, type Guard, PARTS, type Part } from "./entry.ts";
import { type Bare, bareRows, changeRows, type Hold, holdRows, linkRows, transferRows } from "./rows.ts";
import type { Sealed } from "./seal.ts";

/** How the write function is to look at a batch (schema/sql, ledger.apply_batch). */
export type Care = {
  /** Find the commits that the ledger refuses, in order, before anything is written. */
  readonly judge: boolean;
  /** Find the commits that were applied before. */
  readonly recall: boolean;
};

type PlacedGuard = Guard & { readonly ordinal: number; readonly shard: number; readonly merchant: string };

/** An array for each: its name, and what it has of a guard. */
const GUARD_COLUMNS: readonly (readonly [name: string, read: (guard: PlacedGuard) => string | number])[] = [
  ["g_commit", ({ ordinal }) => ordinal],
  ["g_shard", ({ shard }) => shard],
  ["g_merchant", ({ merchant }) => merchant],
  ["g_what", ({ what }) => what],
  ["g_key", ({ key }) => (key === null ? "NULL" : quoted(key))],
  ["g_payment", ({ payment }) => payment ?? "NULL"],
  ["g_id", ({ id }) => id ?? "NULL"],
  ["g_expected", ({ expected }) => expected ?? "NULL"],
];

const PART_PARAMETERS: Record<Part, string> = {
  journals: "p_journals",
  claims: "p_claims",
  newPayments: "p_new_payments",
  payments: "p_payments",
  newOperations: "p_new_operations",
  resolutions: "p_resolutions",
  newSessions: "p_new_sessions",
  sessions: "p_sessions",
  customers: "p_customers",
  methods: "p_methods",
  assessments: "p_assessments",
  events: "p_events",
};

const PLAIN_NAMES = ["p_judge", "p_recall", "p_at", "p_shards", "p_links", "p_transfers", "p_changes"];
const NAMES = [...PLAIN_NAMES, "p_resolves", "p_holds", "p_bare", ...GUARD_COLUMNS.map(([name]) => name)];
const JSON_NAMES = ["p_accounts", ...PARTS.map((part) => PART_PARAMETERS[part])];

const statementOf = (names: readonly string[], json: readonly string[]): string =>
  `select ledger.apply_batch(${[
    ...names.map((name, index) => `${name} => $${index + 1}`),
    // As text: the driver would take a string for a JSON value and quote it.
    ...json.map((name, index) => `${name} => $${index + 1 + names.length}::text::json`),
  ].join(", ")}) as answer`;

/** Of commits that only post: for a lone one the parameters that it does not need are to be felt. */
const APPLY_PLAIN = statementOf(PLAIN_NAMES, []);
const APPLY = statementOf(NAMES, JSON_NAMES);

const SINGLE = TRANSFER_KINDS.indexOf("single");
const PENDING = TRANSFER_KINDS.indexOf("pending");

export type BatchStatement = {
  readonly text: string;
  readonly parameters: (string | boolean | null)[];
};

/** The statement that applies a sealed batch, with its parameters: PostgreSQL array literals, and JSON rows. */
export function statementFor(sealed: Sealed, { judge, recall }: Care, accounts: AccountIds): BatchStatement {
  const { entries, transfers, batches, at } = sealed;
  const isSingle = transfers.every(({ kind }) => kind === SINGLE);
  const plain = [
    judge,
    recall,
    at.toISOString(),
    `{${[...new Set(entries.map(({ shard }) => shard))].join(",")}}`,
    linkRows(batches),
    transferRows(transfers),
    changeRows(changesOf(transfers, isSingle), isSingle),
  ];
  const opened = accountsOf(sealed, accounts);
  if (isSingle && opened === null && entries.every(isPlain)) return { text: APPLY_PLAIN, parameters: plain };
  const holds = isSingle ? [] : holdsOf(entries);
  const bare = bareOf(entries);
  return {
    text: APPLY,
    parameters: [
      ...plain,
      transfers.some(({ pending }) => pending !== null),
      holds.length === 0 ? null : holdRows(holds),
      bare.length === 0 ? null : bareRows(bare),
      ...guardsOf(entries),
      opened,
      ...PARTS.map((part) => rowsOf(sealed, part)),
    ],
  };
}

/** A commit that has transfers and nothing else. */
const isPlain = ({ guards, parts, transfers }: Entry): boolean =>
  guards.length === 0 && transfers.length > 0 && isEmpty(parts);

function isEmpty(parts: Entry["parts"]): boolean {
  for (const _ in parts) return false;
  return true;
}

/** Any text as an element of an array literal. */
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;

const bareOf = (entries: readonly Entry[]): Bare[] =>
  entries.flatMap(({ transfers, shard, id, content }, index) =>
    transfers.length > 0 ? [] : [{ ordinal: index + 1, shard, id, content }],
  );

const holdsOf = (entries: readonly Entry[]): Hold[] =>
  entries.flatMap(({ shard, payment, transfers }) =>
    transfers.filter(({ kind }) => kind === PENDING).map((transfer) => ({ ...transfer, shard, payment })),
  );

function guardsOf(entries: readonly Entry[]): (string | null)[] {
  const placed = entries.flatMap(({ guards, shard, merchant }, index) =>
    guards.map((guard) => ({ ...guard, ordinal: index + 1, shard, merchant })),
  );
  return GUARD_COLUMNS.map(([, read]) => (placed.length === 0 ? null : `{${placed.map(read).join(",")}}`));
}

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
