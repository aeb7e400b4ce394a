import { describe, expect, it } from "vitest";
import { REFUSALS } from "../../../../test/sandbox/adyen/test-cards.ts";
import { DECLINE_CODES } from "../../domain/decline.ts";
import { NO_DETAILS, type OperationKind } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { ProviderResponse } from "../connector.ts";
import { detailsOf } from "./details.ts";
import { refusalCode, refusalNamed } from "./errors.ts";
import { createAdyenConnector } from "./index.ts";

const connector = createAdyenConnector({ merchantAccount: "TesseraECOM", returnUrl: "https://pay.example/" });
const reference = "ref_0107_00";
const psp = "993617895204576J";

const http = (status: number, body: unknown, headers: Record<string, string> = {}): ProviderResponse => ({
  kind: "http",
  status,
  headers: new Headers(headers),
  body: JSON.stringify(body),
});
const error = (status: number, errorCode: string, errorType = "validation") => ({
  status,
  errorCode,
  errorType,
  message: "…",
  pspReference: psp,
});

function answered(
  kind: OperationKind,
  response: ProviderResponse,
  first = true,
  payment: Partial<Payment> = {},
) {
  const open: Partial<Payment> = kind === "authorize" ? {} : { phase: "open", providerPayment: psp };
  const about = samplePayment({ ...open, ...payment });
  return connector.answer(sampleOperation(about, { kind, reference }), about, response, first);
}
const paid = (body: object, payment: Partial<Payment> = {}) =>
  answered(
    "authorize",
    http(200, { pspReference: psp, merchantReference: reference, ...body }),
    true,
    payment,
  );

describe("a payment's answer", () => {
  it("is done when it is authorised, and captured when that was asked for", () => {
    expect(paid({ resultCode: "Authorised", refusalReasonCode: "0" })).toMatchObject({
      kind: "done",
      providerPayment: psp,
      captured: false,
      amount: 10_000n,
      expiresAt: new Date("2026-12-02T12:00:00Z"),
    });
    expect(paid({ resultCode: "Authorised" }, { captureMethod: "automatic" })).toMatchObject({
      captured: true,
      expiresAt: null,
    });
    const less = { resultCode: "Authorised", amount: { value: 9_000, currency: "EUR" } };
    expect(paid(less)).toMatchObject({ kind: "done", amount: 9_000n });
  });

  it("is declined with Adyen's code, which is kept", () => {
    expect(paid({ resultCode: "Refused", refusalReasonCode: "12" })).toMatchObject({
      kind: "declined",
      decline: { code: "insufficient_funds", providerCode: "Refused:12" },
      details: { rawCode: "Refused:12" },
    });
    expect(paid({ resultCode: "Cancelled", refusalReasonCode: "22" })).toMatchObject({
      decline: { code: "blocked_by_risk", providerCode: "Cancelled:22" },
    });
    expect(paid({ resultCode: "Error", refusalReasonCode: "9" })).toMatchObject({
      decline: { code: "issuer_unavailable" },
    });
    // Whatever an error's reason is, the issuer did not decide.
    expect(paid({ resultCode: "Error", refusalReasonCode: "99" })).toMatchObject({
      decline: { code: "processing_error" },
    });
  });

  it("is accepted when it is decided later", () => {
    for (const resultCode of ["Pending", "Received"]) {
      expect(paid({ resultCode })).toEqual({
        kind: "accepted",
        providerPayment: psp,
        providerOperation: null,
      });
    }
  });

  it("sends the payer to the bank only by a plain redirect", () => {
    const action = { type: "redirect", method: "GET", url: "https://bank.example/3ds" };
    expect(paid({ resultCode: "RedirectShopper", action })).toEqual({
      kind: "requires_action",
      providerPayment: psp,
      action: { type: "redirect", url: action.url },
    });
    for (const wrong of [{ method: "POST" }, { url: "javascript:alert(1)" }, { type: "threeDS2" }]) {
      expect(paid({ resultCode: "RedirectShopper", action: { ...action, ...wrong } }).kind).toBe("unknown");
    }
  });

  it.each([
    ["native 3-D Secure", { resultCode: "IdentifyShopper" }],
    ["a native challenge", { resultCode: "ChallengeShopper" }],
    ["a part of it", { resultCode: "PartiallyAuthorised" }],
    ["a voucher", { resultCode: "PresentToShopper" }],
    ["a result of no meaning", { resultCode: "Splendid" }],
    ["without a pspReference", { resultCode: "Authorised", pspReference: undefined }],
    ["about another payment", { resultCode: "Authorised", merchantReference: "ref_0107_01" }],
    ["in another currency", { resultCode: "Authorised", amount: { value: 10_000, currency: "USD" } }],
    ["an amount that is no integer", { resultCode: "Authorised", amount: { value: 1.5, currency: "EUR" } }],
  ])("that is %s proves nothing", (_, body) => {
    expect(paid(body).kind).toBe("unknown");
  });
});

describe("a modification's answer", () => {
  const received = {
    status: "received",
    pspReference: "MOD0000000000082",
    paymentPspReference: psp,
    reference,
  };

  it.each(["capture", "increment", "void", "expire", "refund"] as const)("only takes a %s", (kind) => {
    expect(answered(kind, http(201, received))).toEqual({
      kind: "accepted",
      providerPayment: psp,
      providerOperation: received.pspReference,
    });
  });

  it.each([
    ["another status", { status: "authorised" }],
    ["another payment", { paymentPspReference: "OTHER00000000082" }],
    ["another modification", { reference: "ref_0107_01" }],
    ["none", { pspReference: undefined }],
  ])("about %s proves nothing", (_, change) => {
    expect(answered("capture", http(201, { ...received, ...change })).kind).toBe("unknown");
  });

  it("is not what a payment is answered with, nor the other way round", () => {
    expect(answered("capture", http(200, { resultCode: "Authorised", pspReference: psp })).kind).toBe(
      "unknown",
    );
    expect(answered("authorize", http(201, received)).kind).toBe("unknown");
  });
});

describe("an error", () => {
  it.each([
    [422, "101", "incorrect_number"],
    [422, "103", "incorrect_cvc"],
    [422, "137", "amount_not_accepted"],
    [422, "138", "currency_not_supported"],
    [400, "702", "provider_refused"],
    [422, "14_030", "provider_refused"],
  ])("%d %s is definite, also when repeated: %s", (status, errorCode, code) => {
    for (const first of [true, false]) {
      expect(answered("authorize", http(status, error(status, errorCode)), first)).toMatchObject({
        kind: "failed",
        decline: { code, providerCode: errorCode },
      });
    }
  });

  it.each([
    [401, "000", "security"],
    [403, "901", "security"],
    [403, "010", "security"],
    [422, "167", "validation"],
  ])("%d %s is definite the first time only", (status, errorCode, type) => {
    const response = http(status, error(status, errorCode, type));
    expect(answered("capture", response, true).kind).toBe("failed");
    expect(answered("capture", response, false).kind).toBe("unknown");
  });

  it.each([
    [422, "704"],
    [422, "703"],
    [422, "000"],
    [422, "999"],
    [422, "constructor"],
    [500, "905"],
    [500, "101"],
    [503, "702"],
    [409, "101"],
    [429, "101"],
  ])("%d %s proves nothing", (status, errorCode) => {
    expect(answered("authorize", http(status, error(status, errorCode))).kind).toBe("unknown");
  });

  it("that Adyen calls transient proves nothing, whatever its code", () => {
    const headers = { "transient-error": "true" };
    expect(answered("authorize", http(422, error(422, "101"), headers)).kind).toBe("unknown");
  });

  it("of ours says whether another provider may be tried", () => {
    const notSent = (code: string): ProviderResponse => ({ kind: "not_sent", code, because: "…" });
    expect(answered("authorize", notSent("UNREACHABLE"))).toMatchObject({
      decline: { code: "provider_unavailable" },
    });
    expect(answered("authorize", notSent("TOKEN_UNKNOWN"))).toMatchObject({
      decline: { code: "provider_refused" },
    });
  });
});

describe("refusal reasons", () => {
  it("are all known by code and by Adyen's words, and no issuer's word sends a card elsewhere", () => {
    const ownFaults = ["4", "9", "21"];
    for (const [code, { reason }] of Object.entries(REFUSALS)) {
      expect(refusalNamed(reason), reason).toBe(code);
      const { elsewhere } = DECLINE_CODES[refusalCode(code, undefined)];
      expect(elsewhere, `${code} ${reason}`).toBe(ownFaults.includes(code));
    }
    for (const code of ["99", "constructor"]) expect(refusalCode(code, undefined)).toBe("generic_decline");
    expect(refusalNamed("Whatever")).toBe("2");
  });

  it("are told more exactly by the scheme's code, where Adyen's says little", () => {
    expect(refusalCode("5", "43 : Stolen card, pick up")).toBe("stolen_card");
    expect(refusalCode("2", "46 : Closed account")).toBe("closed_account");
    expect(refusalCode("12", "43 : Stolen card, pick up")).toBe("insufficient_funds");
    expect(refusalCode("2", "nonsense")).toBe("generic_decline");
  });
});

describe("what Adyen tells besides", () => {
  it("is read where it is told", () => {
    const told = {
      avsResult: "6 Postal code matches, but the address does not match",
      cvcResult: "1 Matches",
      authCode: "044925",
      networkTxReference: "MCS01ABCD1122",
      eci: "2",
      liabilityShift: "true",
      fundingSource: "PREPAID_RELOADABLE",
      cardIssuingCountry: "PL",
      cardBin: "545454",
      cardSummary: "5454",
    };
    expect(detailsOf(told, "Authorised")).toEqual({
      rawCode: "Authorised",
      authorizationCode: "044925",
      networkTransactionId: "MCS01ABCD1122",
      avs: { address: "no_match", postalCode: "match" },
      cvc: "match",
      eci: "02",
      liabilityShift: true,
      funding: "prepaid",
      issuerCountry: "PL",
      providerFee: null,
    });
    expect(detailsOf({}, "Authorised")).toEqual({ ...NO_DETAILS, rawCode: "Authorised" });
    const odd = {
      avsResult: "99 Odd",
      cvcResult: "x",
      eci: "abc",
      cardIssuingCountry: "Poland",
      liabilityShift: "?",
    };
    expect(detailsOf(odd, "x")).toEqual({ ...NO_DETAILS, rawCode: "x" });
  });

  it.each([
    ["2 Neither postal code nor address match", "no_match", "no_match"],
    ["10 Address doesn't match, postal code unknown", "no_match", "unavailable"],
    ["5 No AVS data provided", "unchecked", "unchecked"],
  ])("about the address: %s", (avsResult, address, postalCode) => {
    expect(detailsOf({ avsResult }, "x").avs).toEqual({ address, postalCode });
  });
});
