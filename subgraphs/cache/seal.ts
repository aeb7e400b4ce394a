import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/**
 * What leaves this process for a shared cache is sealed (AES-256-GCM), and its name is a keyed digest: whoever reads the
 * cache learns no ids, cards or prices, and whoever writes to it can make entries disappear but cannot change one, nor
 * put one in another's place, since the name is authenticated with it.
 */
export interface Sealer {
  /** The name under which the value of these parts is kept; says nothing of them. */
  nameOf(...parts: readonly string[]): string;
  /** Letters, digits, `-` and `_`. */
  seal(name: string, text: string): string;
  /** The text, or null if it was not sealed by us under that name. */
  open(name: string, sealed: string): string | null;
}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param secret of all processes that share the cache, at least 32 characters; keys are derived from it (HKDF, RFC 5869) */
export function createSealer(secret: string): Sealer {
  if (secret.length < 32) throw new Error("a shared cache's secret has at least 32 characters");
  const keyFor = (purpose: string) => Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));
  const nameKey = keyFor("tessera shared cache: names");
  const valueKey = keyFor("tessera shared cache: values");
  return {
    nameOf(...parts) {
      const digest = createHmac("sha256", nameKey);
      for (const part of parts) digest.update(`${part.length}:${part}`);
      return `tsr:${digest.digest("base64url").slice(0, 32)}`;
    },
    seal(name, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, valueKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(name));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
    },
    open(name, sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
      const cipher = createDecipheriv(CIPHER, valueKey, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      cipher.setAAD(Buffer.from(name));
      cipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      try {
        return (
          cipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, "utf8") + cipher.final("utf8")
        );
      } catch {
        return null;
      }
    },
  };
}
