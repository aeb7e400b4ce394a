import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Authentication, Exemption } from "../authentication.ts";
import { declineOf } from "../decline.ts";
import type { StoredCredential } from "../stored-credential.ts";
import type { Conclusion } from "./conclusion.ts";
import {
  afterAuthentication,
  afterDecline,
  type Circumstances,
  isDue,
  type MerchantSetting,
  plan,
} from "./policy.ts";

const merchant = (change: Partial<MerchantSetting> = {}): MerchantSetting => ({
  authentication: "automatic",
  exemptions: [],
  exemptionsIn: "authorization",
  fraudBps: null,
  ...change,
});
const circumstances = (change: Partial<Circumstances> = {}): Circumstances => ({
  scheme: "visa",
  issuerCountry: "FR",
  merchantCountry: "DE",
  channel: "ecommerce",
  stored: null,
  sameAmount: false,
  euroCents: 5_000n,
  wish: null,
  risk: "allow",
  merchant: merchant(),
  provider: { externalAuthentication: true, ownAuthentication: false },
  ...change,
});
const credential = (change: Partial<StoredCredential> = {}): StoredCredential => ({
  initiator: "customer",
  reason: "recurring",
  first: true,
  networkTransactionId: null,
  ...change,
});

describe("where the law applies", () => {
  it.each([
    ["both within", {}, true],
    ["a British card in Ireland", { issuerCountry: "GB", merchantCountry: "IE" }, true],
    ["a card of nobody knows where", { issuerCountry: null }, true],
    ["an American card", { issuerCountry: "US" }, false],
    ["a shop in Switzerland", { merchantCountry: "CH" }, false],
    ["by telephone", { channel: "mail_or_telephone" }, false],
    ["without the payer", { stored: credential({ initiator: "merchant", first: false }) }, false],
  ] as const)("%s: %s", (_, change, due) => {
    expect(isDue(circumstances(change))).toBe(due);
  });
});

describe("the plan", () => {
  const never = merchant({ authentication: "never" });
  const required = merchant({ authentication: "required" });
  const lowValue = merchant({ exemptions: ["low_value"] });
  const own = { externalAuthentication: false, ownAuthentication: true };
  const none = { externalAuthentication: false, ownAuthentication: false };
  const merchantInitiated = credential({ initiator: "merchant", first: false });
  const asks = (challenge: string, because: string, by = "us") => ({
    do: "authenticate",
    by,
    challenge,
    because,
  });
  const goes = (because: string, exemption: Exemption | null = null) => ({
    do: "authorize",
    exemption,
    because,
  });
  const stops = (code: string) => ({ do: "decline", decline: { code } });

  it.each([
    ["due", {}, asks("no_preference", "due")],
    ["not due", { issuerCountry: "US" }, goes("outside_the_zone")],
    ["small", { euroCents: 2_000n, merchant: lowValue }, goes("exemption", "low_value")],
    ["small, but not allowed", { euroCents: 2_000n }, asks("no_preference", "due")],
    [
      "small, asked of the ACS",
      { euroCents: 2_000n, merchant: { ...lowValue, exemptionsIn: "authentication" } },
      { ...asks("avoid", "exemption"), exemption: "low_value" },
    ],
    [
      "trusted: only the ACS knows",
      { wish: "trusted_beneficiary" },
      { ...asks("avoid", "exemption"), exemption: "trusted_beneficiary" },
    ],
    ["corporate", { wish: "corporate" }, goes("exemption", "corporate")],
    ["an exemption outside the zone", { wish: "corporate", issuerCountry: "US" }, goes("outside_the_zone")],
    [
      "risk outweighs an exemption",
      { euroCents: 2_000n, merchant: lowValue, risk: "challenge" },
      asks("requested", "risk"),
    ],
    ["risk outside the zone", { issuerCountry: "US", risk: "challenge" }, asks("requested", "risk")],
    [
      "required outweighs an exemption",
      { wish: "corporate", merchant: required },
      asks("no_preference", "merchant_required"),
    ],
    ["the merchant wants it", { wish: "challenge" }, asks("requested", "merchant_wish")],
    [
      "a series begins",
      { stored: credential(), euroCents: 2_000n, merchant: lowValue },
      asks("mandated", "card_is_stored"),
    ],
    [
      "a series begins outside the zone",
      { stored: credential(), issuerCountry: "US" },
      goes("outside_the_zone"),
    ],
    [
      "a card is kept for convenience",
      { stored: credential({ reason: "on_demand" }) },
      asks("no_preference", "due"),
    ],
    [
      "a series goes on with the payer",
      {
        stored: credential({ first: false }),
        sameAmount: true,
        merchant: merchant({ exemptions: ["recurring"] }),
      },
      goes("exemption", "recurring"),
    ],
    ["a series goes on without", { stored: merchantInitiated }, goes("merchant_initiated")],
    ["by telephone", { channel: "mail_or_telephone" }, goes("mail_or_telephone")],
    [
      "by telephone, required",
      { channel: "mail_or_telephone", merchant: required },
      goes("mail_or_telephone"),
    ],
    [
      "risk without the payer",
      { stored: merchantInitiated, risk: "challenge" },
      stops("authentication_required"),
    ],
    ["never", { merchant: never }, goes("merchant_never")],
    [
      "never, small",
      { euroCents: 2_000n, merchant: { ...lowValue, authentication: "never" } },
      goes("merchant_never", "low_value"),
    ],
    ["never, but risk", { merchant: never, risk: "challenge" }, stops("blocked_by_risk")],
    ["the provider's own", { provider: own }, asks("no_preference", "due", "provider")],
    [
      "a scheme without a directory",
      { scheme: null, provider: { ...own, externalAuthentication: true } },
      asks("no_preference", "due", "provider"),
    ],
    [
      "ours before the provider's",
      { provider: { externalAuthentication: true, ownAuthentication: true } },
      asks("no_preference", "due"),
    ],
    ["nobody can", { provider: none }, goes("not_supported")],
    [
      "nobody can, small",
      { provider: none, euroCents: 2_000n, merchant: lowValue },
      goes("exemption", "low_value"),
    ],
    ["nobody can, risk", { provider: none, risk: "challenge" }, stops("blocked_by_risk")],
    ["nobody can, required", { provider: none, merchant: required }, stops("card_not_supported")],
    ["nobody can, wished", { provider: none, wish: "challenge" }, goes("not_supported")],
  ] as [string, Partial<Circumstances>, object][])("%s", (_, change, expected) => {
    expect(plan(circumstances(change))).toMatchObject(expected);
  });
});

const authentication = (change: Partial<Authentication> = {}): Authentication => ({
  version: "2.2.0",
  transStatus: "Y",
  transStatusReason: null,
  eci: "05",
  cavv: "AAABBBCCCDDDEEEFFFGGGHHHIII=",
  dsTransaction: "d",
  acsTransaction: "a",
  serverTransaction: "s",
  liabilityShift: true,
  challenged: false,
  ...change,
});
const authenticated = (change: Partial<Authentication> = {}, exempted = false): Conclusion => ({
  kind: "authenticated",
  authentication: authentication(change),
  exempted,
  doubts: [],
});
const unavailable: Conclusion = {
  kind: "unavailable",
  authentication: authentication({ transStatus: "U", eci: "07", cavv: null, liabilityShift: false }),
  because: "x",
  doubts: [],
};
const rejected: Conclusion = {
  kind: "rejected",
  authentication: authentication({ transStatus: "R", eci: null, cavv: null, liabilityShift: false }),
  decline: declineOf("authentication_failed", "R"),
  doubts: [],
};
const informed = authenticated({ transStatus: "I", eci: "07", liabilityShift: false }, true);

describe("after an authentication", () => {
  const required = merchant({ authentication: "required" });
  const goes = (exemption: Exemption | null, liabilityShift: boolean) => ({
    do: "authorize",
    exemption,
    liabilityShift,
  });
  const stops = { do: "decline", decline: { code: "authentication_failed" } };
  it.each([
    ["Y", authenticated(), {}, null, goes(null, true)],
    ["Y, though an exemption was asked for", authenticated(), {}, "low_value", goes(null, true)],
    ["A", authenticated({ transStatus: "A", eci: "06" }), {}, null, goes(null, true)],
    [
      "A, risk",
      authenticated({ transStatus: "A", eci: "06" }),
      { risk: "challenge" },
      null,
      goes(null, true),
    ],
    ["I", informed, {}, "transaction_risk_analysis", goes("transaction_risk_analysis", false)],
    ["I, unasked", informed, {}, null, goes(null, false)],
    ["I, risk", informed, { risk: "challenge" }, null, stops],
    ["I, required", informed, { merchant: required }, null, stops],
    ["U", unavailable, {}, null, goes(null, false)],
    ["U, an exemption was asked for", unavailable, {}, "low_value", goes(null, false)],
    ["U, risk", unavailable, { risk: "challenge" }, null, stops],
    ["U, required", unavailable, { merchant: required }, null, stops],
    ["no directory", { ...unavailable, authentication: null }, {}, null, goes(null, false)],
    ["no directory, risk", { ...unavailable, authentication: null }, { risk: "challenge" }, null, stops],
    ["N or R", rejected, {}, null, stops],
  ] as [string, Conclusion, Partial<Circumstances>, Exemption | null, object][])(
    "%s",
    (_, conclusion, change, exemption, expected) => {
      expect(afterAuthentication(conclusion, circumstances(change), { exemption })).toMatchObject(expected);
    },
  );
});

describe("a soft decline", () => {
  const soft = declineOf("authentication_required", "1A");
  const before = { steppedUp: false, authentication: null };
  it.each([
    ["is stepped up, and the payer asked", {}, before, soft, "mandated"],
    [
      "also after an authentication without a question",
      {},
      { ...before, authentication: authentication() },
      soft,
      "mandated",
    ],
    ["once", {}, { ...before, steppedUp: true }, soft, null],
    [
      "not after the payer has answered",
      {},
      { ...before, authentication: authentication({ challenged: true }) },
      soft,
      null,
    ],
    [
      "not without the payer",
      { stored: credential({ initiator: "merchant", first: false }) },
      before,
      soft,
      null,
    ],
    ["not by telephone", { channel: "mail_or_telephone" }, before, soft, null],
    [
      "not where the merchant never does",
      { merchant: merchant({ authentication: "never" }) },
      before,
      soft,
      null,
    ],
    [
      "not where nobody can",
      { provider: { externalAuthentication: false, ownAuthentication: false } },
      before,
      soft,
      null,
    ],
    ["unless it is another decline", {}, before, declineOf("insufficient_funds", "51"), null],
  ] as [string, Partial<Circumstances>, typeof before, typeof soft, string | null][])(
    "%s",
    (_, change, history, declined, challenge) => {
      const next = afterDecline(declined, circumstances(change), history);
      if (challenge === null) expect(next).toBeNull();
      else
        expect(next).toMatchObject({
          do: "authenticate",
          challenge,
          exemption: null,
          because: "soft_decline",
        });
    },
  );
});

describe("under any circumstances", () => {
  const exemptions: Exemption[] = [
    "low_value",
    "transaction_risk_analysis",
    "trusted_beneficiary",
    "recurring",
    "corporate",
  ];
  const any: fc.Arbitrary<Circumstances> = fc.record({
    scheme: fc.constantFrom("visa" as const, "mastercard" as const, null),
    issuerCountry: fc.constantFrom("DE", "GB", "US", null),
    merchantCountry: fc.constantFrom("FR", "US"),
    channel: fc.constantFrom("ecommerce" as const, "mail_or_telephone" as const),
    stored: fc.option(
      fc.record({
        initiator: fc.constantFrom("customer" as const, "merchant" as const),
        reason: fc.constantFrom("on_demand" as const, "recurring" as const, "installment" as const),
        first: fc.boolean(),
        networkTransactionId: fc.constant(null),
      }),
      { nil: null },
    ),
    sameAmount: fc.boolean(),
    euroCents: fc.option(fc.bigInt(1n, 100_000n), { nil: null }),
    wish: fc.option(fc.constantFrom(...exemptions, "challenge" as const), { nil: null }),
    risk: fc.constantFrom("allow" as const, "challenge" as const),
    merchant: fc.record({
      authentication: fc.constantFrom("required" as const, "automatic" as const, "never" as const),
      exemptions: fc.subarray(exemptions),
      exemptionsIn: fc.constantFrom("authorization" as const, "authentication" as const),
      fraudBps: fc.option(fc.integer({ min: 0, max: 20 }), { nil: null }),
    }),
    provider: fc.record({ externalAuthentication: fc.boolean(), ownAuthentication: fc.boolean() }),
  });

  it("risk is never passed by, no exemption is asked where none is due or a challenge is wanted", () => {
    fc.assert(
      fc.property(any, (given) => {
        const next = plan(given);
        const absent = given.channel === "mail_or_telephone" || given.stored?.initiator === "merchant";
        if (given.risk === "challenge") expect(next.do).not.toBe("authorize");
        if (given.merchant.authentication === "never") expect(next.do).not.toBe("authenticate");
        if (given.merchant.authentication === "required" && !absent) expect(next.do).not.toBe("authorize");
        if (next.do === "decline" || next.exemption === null) return;
        expect(isDue(given)).toBe(true);
        expect(given.risk).toBe("allow");
        expect(given.wish).not.toBe("challenge");
        if (next.do === "authenticate") expect(next.challenge).toBe("avoid");
      }),
      { numRuns: 5_000 },
    );
  });

  it("a refusal is never authorized, and liability shifts only with a yes or an attempt", () => {
    const anyConclusion = fc.constantFrom(authenticated(), informed, unavailable, rejected);
    const anyExemption = fc.option(fc.constantFrom(...exemptions), { nil: null });
    fc.assert(
      fc.property(any, anyConclusion, anyExemption, (given, conclusion, exemption) => {
        const verdict = afterAuthentication(conclusion, given, { exemption });
        if (conclusion.kind === "rejected") expect(verdict.do).toBe("decline");
        if (verdict.do === "decline") return;
        if (verdict.liabilityShift) {
          expect(verdict.authentication?.transStatus).toBe("Y");
          expect(verdict.exemption).toBeNull();
        }
        if (given.risk === "challenge") expect(verdict.liabilityShift).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});
