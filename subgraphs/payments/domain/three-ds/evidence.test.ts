import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Authentication } from "../authentication.ts";
import { conclude } from "./conclusion.ts";
import { liabilityShifts, type Transaction, weigh } from "./evidence.ts";
import { type Outcome, SCHEMES, type Scheme, schemeOf } from "./scheme.ts";

const CAVV = "AAABBBCCCDDDEEEFFFGGGHHHIII=";
const transaction = (scheme: Scheme, change: Partial<Transaction> = {}): Transaction => ({
  version: "2.2.0",
  scheme,
  serverTransaction: "s",
  dsTransaction: "d",
  acsTransaction: "a",
  challenged: false,
  recurring: false,
  ...change,
});
const weighed = (
  scheme: Scheme,
  transStatus: Outcome,
  eci: string | null,
  cavv: string | null,
  { reason = null, recurring = false }: { reason?: string | null; recurring?: boolean } = {},
) => weigh({ transStatus, transStatusReason: reason, eci, cavv }, transaction(scheme, { recurring }));

/** The schemes' public tables, written out once more. */
const SHIFTS: readonly (readonly [Scheme, Outcome, string])[] = [
  ["visa", "Y", "05"],
  ["visa", "A", "06"],
  ["mastercard", "Y", "02"],
  ["mastercard", "A", "01"],
  ["amex", "Y", "05"],
  ["amex", "A", "06"],
  ["discover", "Y", "05"],
  ["discover", "A", "06"],
  ["diners", "Y", "05"],
  ["diners", "A", "06"],
  ["jcb", "Y", "05"],
  ["jcb", "A", "06"],
  ["unionpay", "Y", "05"],
];
const outcomes: readonly Outcome[] = ["Y", "A", "I", "N", "U", "R"];
const ecis = [null, "00", "01", "02", "04", "05", "06", "07", "5", "08", "N2"];

describe("who bears fraud", () => {
  const rows = SCHEMES.flatMap((scheme) =>
    outcomes.flatMap((outcome) => ecis.map((eci) => [scheme, outcome, eci] as const)),
  );
  it.each(rows)("%s %s with ECI %s", (scheme, outcome, eci) => {
    const [, , usual] = SHIFTS.find((row) => row[0] === scheme && row[1] === outcome) ?? [];
    const expected = usual !== undefined && (eci === null || eci === usual);
    const { authentication } = weighed(
      scheme,
      outcome,
      eci,
      outcome === "Y" || outcome === "A" ? CAVV : null,
    );
    expect(authentication.liabilityShift).toBe(expected);
    if (expected) expect(authentication).toMatchObject({ transStatus: outcome, eci: usual, cavv: CAVV });
  });

  it("is the issuer for a series of Mastercard's that was authenticated, and not for one payment", () => {
    expect(weighed("mastercard", "Y", "07", CAVV, { recurring: true }).authentication.liabilityShift).toBe(
      true,
    );
    expect(weighed("mastercard", "Y", "07", CAVV)).toMatchObject({ doubts: ["eci_contradicts"] });
  });

  it("is whoever asks for an exemption, whatever was authenticated", () => {
    const { authentication } = weighed("visa", "Y", "05", CAVV);
    expect(liabilityShifts(authentication, null)).toBe(true);
    expect(liabilityShifts(authentication, "low_value")).toBe(false);
    expect(liabilityShifts(null, null)).toBe(false);
  });
});

describe("what is not believed", () => {
  it.each([
    ["an ECI of another outcome", "visa", "Y", "07", CAVV, "eci_contradicts"],
    ["another scheme's ECI", "mastercard", "Y", "05", CAVV, "eci_contradicts"],
    ["an attempt that claims to be more", "visa", "A", "05", CAVV, "eci_contradicts"],
    ["no proof", "visa", "Y", "05", null, "cavv_missing"],
    ["an attempt without proof", "mastercard", "A", "01", null, "cavv_missing"],
    ["a proof too short", "visa", "Y", "05", "AAAA", "cavv_malformed"],
    ["a proof of 21 bytes", "visa", "Y", "05", "AAABBBCCCDDDEEEFFFGGGHHHIIIJ", "cavv_malformed"],
  ] as const)(
    "%s: taken for unable, and nothing of it is sent on",
    (_, scheme, outcome, eci, cavv, doubt) => {
      const evidence = weighed(scheme, outcome, eci, cavv);
      expect(evidence).toMatchObject({ said: outcome, doubts: [doubt], exempted: false });
      expect(evidence.authentication).toMatchObject({ transStatus: "U", cavv: null, liabilityShift: false });
      expect(evidence.authentication.eci).toBe(scheme === "mastercard" ? "00" : "07");
      expect(conclude(evidence).kind).toBe("unavailable");
    },
  );

  it.each([
    ["visa", "N", "05"],
    ["visa", "R", "05"],
    ["mastercard", "N", "02"],
  ] as const)("%s %s with ECI %s and a proof stays a refusal", (scheme, outcome, eci) => {
    const evidence = weighed(scheme, outcome, eci, CAVV);
    expect(evidence.authentication).toMatchObject({
      transStatus: outcome,
      cavv: null,
      liabilityShift: false,
    });
    expect(conclude(evidence).kind).toBe("rejected");
  });
});

describe("exemptions that an issuer takes", () => {
  it.each([
    ["visa", "I", "07", null, true],
    ["mastercard", "I", "06", null, true],
    ["mastercard", "I", "04", null, false],
    ["mastercard", "N", "06", "81", true],
    ["mastercard", "N", "06", "01", false],
    ["mastercard", "N", "00", "81", false],
  ] as const)("%s %s, ECI %s, reason %s: %s", (scheme, outcome, eci, reason, exempted) => {
    const evidence = weighed(scheme, outcome, eci, null, { reason });
    expect(evidence.exempted).toBe(exempted);
    expect(evidence.authentication.liabilityShift).toBe(false);
    expect(conclude(evidence).kind).toBe(outcome === "N" && !exempted ? "rejected" : "authenticated");
  });
});

describe("whatever an issuer sends", () => {
  const anyText = fc.option(fc.oneof(fc.constantFrom(...ecis.filter((eci) => eci !== null)), fc.string()), {
    nil: null,
  });
  const anyCavv = fc.option(
    fc.oneof(fc.constant(CAVV), fc.base64String({ minLength: 28, maxLength: 28 }), fc.string()),
    {
      nil: null,
    },
  );
  const anyWord = fc.record({
    scheme: fc.constantFrom(...SCHEMES),
    transStatus: fc.constantFrom(...outcomes),
    transStatusReason: fc.option(fc.constantFrom("01", "80", "81"), { nil: null }),
    eci: anyText,
    cavv: anyCavv,
    recurring: fc.boolean(),
  });

  it("shifts nothing without a yes or an attempt, its ECI and a proof, and never makes a no a yes", () => {
    fc.assert(
      fc.property(anyWord, ({ scheme, recurring, ...word }) => {
        const { authentication, said } = weigh(word, transaction(scheme, { recurring }));
        if (authentication.liabilityShift) {
          expect(["Y", "A"]).toContain(word.transStatus);
          expect(authentication.cavv).toMatch(/^[A-Za-z0-9+/]{27}=$/);
          expect(["05", "06", "02", "01", "07"]).toContain(authentication.eci);
        }
        if (said === "N" || said === "R") expect(authentication.transStatus).toBe(said);
        if (said === "U" || said === "I") expect(authentication.liabilityShift).toBe(false);
        expect(strength(authentication)).toBeLessThanOrEqual(
          strength({ transStatus: said } as Authentication),
        );
      }),
      { numRuns: 3_000 },
    );
  });

  const strength = ({ transStatus }: Authentication): number =>
    ["R", "N", "U", "I", "A", "Y"].indexOf(transStatus);
});

it("names the scheme of the vault's brands", () => {
  expect(["visa", "amex", "diners", "elo", "toString"].map(schemeOf)).toEqual([
    "visa",
    "amex",
    "diners",
    null,
    null,
  ]);
});
