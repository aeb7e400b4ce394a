import { aeadKey, decrypt, encrypt } from "../vault/crypto/aead.ts";
import { type Bytes, concat, toHex } from "../vault/crypto/bytes.ts";
import {
  type PrivateJwk,
  type PublicJwk,
  privateKeyFromJwk,
  publicKeyFromJwk,
  sharedSecret,
} from "../vault/crypto/ecdh.ts";
import { hkdf } from "../vault/crypto/hkdf.ts";

/**
 * Project Wycheproof's vectors (known attacks on implementations) through the vault's own functions, in whatever
 * runtime this is called in: Node has OpenSSL, workerd BoringSSL, and production is workerd.
 */
type Vector = { tcId: number; result: "valid" | "invalid" | "acceptable" };
type Group<V, G = object> = G & { tests: (Vector & V)[] };

export type EcdhVectors = { testGroups: Group<{ public: PublicJwk; private: PrivateJwk; shared: string }>[] };
export type HkdfVectors = {
  testGroups: Group<{ ikm: string; salt: string; info: string; size: number; okm: string }>[];
};
export type AesGcmVectors = {
  testGroups: Group<
    { key: string; iv: string; aad: string; msg: string; ct: string; tag: string },
    { keySize: number; ivSize: number }
  >[];
};
export type Vectors = { ecdh: EcdhVectors; hkdf: HkdfVectors; aesGcm: AesGcmVectors };

/** How many vectors were run, and the ids of those that did not come out as they should. */
export type Outcome = { run: number; wrong: number[] };

const bytes = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) as Bytes;

/** What a function gives, as hex; "refused" for null or an exception. */
async function outcome(run: () => Promise<Bytes | null>): Promise<string> {
  const result = await run().catch(() => null);
  return result === null ? "refused" : toHex(result);
}

async function collect<V extends Vector>(
  tests: V[],
  passes: (test: V) => Promise<boolean>,
): Promise<Outcome> {
  const wrong: number[] = [];
  for (const test of tests) if (!(await passes(test))) wrong.push(test.tcId);
  return { run: tests.length, wrong };
}

export async function runVectors({ ecdh, hkdf: kdf, aesGcm }: Vectors): Promise<Record<string, Outcome>> {
  return {
    ecdh: await collect(
      ecdh.testGroups.flatMap(({ tests }) => tests),
      async (test) => {
        const shared = await outcome(async () => {
          const publicKey = await publicKeyFromJwk(test.public);
          return publicKey === null ? null : sharedSecret(await privateKeyFromJwk(test.private), publicKey);
        });
        return shared === (test.result === "valid" ? test.shared : "refused");
      },
    ),
    hkdf: await collect(
      kdf.testGroups.flatMap(({ tests }) => tests),
      async (test) => {
        const okm = await outcome(() => hkdf(bytes(test.ikm), bytes(test.salt), bytes(test.info), test.size));
        return okm === (test.result === "valid" ? test.okm : "refused");
      },
    ),
    aesGcm: await collect(
      aesGcm.testGroups.flatMap(({ tests, keySize, ivSize }) =>
        tests.map((test) => ({ ...test, keySize, ivSize })),
      ),
      async (test) => {
        const [nonce, aad, plaintext] = [bytes(test.iv), bytes(test.aad), bytes(test.msg)];
        const sealed = concat(bytes(test.ct), bytes(test.tag));
        const opened = await outcome(async () => decrypt(await aeadKey(bytes(test.key)), nonce, sealed, aad));
        const made = await outcome(async () =>
          encrypt(await aeadKey(bytes(test.key)), nonce, plaintext, aad),
        );
        // Only 256-bit keys and 96-bit nonces are ours: every other size is refused, valid or not.
        if (test.keySize !== 256 || test.ivSize !== 96) return opened === "refused" && made === "refused";
        if (test.result !== "valid") return opened === "refused";
        return opened === test.msg && made === test.ct + test.tag;
      },
    ),
  };
}
