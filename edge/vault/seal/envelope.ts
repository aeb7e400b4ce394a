import { aeadKey, open, seal } from "../crypto/aead.ts";
import { type Bytes, randomBytes, utf8 } from "../crypto/bytes.ts";
import { currentKey, type Keyring } from "./keyring.ts";

/**
 * How a card rests in storage. A random AES-256-GCM data key seals the card; the key-encryption key, which is a
 * secret of the worker and never stored, wraps the data key. Rotating it re-wraps 32 bytes, not the card.
 *
 * Both are bound to their place (purpose, token, merchant, key id): whoever can write to the storage but lacks
 * the key cannot make one token open as another's card by moving rows or parts of rows.
 */
export type Place = { readonly token: string; readonly merchant: string };

/** What a provider needs besides the CVC. The expiry is sealed too, so that storage cannot alter it either. */
export type CardOnFile = { readonly number: string; readonly expMonth: number; readonly expYear: number };

export type SealedCard = { readonly sealed: Bytes; readonly wrappedDek: Bytes; readonly kekId: string };

type Purpose = "card" | "data key" | "cvc";

function boundTo(purpose: Purpose, { token, merchant }: Place, keyId: string): Bytes {
  return utf8(JSON.stringify(["tessera vault v1", purpose, token, merchant, keyId]));
}

export async function sealCard(card: CardOnFile, place: Place, keks: Keyring): Promise<SealedCard> {
  const kekId = keks.current;
  const dek = randomBytes(32);
  const plaintext = utf8(JSON.stringify([card.number, card.expMonth, card.expYear]));
  const sealed = await seal(await aeadKey(dek), plaintext, boundTo("card", place, kekId));
  const wrappedDek = await seal(currentKey(keks), dek, boundTo("data key", place, kekId));
  return { sealed, wrappedDek, kekId };
}

/** The card, or null if the row is not what was stored for this token, or its key is gone. */
export async function openCard(row: SealedCard, place: Place, keks: Keyring): Promise<CardOnFile | null> {
  const kek = keks.keys.get(row.kekId);
  if (kek === undefined) return null;
  const dek = await open(kek, row.wrappedDek, boundTo("data key", place, row.kekId));
  if (dek === null) return null;
  const plaintext = await open(await aeadKey(dek), row.sealed, boundTo("card", place, row.kekId));
  if (plaintext === null) return null;
  const [number, expMonth, expYear] = JSON.parse(new TextDecoder().decode(plaintext)) as [
    string,
    number,
    number,
  ];
  return { number, expMonth, expYear };
}

export type SealedCvc = { readonly sealed: Bytes; readonly keyId: string };

/**
 * The CVC is sealed apart, under keys of its own: a storage that keeps history (Durable Objects can be restored
 * to any point of the last 30 days) would keep a deleted row's ciphertext, so what makes it unreadable for good
 * is destroying its key. These keys may be replaced daily; a CVC lives for an hour at most.
 */
export async function sealCvc(cvc: string, place: Place, keys: Keyring): Promise<SealedCvc> {
  const keyId = keys.current;
  return { sealed: await seal(currentKey(keys), utf8(cvc), boundTo("cvc", place, keyId)), keyId };
}

export async function openCvc(row: SealedCvc, place: Place, keys: Keyring): Promise<string | null> {
  const key = keys.keys.get(row.keyId);
  if (key === undefined) return null;
  const cvc = await open(key, row.sealed, boundTo("cvc", place, row.keyId));
  return cvc === null ? null : new TextDecoder().decode(cvc);
}
