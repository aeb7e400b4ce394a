import type { Bytes } from "./bytes.ts";

/** HKDF-SHA-256 (RFC 5869): `length` bytes out of keying material. Throws past 255 blocks of 32 bytes. */
export async function hkdf(material: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  if (length > 255 * 32) throw new Error("HKDF-SHA-256 gives at most 8160 bytes");
  const key = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt, info };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, length * 8));
}
