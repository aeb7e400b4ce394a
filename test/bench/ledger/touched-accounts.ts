/** Which of many accounts were used, by the position of their book and their own. */
export class TouchedAccounts {
  readonly #perBook: number;
  readonly #used: Uint8Array;
  #count = 0;

  constructor(books: number, perBook: number) {
    this.#perBook = perBook;
    this.#used = new Uint8Array(books * perBook);
  }

  get count(): number {
    return this.#count;
  }

  mark(book: number, account: number): void {
    const at = book * this.#perBook + account;
    if (this.#used[at] === 1) return;
    this.#used[at] = 1;
    this.#count++;
  }

  forget(): void {
    this.#used.fill(0);
    this.#count = 0;
  }
}
