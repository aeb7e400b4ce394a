import type { Bytes } from "../crypto/bytes.ts";
import type { SealedCard, SealedCvc } from "../seal/envelope.ts";

/** What may be told of a card: nothing here lets anyone pay with it. */
export type CardDescription = {
  readonly brand: string;
  readonly bin: string;
  readonly last4: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly fingerprint: string;
};

/** A card as the shard keeps it: ciphertext and description. */
export type StoredCard = SealedCard & CardDescription;

/** A CVC as the shard keeps it until `expiresAt` (milliseconds since the epoch). */
export type StoredCvc = SealedCvc & { readonly expiresAt: number };

/** One table of each: the card, and apart from it the CVC, which must go soon. Times in ms since the epoch. */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS token (
    id TEXT PRIMARY KEY,
    merchant TEXT NOT NULL,
    sealed BLOB NOT NULL,
    wrapped_dek BLOB NOT NULL,
    kek_id TEXT NOT NULL,
    brand TEXT NOT NULL,
    bin TEXT NOT NULL,
    last4 TEXT NOT NULL,
    exp_month INTEGER NOT NULL,
    exp_year INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cvc (
    token TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    key_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    reference TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS cvc_expiry ON cvc (expires_at);
`;

/** A row of `token` as SQLite returns it. */
export type TokenRow = {
  sealed: ArrayBuffer;
  wrapped_dek: ArrayBuffer;
  kek_id: string;
  brand: string;
  bin: string;
  last4: string;
  exp_month: number;
  exp_year: number;
  fingerprint: string;
};

export function storedCard(row: TokenRow): StoredCard {
  return {
    sealed: bytesOf(row.sealed),
    wrappedDek: bytesOf(row.wrapped_dek),
    kekId: row.kek_id,
    brand: row.brand,
    bin: row.bin,
    last4: row.last4,
    expMonth: row.exp_month,
    expYear: row.exp_year,
    fingerprint: row.fingerprint,
  };
}

export function bytesOf(blob: ArrayBuffer): Bytes {
  return new Uint8Array(blob);
}
