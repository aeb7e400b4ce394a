import { aeadKey } from "../crypto/aead.ts";
import { fromBase64url } from "../crypto/bytes.ts";

/**
 * AES-256 keys by id, one of which is current: it seals, and every one still opens. To rotate, add a key and
 * make it current; what an older key sealed stays readable until that key is taken out.
 */
export type Keyring = {
  readonly current: string;
  readonly keys: ReadonlyMap<string, CryptoKey>;
};

/** Reads `{current, keys: {id: base64url of 32 bytes}}`; throws, naming `name` but no key, if it is not that. */
export async function keyring(
  source: { readonly current: string; readonly keys: Readonly<Record<string, string>> },
  name: string,
): Promise<Keyring> {
  const keys = new Map<string, CryptoKey>();
  for (const [id, text] of Object.entries(source.keys)) {
    const raw = fromBase64url(text);
    if (raw?.length !== 32) throw new Error(`${name}: the key "${id}" is not base64url of 32 bytes`);
    keys.set(id, await aeadKey(raw));
  }
  if (!keys.has(source.current)) throw new Error(`${name}: the current key "${source.current}" is missing`);
  return { current: source.current, keys };
}

export function currentKey(ring: Keyring): CryptoKey {
  return ring.keys.get(ring.current) as CryptoKey;
}
