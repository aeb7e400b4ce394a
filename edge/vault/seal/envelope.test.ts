import { describe, expect, it } from "vitest";
import { randomBytes, toBase64url } from "../crypto/bytes.ts";
import { openCard, openCvc, sealCard, sealCvc } from "./envelope.ts";
import { type Keyring, keyring } from "./keyring.ts";

const k1 = toBase64url(randomBytes(32));
const k2 = toBase64url(randomBytes(32));
const ring = (current: string, keys: Record<string, string>): Promise<Keyring> =>
  keyring({ current, keys }, "KEKS");
const card = { number: "4242424242424242", expMonth: 4, expYear: 2030 };
const place = { token: "tok_a", merchant: "mer_a" };

describe("the envelope", () => {
  it("keeps a card, differently each time", async () => {
    const keks = await ring("k1", { k1 });
    const [a, b] = [await sealCard(card, place, keks), await sealCard(card, place, keks)];
    expect(a.kekId).toBe("k1");
    expect(await openCard(a, place, keks)).toEqual(card);
    expect(toBase64url(a.sealed)).not.toBe(toBase64url(b.sealed));
    // A data key of its own: the one of b does not open a.
    expect(await openCard({ ...a, wrappedDek: b.wrappedDek }, place, keks)).toBeNull();
  });

  it.each([
    ["another token", { ...place, token: "tok_b" }],
    ["another merchant", { ...place, merchant: "mer_b" }],
    // Were the parts only joined, these would be the same bytes.
    ["parts divided differently", { token: 'tok_a","mer', merchant: "_a" }],
  ])("does not open as %s's", async (_name, other) => {
    const keks = await ring("k1", { k1 });
    expect(await openCard(await sealCard(card, place, keks), other, keks)).toBeNull();
    const cvc = await sealCvc("123", place, keks);
    expect(await openCvc(cvc, other, keks)).toBeNull();
  });

  it("does not open one purpose's ciphertext as another's, even under one key", async () => {
    const keks = await ring("k1", { k1 });
    const cvc = await sealCvc("123", place, keks);
    const sealed = await sealCard(card, place, keks);
    expect(await openCard({ ...sealed, wrappedDek: cvc.sealed }, place, keks)).toBeNull();
    expect(await openCvc({ sealed: sealed.wrappedDek, keyId: "k1" }, place, keks)).toBeNull();
  });

  it("binds the key's id: the same key under another name does not open", async () => {
    const sealed = await sealCard(card, place, await ring("k1", { k1 }));
    expect(await openCard({ ...sealed, kekId: "k2" }, place, await ring("k2", { k2: k1 }))).toBeNull();
  });

  it("rotates: the current key seals, older ones still open, and one that is gone does not", async () => {
    const old = await sealCard(card, place, await ring("k1", { k1 }));
    const both = await ring("k2", { k1, k2 });
    expect(await openCard(old, place, both)).toEqual(card);
    const fresh = await sealCard(card, place, both);
    expect(fresh.kekId).toBe("k2");
    const later = await ring("k2", { k2 });
    expect(await openCard(fresh, place, later)).toEqual(card);
    expect(await openCard(old, place, later)).toBeNull();
  });

  it("refuses a ring without its current key, or with a key of another size", async () => {
    await expect(ring("k2", { k1 })).rejects.toThrow("KEKS");
    await expect(ring("k1", { k1: "AAAA" })).rejects.toThrow("KEKS");
  });
});
