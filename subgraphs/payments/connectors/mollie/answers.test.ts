import { describe, expect, it } from "vitest";
import type { Operation, OperationKind } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { AT, sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { ProviderResponse } from "../connector.ts";
import { createMollieConnector } from "./index.ts";
import { error, eur, http, PAYS_AT, part, paymentObject, reference } from "./samples.ts";

const connector = createMollieConnector();
const open = { phase: "open", authorized: 10_000n, providerPayment: "tr_1" } as const;

function told(
  kind: OperationKind,
  response: ProviderResponse,
  overrides: Partial<Operation> = {},
  first = true,
) {
  const payment: Payment = samplePayment(kind === "authorize" ? { phase: "processing" } : open);
  const operation = sampleOperation(payment, { kind, reference, ...overrides });
  return {
    answer: connector.answer(operation, payment, response, first),
    found: connector.found(operation, payment, response),
  };
}

describe("answers to an authorization", () => {
  it.each([
    ["open", PAYS_AT, { kind: "requires_action", action: { type: "redirect" } }],
    ["open", {}, { kind: "unknown" }],
    ["pending", {}, { kind: "accepted", providerPayment: "tr_1", providerOperation: "tr_1" }],
    [
      "authorized",
      { captureBefore: "2026-11-29T12:00:00+00:00" },
      { kind: "done", captured: false, amount: 10_000n },
    ],
    ["paid", { amountCaptured: eur("100.00") }, { kind: "done", captured: true, amount: 10_000n }],
    ["paid", { amountCaptured: eur("80.00") }, { kind: "done", captured: true, amount: 8_000n }],
    ["paid", { amount: { currency: "USD", value: "100.00" } }, { kind: "unknown" }],
    ["canceled", {}, { kind: "failed", decline: { code: "payer_absent" } }],
    ["expired", {}, { kind: "failed", decline: { code: "payer_absent" } }],
    ["expired", { authorizedAt: "x" }, { kind: "failed", decline: { code: "authorization_expired" } }],
    [
      "failed",
      { details: { failureReason: "invalid_cvv" } },
      { kind: "declined", decline: { code: "incorrect_cvc" } },
    ],
    [
      "failed",
      { details: { failureReason: "new_one" } },
      { kind: "declined", decline: { code: "generic_decline" } },
    ],
    ["settled", {}, { kind: "unknown" }],
    ["paid", { metadata: { tessera_reference: "another" } }, { kind: "unknown" }],
    ["paid", { metadata: null }, { kind: "unknown" }],
  ])("%s %j", (status, overrides, expected) => {
    const { answer, found } = told("authorize", http(201, paymentObject({ status, ...overrides })));
    expect(answer).toMatchObject(expected);
    expect(found.kind).toBe("unknown"); // 201 is no answer to a look-up
    const seen = told("authorize", http(200, paymentObject({ status, ...overrides }))).found;
    expect(seen).toMatchObject(expected);
  });

  it("tell what is known of the card", () => {
    const details = { cardFunding: "deferred-debit", cardCountryCode: "NL", card3dsEci: "2" };
    const object = paymentObject({ status: "authorized", details, customerId: "cst_1", mandateId: "mdt_1" });
    expect(told("authorize", http(201, object)).answer).toMatchObject({
      details: {
        eci: "02",
        liabilityShift: true,
        funding: "credit",
        issuerCountry: "NL",
        atProvider: { customer: "cst_1", mandate: "mdt_1" },
      },
    });
  });
});

describe("answers to what follows", () => {
  it.each([
    [
      "capture",
      part("capture", "succeeded"),
      { kind: "done", amount: 4_000n, providerOperation: "capture_1" },
    ],
    ["capture", part("capture", "pending"), { kind: "accepted", providerOperation: "capture_1" }],
    ["capture", part("capture", "failed"), { kind: "failed" }],
    ["capture", part("capture", "held"), { kind: "unknown" }],
    ["capture", part("refund", "refunded"), { kind: "unknown" }],
    ["refund", part("refund", "refunded"), { kind: "done", amount: 4_000n, captured: false }],
    ["refund", part("refund", "queued"), { kind: "accepted" }],
    ["refund", part("refund", "pending"), { kind: "accepted" }],
    ["refund", part("refund", "processing"), { kind: "accepted" }],
    ["refund", part("refund", "failed"), { kind: "failed", decline: { code: "refund_returned" } }],
    ["refund", part("refund", "canceled"), { kind: "failed", decline: { code: "provider_refused" } }],
    ["refund", part("refund", "refunded", { paymentId: "tr_2" }), { kind: "unknown" }],
    ["refund", part("refund", "refunded", { metadata: {} }), { kind: "unknown" }],
    ["void", paymentObject({ status: "canceled" }), { kind: "done" }],
    ["void", paymentObject({ status: "expired" }), { kind: "done" }],
    ["void", paymentObject({ status: "authorized" }), { kind: "unknown" }],
    ["void", paymentObject({ status: "paid" }), { kind: "failed" }],
    ["void", paymentObject({ status: "canceled", id: "tr_2" }), { kind: "unknown" }],
    ["void", paymentObject({ status: "canceled", amountCaptured: eur("1.00") }), { kind: "unknown" }],
  ] as const)("%s: %j", (kind, object, expected) => {
    expect(told(kind, http(201, object)).answer).toMatchObject(expected);
  });

  it("a release is accepted, and nothing else is by 202", () => {
    expect(told("void", http(202, "")).answer.kind).toBe("accepted");
    for (const kind of ["authorize", "capture", "refund"] as const) {
      expect(told(kind, http(202, "")).answer.kind).toBe("unknown");
    }
  });
});

describe("refusals", () => {
  it.each([
    ["authorize", 422, "amount", "amount_not_accepted"],
    ["authorize", 422, "amount.currency", "currency_not_supported"],
    ["authorize", 422, "webhookUrl", "provider_refused"],
    ["authorize", 422, "customerId", "provider_refused"],
    ["authorize", 401, undefined, "provider_refused"],
    ["capture", 422, "amount", "provider_refused"],
    ["capture", 404, undefined, "provider_refused"],
    ["refund", 422, undefined, "provider_refused"],
    ["void", 404, undefined, "provider_refused"],
  ] as const)(
    "of %s with %s %s are %s at first, and prove nothing when it is repeated",
    (kind, status, field, code) => {
      const response = http(status, error(status, field));
      expect(told(kind, response).answer).toMatchObject({ kind: "failed", decline: { code } });
      expect(told(kind, response, {}, false).answer.kind).toBe("unknown");
    },
  );

  it("of a mandate that we named say that it was revoked", () => {
    const request = {
      method: "POST",
      path: "/v2/payments",
      body: '{"mandateId":"mdt_1"}',
      token: null,
    } as const;
    const { answer } = told("authorize", http(422, error(422, "mandateId")), { request });
    expect(answer).toMatchObject({ kind: "failed", decline: { code: "stored_credential_revoked" } });
  });

  it.each([400, 408, 409, 429, 500, 503])("%s proves nothing, not even in Mollie's words", (status) => {
    for (const kind of ["authorize", "capture", "refund", "void"] as const) {
      expect(told(kind, http(status, error(status))).answer.kind).toBe("unknown");
    }
  });

  it("of a release say nothing: it may be gone already", () => {
    expect(told("void", http(422, error(422))).answer.kind).toBe("unknown");
  });
});

describe("a look among the newest payments", () => {
  const list = (payments: object[], next: boolean) => ({
    count: payments.length,
    _embedded: { payments },
    _links: { next: next ? { href: "https://api.mollie.com/v2/payments?from=tr_9", type: "x" } : null },
  });
  const other = (createdAt: string) => paymentObject({ id: "tr_9", metadata: null, createdAt });
  const see = (payments: object[], next: boolean, claimedAt = AT) =>
    told("authorize", http(200, list(payments, next)), { claimedAt }).found;
  const [BEFORE, AFTER] = ["2026-11-22T11:50:00+00:00", "2026-11-22T12:00:01+00:00"];
  const HOUR_AGO = new Date(AT.getTime() - 3_600_000);

  it("finds ours by its reference, and takes two for a case for a person", () => {
    const own = paymentObject({ status: "paid" });
    expect(see([other(AFTER), own], true)).toMatchObject({ kind: "done" });
    expect(see([own, { ...own, id: "tr_2" }], false).kind).toBe("unknown");
  });

  it("says absent where it has seen all that could be ours", () => {
    expect(see([other(AFTER)], false).kind).toBe("absent");
    expect(see([other(AFTER), other(BEFORE)], true).kind).toBe("absent");
  });

  it("leaves it to a replay while Mollie knows the key, and to nobody after that, if the page is too short", () => {
    expect(see([other(AFTER)], true).kind).toBe("absent");
    expect(see([other(AFTER)], true, HOUR_AGO).kind).toBe("unknown");
    const undated: ProviderResponse = {
      ...http(200, list([other(AFTER)], true)),
      headers: new Headers(),
    } as never;
    expect(told("authorize", undated).found.kind).toBe("unknown");
  });
});
