import { describe, expect, it } from "vitest";
import { newDevSecrets } from "../dev-secrets.ts";
import { associatedData, type EncryptedCard, messageKey } from "./card-message.ts";
import { encrypt } from "./crypto/aead.ts";
import { type Bytes, fromBase64url, randomBytes, toBase64url, utf8 } from "./crypto/bytes.ts";
import {
  newKeyPair,
  type PrivateJwk,
  privateKeyFromJwk,
  publicKeyFromJwk,
  publicKeyFromPoint,
  sharedSecret,
} from "./crypto/ecdh.ts";
import { decryptCard } from "./decrypt-card.ts";
import { encryptCard } from "./encrypt-card.ts";

function newVaultKey(): PrivateJwk {
  const { keys } = JSON.parse(newDevSecrets().vault.VAULT_ENCRYPTION_KEYS) as {
    keys: Record<string, PrivateJwk>;
  };
  return Object.values(keys)[0] as PrivateJwk;
}

const jwk = newVaultKey();
const { kty, crv, x, y } = jwk;
const to = { publishableKey: "pk_a", keyId: "k1", publicKey: { kty, crv, x, y } };
const card = { number: "4242424242424242", expMonth: 4, expYear: 2030, cvc: "123" };
const refused = { ok: false, error: { code: "DECRYPTION_FAILED" } };
const privateKey = await privateKeyFromJwk(jwk);

describe("encryptCard and decryptCard", () => {
  it("carry a card, with and without a security code", async () => {
    expect(await decryptCard(await encryptCard(card, to), privateKey)).toEqual({ ok: true, value: card });
    const { cvc: _cvc, ...plain } = card;
    expect(await decryptCard(await encryptCard(plain, to), privateKey)).toEqual({ ok: true, value: plain });
  });

  it("never use a key, salt or nonce twice, and hide the card", async () => {
    const [a, b] = await Promise.all([encryptCard(card, to), encryptCard(card, to)]);
    for (const name of ["ephemeralPublicKey", "salt", "nonce", "ciphertext"] as const)
      expect(a[name]).not.toBe(b[name]);
    expect(atob(a.ciphertext.replaceAll("-", "+").replaceAll("_", "/"))).not.toContain("4242");
  });

  it("have the sizes that the vault's endpoint demands", async () => {
    const message = await encryptCard(card, to);
    expect(message.ephemeralPublicKey).toHaveLength(87);
    expect(message.salt).toHaveLength(43);
    expect(message.nonce).toHaveLength(16);
    const longest = await encryptCard({ ...card, number: "4242 4242 4242 4242 424", cvc: "1234" }, to);
    expect(longest.ciphertext.length).toBeLessThan(512);
  });

  it("bind the card to publishable key, key id and the sender's point", async () => {
    const message = await encryptCard(card, to);
    // -P has P's x, so ECDH gives the same secret: only the associated data tells the two apart.
    const point = fromBase64url(message.ephemeralPublicKey) as Bytes;
    const prime = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
    const negatedY = prime - BigInt(`0x${Buffer.from(point.slice(33)).toString("hex")}`);
    const negated = Buffer.concat([
      point.slice(0, 33),
      Buffer.from(negatedY.toString(16).padStart(64, "0"), "hex"),
    ]);
    const changes: Partial<EncryptedCard>[] = [
      { publishableKey: "pk_b" },
      { keyId: "k2" },
      { ephemeralPublicKey: negated.toString("base64url") },
    ];
    for (const change of changes)
      expect(await decryptCard({ ...message, ...change }, privateKey)).toEqual(refused);
  });

  it("fail alike for every byte that is changed and every size that is wrong", async () => {
    const message = await encryptCard(card, to);
    for (const name of ["ephemeralPublicKey", "salt", "nonce", "ciphertext"] as const) {
      const raw = fromBase64url(message[name]) as Bytes;
      for (const at of [0, Math.floor(raw.length / 2), raw.length - 1]) {
        const flipped = raw.slice();
        flipped[at] = (flipped[at] as number) ^ 1;
        const changed = { ...message, [name]: toBase64url(flipped) };
        expect(await decryptCard(changed, privateKey), `${name} ${at}`).toEqual(refused);
      }
      for (const cut of ["", message[name].slice(0, -4), `${message[name]}AAAA`, "!".repeat(16)])
        expect(await decryptCard({ ...message, [name]: cut }, privateKey), `${name} ${cut}`).toEqual(refused);
    }
  });

  it("refuse a point that is compressed, at infinity or off the curve, and another vault's key", async () => {
    const message = await encryptCard(card, to);
    const point = fromBase64url(message.ephemeralPublicKey) as Bytes;
    const compressed = Uint8Array.from([2 + ((point[64] as number) & 1), ...point.slice(1, 33)]);
    const offCurve = point.slice();
    offCurve[64] = (offCurve[64] as number) ^ 1;
    for (const bad of [compressed, new Uint8Array(1), new Uint8Array(65), offCurve]) {
      expect(await publicKeyFromPoint(bad)).toBeNull();
      expect(await decryptCard({ ...message, ephemeralPublicKey: toBase64url(bad) }, privateKey)).toEqual(
        refused,
      );
    }
    const stranger = await privateKeyFromJwk(newVaultKey());
    expect(await decryptCard(message, stranger)).toEqual(refused);
  });

  it("answer for text that is not JSON as for any other fault, without quoting it", async () => {
    const sender = await newKeyPair();
    const [salt, nonce] = [randomBytes(32), randomBytes(12)];
    const vault = (await publicKeyFromJwk(to.publicKey)) as CryptoKey;
    const envelope = {
      publishableKey: "pk_a",
      keyId: "k1",
      ephemeralPublicKey: toBase64url(sender.publicPoint),
    };
    const key = await messageKey(await sharedSecret(sender.privateKey, vault), salt);
    const ciphertext = await encrypt(
      key,
      nonce,
      utf8("4242424242424242 is no JSON"),
      associatedData(envelope),
    );
    const message = {
      ...envelope,
      salt: toBase64url(salt),
      nonce: toBase64url(nonce),
      ciphertext: toBase64url(ciphertext),
    };
    expect(await decryptCard(message, privateKey)).toEqual(refused);
  });

  it("refuse to encrypt for what is no P-256 key", async () => {
    const off = { ...to, publicKey: { ...to.publicKey, y: to.publicKey.x } };
    await expect(encryptCard(card, off)).rejects.toThrow("P-256");
  });
});
