import { generateKeyPairSync } from "node:crypto";
import { type JWK, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Identity,
  type SigningKey,
  signIdentity,
  signingKey,
  signKeyLookup,
  signVaultRequest,
  type VerifyingKeys,
  verifyIdentity,
  verifyingKeys,
  verifyKeyLookup,
  verifyVaultRequest,
} from "./identity.ts";
import { newId } from "./ids.ts";

const now = new Date("2026-11-22T12:00:00Z");
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const identity: Identity = {
  merchant: newId("mer", { region: 1, shard: 2 }, now),
  scope: "secret",
  requestId: "req_1",
  ip: "192.0.2.1",
  country: "DE",
};

function jwk(kid: string): JWK {
  return { ...(generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }) as JWK), kid };
}

let signer: SigningKey;
let stranger: SigningKey;
let keys: VerifyingKeys;

beforeAll(async () => {
  const [ours, theirs] = [jwk("edge-1"), jwk("edge-1")];
  signer = await signingKey(ours);
  stranger = await signingKey(theirs);
  keys = await verifyingKeys([ours]);
});

describe("the edge's word", () => {
  it("is what was signed", async () => {
    expect(await verifyIdentity(await signIdentity(identity, signer, now), keys, later(10))).toEqual({
      ok: true,
      value: identity,
    });
  });

  it("holds for seconds", async () => {
    const token = await signIdentity(identity, signer, now);
    expect((await verifyIdentity(token, keys, later(34))).ok).toBe(true);
    expect((await verifyIdentity(token, keys, later(36))).ok).toBe(false);
    expect((await verifyIdentity(token, keys, later(-60))).ok).toBe(false);
  });

  it("is not believed when missing, cut, or signed by another key of the same name", async () => {
    const token = await signIdentity(identity, signer, now);
    for (const bad of [
      undefined,
      "",
      "x.y.z",
      token.slice(0, -2),
      await signIdentity(identity, stranger, now),
    ]) {
      expect((await verifyIdentity(bad, keys, now)).ok, String(bad)).toBe(false);
    }
  });

  it("is not believed unsigned, or signed symmetrically with the public key's text", async () => {
    const [head, body] = (await signIdentity(identity, signer, now)).split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none", kid: "edge-1" })).toString("base64url");
    expect((await verifyIdentity(`${none}.${body}.`, keys, now)).ok).toBe(false);
    const hmac = await new SignJWT({ sub: identity.merchant, scope: "secret", rid: "r" })
      .setProtectedHeader({ alg: "HS256", kid: "edge-1" })
      .setAudience("region")
      .setIssuedAt(now)
      .setExpirationTime(later(30))
      .sign(Buffer.from(String(head)));
    expect((await verifyIdentity(hmac, keys, now)).ok).toBe(false);
  });

  it("is for one purpose only", async () => {
    const lookup = await signKeyLookup(signer, now);
    const vault = await signVaultRequest(identity.merchant, signer, now);
    const request = await signIdentity(identity, signer, now);
    expect((await verifyIdentity(lookup, keys, now)).ok).toBe(false);
    expect((await verifyIdentity(vault, keys, now)).ok).toBe(false);
    expect(await verifyVaultRequest(request, keys, now)).toBeNull();
    expect(await verifyKeyLookup(request, keys, now)).toBe(false);
    expect(await verifyKeyLookup(lookup, keys, now)).toBe(true);
    expect(await verifyVaultRequest(vault, keys, now)).toBe(identity.merchant);
  });

  it("never takes a key's private half for verifying", async () => {
    const [key] = (await verifyingKeys([jwk("k")])).values();
    expect(key?.type).toBe("public");
  });
});
