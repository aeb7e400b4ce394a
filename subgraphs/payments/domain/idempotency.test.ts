import { describe, expect, it } from "vitest";
import { newId } from "../../kernel/ids.ts";
import { fingerprint, providerReference } from "./idempotency.ts";
import { AT, HOME } from "./samples.ts";

describe("a provider reference", () => {
  const merchant = newId("mer", HOME, AT);
  const parts = { merchant, key: "order-1", operation: "capture", attempt: 0, step: "stripe" };
  const reference = providerReference("secret", parts);

  it("is the same for the same operation, and names its home", () => {
    expect(providerReference("secret", { ...parts })).toBe(reference);
    expect(reference).toMatch(/^ref_0107_[0-9a-f]{40}$/);
  });

  it.each([
    ["merchant", { merchant: newId("mer", HOME, AT) }],
    ["key", { key: "order-2" }],
    ["operation", { operation: "refund" }],
    ["attempt", { attempt: 1 }],
    ["step", { step: "adyen" }],
  ])("differs by %s", (_, change) => {
    expect(providerReference("secret", { ...parts, ...change })).not.toBe(reference);
  });

  it("cannot be foreseen without the secret, nor made to collide by moving words between its parts", () => {
    expect(providerReference("other", parts)).not.toBe(reference);
    const shifted = { ...parts, key: "order-1,capture", operation: "" };
    expect(providerReference("secret", shifted)).not.toBe(reference);
  });
});

describe("a fingerprint", () => {
  it("is of the arguments, not of how they were written", () => {
    expect(fingerprint("capture", { a: 1n, b: { c: null, d: "x" } })).toBe(
      fingerprint("capture", { b: { d: "x", c: null }, a: 1n }),
    );
  });

  it.each([
    ["another kind", "refund", { a: 1n, b: "x" }],
    ["another amount", "capture", { a: 2n, b: "x" }],
    ["a number in place of text", "capture", { a: "1", b: "x" }],
    ["a missing argument", "capture", { a: 1n }],
    ["null in place of nothing", "capture", { a: 1n, b: null }],
  ])("differs for %s", (_, kind, args) => {
    expect(fingerprint(kind, args as Record<string, string>)).not.toBe(
      fingerprint("capture", { a: 1n, b: "x" }),
    );
  });
});
