import { describe, expect, it } from "vitest";
import { publishedFile } from "../../../../test/sandbox/stripe/published-data.ts";
import { currencies } from "../../../kernel/currency.ts";
import { moneyOf } from "../../../kernel/money.ts";
import type { Exemption } from "../authentication.ts";
import { browserFields, browserSchema } from "./browser.ts";
import { encodeCReq, isSafePage, windowSizeFor } from "./challenge.ts";
import { countryNumber, currencyNumber } from "./iso-numeric.ts";
import { type AuthenticationRequest, areq, type ChallengeWish, challengeIndicator } from "./request.ts";
import { browserSample, requestorSample } from "./samples.ts";

const request = (change: Partial<AuthenticationRequest> = {}): AuthenticationRequest => ({
  version: "2.2.0",
  serverTransaction: "0192b4b0-0000-7000-8000-000000000107",
  server: { referenceNumber: "3DS_LOA_SER_1", operatorId: "op", url: "https://3ds.example/results" },
  requestor: requestorSample(),
  amount: moneyOf(1_234n, "KWD"),
  at: new Date("2026-11-22T09:08:07.654Z"),
  device: {
    channel: "browser",
    browser: browserSample(),
    notificationUrl: "https://pay.example/back",
    method: "not_done",
  },
  challenge: "no_preference",
  exemption: null,
  decoupledMinutes: null,
  stored: null,
  email: null,
  ...change,
});
const stored = {
  initiator: "merchant",
  reason: "recurring",
  first: false,
  networkTransactionId: "n",
} as const;

describe("an AReq", () => {
  it("writes amounts, currencies, countries and times as digits, and leaves the card to the vault", () => {
    expect(areq(request())).toMatchObject({
      purchaseAmount: "1234",
      purchaseExponent: "3",
      purchaseCurrency: "414",
      purchaseDate: "20261122090807",
      merchantCountryCode: "276",
      acctNumber: "{{card.number}}",
      cardExpiryDate: "{{card.exp_yymm}}",
      deviceChannel: "02",
      threeDSCompInd: "N",
      threeDSRequestorDecReqInd: "N",
    });
  });

  it("offers the issuer's app for the minutes that were given, at most seven days", () => {
    expect(areq(request({ decoupledMinutes: 5 }))).toMatchObject({
      threeDSRequestorDecReqInd: "Y",
      threeDSRequestorDecMaxTime: "00005",
    });
    expect(areq(request({ decoupledMinutes: 99_999 }))["threeDSRequestorDecMaxTime"]).toBe("10080");
  });

  it("without the payer names the earlier authentication", () => {
    const prior = { acsTransaction: "acs-1", challenged: true, at: new Date("2026-01-02T03:04:05Z") };
    const message = areq(request({ device: { channel: "requestor", prior }, stored }));
    expect(message).toMatchObject({
      deviceChannel: "03",
      threeRIInd: "01",
      threeDSRequestorAuthenticationInd: "02",
      recurringFrequency: "1",
      threeDSRequestorPriorAuthenticationInfo: {
        threeDSReqPriorRef: "acs-1",
        threeDSReqPriorAuthMethod: "02",
        threeDSReqPriorAuthTimestamp: "202601020304",
      },
    });
    expect(Object.keys(message).filter((name) => name.startsWith("browser"))).toEqual([]);
  });

  it("is not built for a merchant that was set up wrongly", () => {
    expect(() => areq(request({ requestor: requestorSample({ country: "XX" }) }))).toThrow("country");
    expect(() => areq(request({ requestor: requestorSample({ categoryCode: "59" }) }))).toThrow("category");
  });

  const indicators: readonly (readonly [ChallengeWish, Exemption | null, string, string])[] = [
    ["no_preference", null, "01", "01"],
    ["avoid", null, "02", "02"],
    ["requested", null, "03", "03"],
    ["mandated", null, "04", "04"],
    ["avoid", "transaction_risk_analysis", "05", "05"],
    ["avoid", "trusted_beneficiary", "08", "08"],
    ["avoid", "low_value", "02", "10"],
    ["avoid", "corporate", "02", "11"],
    ["avoid", "recurring", "02", "02"],
    // A challenge that is wanted outweighs an exemption.
    ["mandated", "transaction_risk_analysis", "04", "04"],
    ["requested", "trusted_beneficiary", "03", "03"],
  ];
  it.each(indicators)("%s, %s: indicator %s, in 2.3.1 %s", (challenge, exemption, older, newer) => {
    expect(challengeIndicator({ version: "2.2.0", challenge, exemption })).toBe(older);
    expect(challengeIndicator({ version: "2.3.1", challenge, exemption })).toBe(newer);
  });
});

describe("a browser", () => {
  it.each([
    [{ colorDepth: 30 }, "browserColorDepth", "24"],
    [{ colorDepth: 3 }, "browserColorDepth", "1"],
    [{ language: "zh-Hans-CN" }, "browserLanguage", "zh-Hans"],
    [{ language: "en_GB" }, "browserLanguage", "en-GB"],
    [{ accept: "a".repeat(5_000) }, "browserAcceptHeader", "a".repeat(2_048)],
    [{ timeZoneOffset: -345 }, "browserTZ", "-345"],
  ])("%o is told as the specification has it", (change, field, expected) => {
    expect(browserFields({ ...browserSample(), ...change }, "2.2.0")[field]).toBe(expected);
  });

  it("may keep its address, and tells nothing odd", () => {
    expect(browserFields({ ...browserSample(), ip: null }, "2.2.0")).not.toHaveProperty("browserIP");
    for (const odd of [
      { language: "<b>" },
      { colorDepth: 0 },
      { timeZoneOffset: 5_000 },
      { userAgent: "" },
    ]) {
      expect(browserSchema.safeParse({ ...browserSample(), ...odd }).success, JSON.stringify(odd)).toBe(
        false,
      );
    }
  });
});

describe("the issuer's page", () => {
  it.each([
    ["https://acs.example/challenge?x=1", true, true],
    ["http://127.0.0.1:8188/acs/challenge", true, false],
    ["http://localhost/acs", true, false],
    ["http://acs.example/challenge", false, false],
    ["http://127.0.0.1.evil.example/", false, false],
    ["javascript:alert(1)", false, false],
    ["data:text/html,x", false, false],
    ["https://user:pass@acs.example/", false, false],
    ["nonsense", false, false],
  ])("%s: on this machine %s, in production %s", (url, here, there) => {
    expect(isSafePage(url, { loopback: true })).toBe(here);
    expect(isSafePage(url, { loopback: false })).toBe(there);
  });

  it("gets a CReq in base64url without padding", () => {
    const ids = { serverTransaction: "s", acsTransaction: "a" };
    const creq = encodeCReq({ version: "2.2.0", windowSize: "03", ...ids });
    expect(creq).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(JSON.parse(Buffer.from(creq, "base64url").toString())).toEqual({
      threeDSServerTransID: "s",
      acsTransID: "a",
      messageType: "CReq",
      messageVersion: "2.2.0",
      challengeWindowSize: "03",
    });
  });

  it.each([
    [1_440, 900, "03"],
    [640, 480, "04"],
    [400, 700, "02"],
    [320, 640, "01"],
    [200, 300, "05"],
  ])("is shown in a place of %i by %i in size %s", (width, height, size) => {
    expect(windowSizeFor({ width, height })).toBe(size);
  });
});

describe("ISO numbers", () => {
  it("are known for every currency and have three digits, each its own", () => {
    const numbers = currencies.map(currencyNumber);
    for (const number of numbers) expect(number).toMatch(/^\d{3}$/);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(["DE", "GB", "US", "XX"].map(countryNumber)).toEqual(["276", "826", "840", null]);
  });

  it("are those that ISO 4217's maintenance agency publishes", ({ skip }) => {
    const published = publishedFile("iso4217/codes-all.csv")?.toString("utf8");
    if (published === undefined) return skip();
    const numbers = new Map(
      [...published.matchAll(/,([A-Z]{3}),(\d{1,3})(?:\.0)?,/g)].map(([, code, digits = ""]) => [
        code,
        digits.padStart(3, "0"),
      ]),
    );
    for (const currency of currencies) {
      if (numbers.has(currency)) expect(currencyNumber(currency), currency).toBe(numbers.get(currency));
    }
    expect(numbers.size).toBeGreaterThan(150);
  });
});
