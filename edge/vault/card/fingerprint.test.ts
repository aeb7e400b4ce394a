import { expect, it } from "vitest";
import { randomBytes } from "../crypto/bytes.ts";
import { fingerprint, fingerprintKey } from "./fingerprint.ts";

it("is the same for one merchant's card and another for every other merchant, card or key", async () => {
  const [key, otherKey] = await Promise.all([
    fingerprintKey(randomBytes(32)),
    fingerprintKey(randomBytes(32)),
  ]);
  const first = await fingerprint(key, "mer_a", "4242424242424242");
  expect(first).toMatch(/^fp_[0-9a-f]{32}$/);
  expect(await fingerprint(key, "mer_a", "4242424242424242")).toBe(first);
  const others = await Promise.all([
    fingerprint(key, "mer_b", "4242424242424242"),
    fingerprint(key, "mer_a", "5555555555554444"),
    fingerprint(otherKey, "mer_a", "4242424242424242"),
  ]);
  expect(new Set([first, ...others]).size).toBe(4);
});

it("takes a key of 32 bytes only", async () => {
  await expect(fingerprintKey(randomBytes(16))).rejects.toThrow("32 bytes");
});
