import { type AccountRef, accountId } from "../accounts.ts";

/** What is remembered of accounts; then it is forgotten and learnt again. */
const MOST = 400_000;

/** Ids of accounts, computed once, and which of them are known to be open. */
export class AccountIds {
  /** By the object, which is mostly the same for the same account, then by what it is. */
  readonly #idOfRef = new WeakMap<AccountRef, bigint>();
  readonly #ids = new Map<string, bigint>();
  readonly #open = new Set<string>();

  idOf(account: AccountRef): bigint {
    const known = this.#idOfRef.get(account);
    if (known !== undefined) return known;
    const id = this.#idOfName(account);
    this.#idOfRef.set(account, id);
    return id;
  }

  #idOfName(account: AccountRef): bigint {
    const name = nameOf(account);
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    if (this.#ids.size >= MOST) this.#ids.clear();
    const id = accountId(account);
    this.#ids.set(name, id);
    return id;
  }

  isOpen(shard: number, account: AccountRef): boolean {
    return this.#open.has(`${shard} ${nameOf(account)}`);
  }

  opened(shard: number, account: AccountRef): void {
    if (this.#open.size >= MOST) this.#open.clear();
    this.#open.add(`${shard} ${nameOf(account)}`);
  }
}

const nameOf = ({ book, code, currency }: AccountRef): string => `${book}/${code}/${currency}`;
