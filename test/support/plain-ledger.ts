import { type TransferId, transferId, uuidOf } from "../../subgraphs/kernel/ids.ts";
import type { AccountRef } from "../../subgraphs/ledger/accounts.ts";
import type { Commit, CommitResult, RefusalReason } from "../../subgraphs/ledger/commit.ts";
import type { Transfer } from "../../subgraphs/ledger/transfer.ts";

export type PlainBalance = {
  debitsPosted: bigint;
  creditsPosted: bigint;
  debitsPending: bigint;
  creditsPending: bigint;
};

type Held = { readonly transfer: Transfer; left: bigint };
type State = {
  readonly balances: Map<string, PlainBalance>;
  readonly held: Map<TransferId, Held>;
};

const nameOf = ({ book, code, currency }: AccountRef) => `${book}/${code}/${currency}`;
const copyOf = ({ balances, held }: State): State => ({
  balances: new Map([...balances].map(([name, balance]) => [name, { ...balance }])),
  held: new Map([...held].map(([id, one]) => [id, { ...one }])),
});

/**
 * The ledger as one would write it to be understood: one commit after the other, in memory, with no thought of speed.
 * What the committer does with many at once must come to the same.
 */
export class PlainLedger {
  #state: State = { balances: new Map(), held: new Map() };
  readonly #applied = new Map<string, string>();
  readonly #keys = new Map<string, string>();
  readonly #attempts = new Map<string, { attempt: number; isOpen: boolean }>();
  readonly transfers: { readonly id: TransferId; readonly transfer: Transfer }[] = [];

  balanceOf(account: AccountRef): PlainBalance | undefined {
    return this.#state.balances.get(nameOf(account));
  }

  get held(): ReadonlyMap<TransferId, Held> {
    return this.#state.held;
  }

  apply(commit: Commit): CommitResult["outcome"] | RefusalReason {
    const content = JSON.stringify(commit, (_, value) => (typeof value === "bigint" ? `${value}` : value));
    const before = this.#applied.get(commit.id);
    if (before !== undefined) return before === content ? "replayed" : "conflict";
    const { claim, session, journal } = commit;
    if (claim !== undefined && this.#keys.has(claim.key)) return "key_taken";
    if (session !== undefined && "update" in session) {
      const known = this.#attempts.get(uuidOf(session.update.id));
      if (known?.isOpen !== true || known.attempt !== session.update.expectedAttempt) return "guard_failed";
    }
    const next = copyOf(this.#state);
    for (const account of journal?.opens ?? []) open(next, account);
    for (const [index, transfer] of (journal?.transfers ?? []).entries()) {
      const reason = post(next, transferId(commit.id, index + 1), transfer);
      if (reason !== null) return reason;
    }
    this.#state = next;
    this.#applied.set(commit.id, content);
    for (const [index, transfer] of (journal?.transfers ?? []).entries())
      this.transfers.push({ id: transferId(commit.id, index + 1), transfer });
    if (claim !== undefined) this.#keys.set(claim.key, commit.id);
    if (session !== undefined) {
      const { id, attempt, isOpen } =
        "insert" in session
          ? { id: session.insert["id"] as string, attempt: 0, isOpen: true }
          : {
              id: uuidOf(session.update.id),
              attempt: session.update.attempt,
              isOpen: session.update.status === "open",
            };
      this.#attempts.set(id, { attempt, isOpen });
    }
    return "applied";
  }
}

function open({ balances }: State, account: AccountRef): void {
  if (balances.has(nameOf(account))) return;
  balances.set(nameOf(account), {
    debitsPosted: 0n,
    creditsPosted: 0n,
    debitsPending: 0n,
    creditsPending: 0n,
  });
}

function post(state: State, id: TransferId, transfer: Transfer): RefusalReason | null {
  const { minor } = transfer.amount;
  const debit = state.balances.get(nameOf(transfer.debit));
  const credit = state.balances.get(nameOf(transfer.credit));
  if (debit === undefined || credit === undefined) return "unknown_account";
  if ("pending" in transfer) {
    const held = state.held.get(transfer.pending);
    if (held === undefined) return "unknown_pending";
    const isSame =
      nameOf(held.transfer.debit) === nameOf(transfer.debit) &&
      nameOf(held.transfer.credit) === nameOf(transfer.credit);
    if (!isSame) return "other_pending_accounts";
    if (held.left < minor) return "exceeds_pending";
    held.left -= minor;
    debit.debitsPending -= minor;
    credit.creditsPending -= minor;
    if (transfer.kind === "release") return null;
  }
  if (transfer.kind === "pending") {
    state.held.set(id, { transfer, left: minor });
    debit.debitsPending += minor;
    credit.creditsPending += minor;
  } else {
    debit.debitsPosted += minor;
    credit.creditsPosted += minor;
  }
  if ("pending" in transfer) return null;
  return isOver(transfer.debit, debit) || isOver(transfer.credit, credit) ? "exceeds_limit" : null;
}

function isOver(account: AccountRef, balance: PlainBalance): boolean {
  if (account.overdraft) return false;
  return account.normalSide === "credit"
    ? balance.debitsPosted + balance.debitsPending > balance.creditsPosted
    : balance.creditsPosted + balance.creditsPending > balance.debitsPosted;
}
