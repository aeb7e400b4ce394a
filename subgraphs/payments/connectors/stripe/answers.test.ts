import { describe, expect, it } from "vitest";
import type { Operation, OperationKind } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { ProviderResponse } from "../connector.ts";
import { createStripeConnector } from "./index.ts";
import { markOf } from "./requests.ts";
import { error, http, intent, open, reference } from "./samples.ts";

const connector = createStripeConnector();

const operationOf = (kind: OperationKind, payment: Payment, overrides: Partial<Operation> = {}) =>
  sampleOperation(payment, { kind, reference, ...overrides });

describe("an answer", () => {
  const manual = samplePayment();
  const authorize = (response: ProviderResponse, first = true, payment = manual) =>
    connector.answer(operationOf("authorize", payment), payment, response, first);

  it("of success says what was done, and all that the network said", () => {
    const card = {
      capture_before: 1_800_000_000,
      authorization_code: "A1B2C3",
      network_transaction_id: "412345678901234",
      checks: { address_line1_check: "fail", address_postal_code_check: "unavailable", cvc_check: "pass" },
      electronic_commerce_indicator: "05",
      three_d_secure: { result: "authenticated" },
      funding: "debit",
      country: "FR",
    };
    const held = intent({
      status: "requires_capture",
      amount_received: 0,
      amount_capturable: 10_000,
      latest_charge: { payment_method_details: { card } },
    });
    expect(authorize(http(200, held))).toEqual({
      kind: "done",
      providerPayment: "pi_1",
      captured: false,
      amount: 10_000n,
      expiresAt: new Date(1_800_000_000_000),
      details: {
        rawCode: null,
        authorizationCode: "A1B2C3",
        networkTransactionId: "412345678901234",
        avs: { address: "no_match", postalCode: "unavailable" },
        cvc: "match",
        eci: "05",
        liabilityShift: true,
        funding: "debit",
        issuerCountry: "FR",
        providerFee: null,
      },
    });
    const sale = samplePayment({ captureMethod: "automatic" });
    expect(authorize(http(200, intent()), true, sale)).toMatchObject({
      kind: "done",
      captured: true,
      amount: 10_000n,
    });
  });

  it.each([
    ["attempt_acknowledged", true],
    ["exempted", false],
    ["not_supported", false],
    ["data_share_only", false],
  ])("with 3-D Secure that is %s: liability shift is %s", (result, liabilityShift) => {
    const latest_charge = { payment_method_details: { card: { three_d_secure: { result } } } };
    expect(authorize(http(200, intent({ latest_charge })))).toMatchObject({ details: { liabilityShift } });
  });

  it("that asks the payer names the page; one that cannot be shown is unknown", () => {
    const asks = (next_action: object) =>
      authorize(http(200, intent({ status: "requires_action", next_action })));
    const url = "https://hooks.stripe.example/3ds";
    expect(asks({ type: "redirect_to_url", redirect_to_url: { url } })).toEqual({
      kind: "requires_action",
      providerPayment: "pi_1",
      action: { type: "redirect", url },
    });
    expect(asks({ type: "use_stripe_sdk" }).kind).toBe("unknown");
  });

  it("that is undecided is accepted, and not sent again", () => {
    expect(authorize(http(200, intent({ status: "processing" })))).toMatchObject({ kind: "accepted" });
  });

  it.each([
    ["insufficient_funds", "card_declined", "insufficient_funds"],
    ["expired_card", "expired_card", undefined],
    ["generic_decline", "card_declined", "some_new_code"],
    ["authentication_required", "authentication_required", "authentication_not_handled"],
    ["suspected_fraud", "card_declined", "fraudulent"],
    ["stored_credential_revoked", "card_declined", "revocation_of_authorization"],
  ])("of 402 is a decline: %s", (code, stripeCode, declineCode) => {
    const body = error("card_error", {
      code: stripeCode,
      decline_code: declineCode,
      network_decline_code: "51",
      payment_intent: intent({ status: "requires_payment_method" }),
      payment_method: { card: { funding: "prepaid", country: "US" } },
    });
    expect(authorize(http(402, body))).toMatchObject({
      kind: "declined",
      decline: { code, providerCode: declineCode ?? stripeCode },
      providerPayment: "pi_1",
      details: { rawCode: "51", funding: "prepaid", issuerCountry: "US" },
    });
  });

  it("of a payer who could not authenticate is a decline", () => {
    const last_payment_error = error("invalid_request_error", {
      code: "payment_intent_authentication_failure",
    }).error;
    expect(
      authorize(http(200, intent({ status: "requires_payment_method", last_payment_error }))),
    ).toMatchObject({
      kind: "declined",
      decline: { code: "authentication_failed" },
    });
  });

  it.each([
    ["409", http(409, error("invalid_request_error", { code: "idempotency_key_in_use" }))],
    ["an idempotency mismatch", http(400, error("idempotency_error"))],
    ["200 with another object", http(200, { object: "charge", id: "ch_1" })],
    ["402 that is no card error", http(402, error("api_error"))],
    ["a state that was not asked for", http(200, intent({ status: "requires_confirmation" }))],
  ])("that is %s is unknown, never a failure", (_, response) => {
    expect(authorize(response).kind).toBe("unknown");
    expect(authorize(response, false).kind).toBe("unknown");
  });

  it("that refuses certainly is a failure; what may be our own doing is so only the first time", () => {
    const tooSmall = http(400, error("invalid_request_error", { code: "amount_too_small" }));
    expect(authorize(tooSmall)).toMatchObject({ kind: "failed", decline: { code: "amount_not_accepted" } });
    const state = http(400, error("invalid_request_error", { code: "payment_intent_unexpected_state" }));
    const payment = samplePayment({ ...open, capturing: 10_000n });
    const capture = operationOf("capture", payment);
    expect(connector.answer(capture, payment, state, true).kind).toBe("failed");
    expect(connector.answer(capture, payment, state, false).kind).toBe("unknown");
    const unauthorized = http(401, error("invalid_request_error"));
    expect([authorize(unauthorized).kind, authorize(unauthorized, false).kind]).toEqual([
      "failed",
      "unknown",
    ]);
  });

  it("that refuses a repeated increment or capture is definite where the intent shows no mark of an earlier copy", () => {
    const payment = samplePayment(open);
    const again = (kind: "increment" | "capture", payment_intent: object | undefined, rest: object = {}) => {
      const refused = error("invalid_request_error", { ...rest, payment_intent });
      return connector.answer(
        operationOf(kind, payment, { amount: 500n }),
        payment,
        http(400, refused),
        false,
      );
    };
    const held = { status: "requires_capture", amount_received: 0, amount_capturable: 10_000 };
    const marked = intent({ ...held, amount: 10_500, metadata: { [markOf(reference)]: reference } });
    expect(again("increment", intent(held))).toMatchObject({ kind: "failed" });
    expect(again("increment", marked)).toMatchObject({ kind: "done", amount: 500n });
    expect(again("increment", undefined).kind).toBe("unknown");
    const state = { code: "payment_intent_unexpected_state" };
    expect(again("capture", intent(held), state)).toMatchObject({ kind: "failed" });
    expect(
      again("capture", intent({ ...held, metadata: marked.metadata, amount_received: 500 }), state),
    ).toMatchObject({
      kind: "done",
      amount: 500n,
    });
  });

  it("to a final capture counts this capture's part", () => {
    const payment = samplePayment({ ...open, captured: 3_000n, capturing: 2_000n });
    const capture = operationOf("capture", payment, { amount: 2_000n, final: true });
    const answered = (received: number) => {
      const body = intent({ status: "requires_capture", amount_received: received });
      return connector.answer(capture, payment, http(200, body), true);
    };
    expect(answered(5_000)).toMatchObject({ kind: "done", amount: 2_000n });
    expect(answered(4_000)).toMatchObject({ kind: "done", amount: 1_000n }); // not what was asked: for a person
    expect(answered(3_000).kind).toBe("unknown");
  });

  it("to a capture that others may be beside is believed by its mark only", () => {
    const payment = samplePayment({ ...open, captured: 3_000n, capturing: 4_000n });
    const capture = operationOf("capture", payment, { amount: 2_000n });
    const answered = (metadata: object, received: number) => {
      const body = intent({ status: "requires_capture", amount_received: received, metadata });
      return connector.answer(capture, payment, http(200, body), true);
    };
    expect(answered({ [markOf(reference)]: reference }, 5_000)).toMatchObject({
      kind: "done",
      amount: 2_000n,
    });
    expect(answered({}, 5_000).kind).toBe("unknown");
    expect(answered({ [markOf(reference)]: "ref_of_another" }, 5_000).kind).toBe("unknown");
    expect(answered({ [markOf(reference)]: reference }, 4_000).kind).toBe("unknown");
  });

  it("to a capture says what the merchant can do about it", () => {
    const payment = samplePayment({ ...open, capturing: 10_000n });
    const answered = (rest: object) => {
      const response = http(400, error("invalid_request_error", rest));
      return connector.answer(operationOf("capture", payment), payment, response, true);
    };
    const gone = intent({ status: "canceled", amount_received: 0 });
    expect(answered({ code: "payment_intent_unexpected_state", payment_intent: gone })).toMatchObject({
      decline: { code: "authorization_expired" },
    });
    expect(answered({ code: "charge_expired_for_capture" })).toMatchObject({
      decline: { code: "authorization_expired" },
    });
    expect(answered({ param: "final_capture" })).toMatchObject({
      decline: { code: "multiple_captures_unsupported" },
    });
  });

  it.each([
    ["is given back already", { status: "canceled", amount_received: 0 }, 0n, "done"],
    ["ended after a part", { status: "succeeded", amount_received: 3_000 }, 3_000n, "done"],
    ["was captured by somebody else", { status: "succeeded", amount_received: 10_000 }, 0n, "failed"],
    ["was captured, then given back", { status: "canceled", amount_received: 500 }, 0n, "failed"],
  ])("to a void of what %s", (_, state, captured, kind) => {
    const payment = samplePayment({ ...open, captured, closing: true });
    const body = error("invalid_request_error", {
      code: "payment_intent_unexpected_state",
      payment_intent: intent(state),
    });
    expect(connector.answer(operationOf("void", payment), payment, http(400, body), true).kind).toBe(kind);
  });

  it.each([
    ["succeeded", "done"],
    ["failed", "failed"],
    ["canceled", "failed"],
    ["pending", "accepted"],
    ["requires_action", "accepted"],
    ["something_new", "unknown"],
  ])("to a refund that is %s is %s", (status, kind) => {
    const payment = samplePayment({ ...open, captured: 10_000n });
    const refund = { object: "refund", id: "re_1", status, amount: 10_000 };
    const answered = connector.answer(operationOf("refund", payment), payment, http(200, refund), true);
    expect(answered.kind).toBe(kind);
    if (kind === "done" || kind === "accepted") expect(answered).toMatchObject({ providerOperation: "re_1" });
  });
});
