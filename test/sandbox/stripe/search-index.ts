/**
 * The searchable copy of payment intents, which lags behind the objects as the provider's does.
 *
 * A change is noted with the time from which search may see it; until then the older copy answers, and a new
 * payment intent is not found at all. Found ids are then read from the store, so that a result is current.
 */

import type { PaymentIntentRecord } from "./records.ts";

/** The fields that a query can name; times in seconds, amounts in minor units. */
export type SearchDocument = Pick<
  PaymentIntentRecord,
  "id" | "created" | "amount" | "currency" | "status" | "metadata"
>;

export class SearchIndex {
  readonly #documents = new Map<string, SearchDocument>();
  readonly #byMetadata = new Map<string, Set<string>>();
  #noted: { readonly visibleAtMs: number; readonly document: SearchDocument }[] = [];
  #nextNoted = 0;

  /** Notes a change that search sees after `lagMs`. */
  note(intent: PaymentIntentRecord, nowMs: number, lagMs: number): void {
    this.#noted.push({ visibleAtMs: nowMs + lagMs, document: documentOf(intent) });
    this.catchUp(nowMs);
  }

  indexAtOnce(intent: PaymentIntentRecord): void {
    this.#index(documentOf(intent));
  }

  /** Takes in the changes whose time has come. They come in order, so the first late one ends the round. */
  catchUp(nowMs: number): void {
    for (
      let noted = this.#noted[this.#nextNoted];
      noted !== undefined;
      noted = this.#noted[this.#nextNoted]
    ) {
      if (noted.visibleAtMs > nowMs) break;
      this.#index(noted.document);
      this.#nextNoted++;
    }
    if (this.#nextNoted > 10_000 || this.#nextNoted === this.#noted.length) {
      this.#noted = this.#noted.slice(this.#nextNoted);
      this.#nextNoted = 0;
    }
  }

  /** Documents that carry a pair of metadata; all of them where none is named. */
  *candidates(pair?: { readonly key: string; readonly value: string }): IterableIterator<SearchDocument> {
    if (pair === undefined) {
      yield* this.#documents.values();
      return;
    }
    for (const id of this.#byMetadata.get(pairName(pair.key, pair.value)) ?? []) {
      const document = this.#documents.get(id);
      if (document !== undefined) yield document;
    }
  }

  clear(): void {
    this.#documents.clear();
    this.#byMetadata.clear();
    this.#noted = [];
    this.#nextNoted = 0;
  }

  #index(document: SearchDocument): void {
    const older = this.#documents.get(document.id);
    for (const [key, value] of Object.entries(older?.metadata ?? {})) {
      if (document.metadata[key] !== value) this.#byMetadata.get(pairName(key, value))?.delete(document.id);
    }
    this.#documents.set(document.id, document);
    for (const [key, value] of Object.entries(document.metadata)) {
      const name = pairName(key, value);
      const ids = this.#byMetadata.get(name);
      if (ids === undefined) this.#byMetadata.set(name, new Set([document.id]));
      else ids.add(document.id);
    }
  }
}

function documentOf(intent: PaymentIntentRecord): SearchDocument {
  const { id, created, amount, currency, status, metadata } = intent;
  return { id, created, amount, currency, status, metadata };
}

function pairName(key: string, value: string): string {
  return `${key}\u0000${value}`;
}
