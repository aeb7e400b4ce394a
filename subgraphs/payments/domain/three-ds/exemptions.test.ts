import { describe, expect, it } from "vitest";
import type { Exemption } from "../authentication.ts";
import { chooseExemption, type ExemptionFacts, inZone, mayAsk } from "./exemptions.ts";

describe("the zone", () => {
  it("is 27 states, three of the area, the United Kingdom and their parts", () => {
    for (const country of ["DE", "HR", "NO", "IS", "LI", "GB", "GI", "AX", "RE"])
      expect(inZone(country)).toBe(true);
    for (const country of ["CH", "US", "JE", "MC", "TR", ""]) expect(inZone(country)).toBe(false);
  });
});

describe("which exemption may be asked for", () => {
  const facts = (change: Partial<ExemptionFacts> = {}): ExemptionFacts => ({
    euroCents: 1_000n,
    fraudBps: null,
    laterInSeries: false,
    sameAmount: false,
    ...change,
  });
  it.each([
    ["low_value", { euroCents: 3_000n }, true],
    ["low_value", { euroCents: 3_001n }, false],
    ["low_value", { euroCents: null }, false],
    ["transaction_risk_analysis", { euroCents: 10_000n, fraudBps: 13 }, true],
    ["transaction_risk_analysis", { euroCents: 10_001n, fraudBps: 13 }, false],
    ["transaction_risk_analysis", { euroCents: 10_000n, fraudBps: 13.1 }, false],
    ["transaction_risk_analysis", { euroCents: 25_000n, fraudBps: 6 }, true],
    ["transaction_risk_analysis", { euroCents: 25_001n, fraudBps: 6 }, false],
    ["transaction_risk_analysis", { euroCents: 50_000n, fraudBps: 1 }, true],
    ["transaction_risk_analysis", { euroCents: 50_001n, fraudBps: 0 }, false],
    ["transaction_risk_analysis", { euroCents: 100n, fraudBps: null }, false],
    ["transaction_risk_analysis", { euroCents: null, fraudBps: 0 }, false],
    ["recurring", { laterInSeries: true, sameAmount: true }, true],
    ["recurring", { laterInSeries: true, sameAmount: false }, false],
    ["recurring", { laterInSeries: false, sameAmount: true }, false],
    ["corporate", {}, true],
    ["trusted_beneficiary", {}, true],
  ] as const)("%s with %o: %s", (exemption, change, may) => {
    expect(mayAsk(exemption, facts(change))).toBe(may);
  });

  it("prefers the merchant's wish, then what is most certain, and nothing that was not allowed", () => {
    const all: Exemption[] = ["low_value", "transaction_risk_analysis", "recurring", "corporate"];
    const rich = facts({ fraudBps: 1, laterInSeries: true, sameAmount: true });
    expect(chooseExemption("corporate", [], rich)).toBe("corporate");
    expect(chooseExemption(null, all, rich)).toBe("recurring");
    expect(chooseExemption(null, all, facts({ fraudBps: 1 }))).toBe("low_value");
    expect(chooseExemption("recurring", ["low_value"], facts())).toBe("low_value");
    expect(chooseExemption(null, [], rich)).toBeNull();
    expect(chooseExemption(null, ["corporate", "trusted_beneficiary"], rich)).toBeNull();
  });
});
