import { describe, expect, it } from "vitest";
import type { OperationKind } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import { createStripeConnector } from "./index.ts";
import { markOf } from "./requests.ts";
import { error, http, intent, open, reference } from "./samples.ts";

const connector = createStripeConnector();

describe("a look-up", () => {
  const payment = samplePayment({ ...open, capturing: 10_000n });
  const found = (kind: OperationKind, body: unknown, of = payment, status = 200) =>
    connector.found(sampleOperation(of, { kind, reference, final: true }), of, http(status, body));

  it("finds an authorization by its reference only", () => {
    const other = intent({ metadata: { tessera_reference: "ref_other" } });
    expect(found("authorize", { data: [other] }).kind).toBe("absent");
    expect(found("authorize", { data: [] }).kind).toBe("absent");
    expect(found("authorize", { data: [other, intent()] }).kind).toBe("done");
    expect(found("authorize", { data: [intent(), intent({ id: "pi_2" })] }).kind).toBe("unknown");
    expect(found("authorize", other).kind).toBe("unknown");
    expect(found("authorize", intent()).kind).toBe("done");
  });

  it("asks for an attempt that waits by its id, which is known at once", () => {
    const lookup = (of: Payment) => connector.lookup(sampleOperation(of, { reference }), of)?.path;
    expect(lookup(samplePayment({ providerPayment: "pi_1" }))).toContain("/v1/payment_intents/pi_1");
    expect(lookup(samplePayment())).toContain("/search");
    expect(lookup(samplePayment({ providerPayment: "pi_1", attempt: 1 }))).toContain("/search");
  });

  it("of an attempt that was called off, or whose hold was given back, is a failure", () => {
    const canceled = { status: "canceled", amount_received: 0 };
    expect(found("authorize", intent(canceled))).toMatchObject({ decline: { code: "payer_absent" } });
    expect(found("authorize", intent({ ...canceled, latest_charge: "ch_1" }))).toMatchObject({
      decline: { code: "authorization_expired" },
    });
    expect(found("authorize", intent({ status: "canceled", amount_received: 1 })).kind).toBe("unknown");
  });

  it("tells a capture and a cancel by the intent's state", () => {
    const held = { status: "requires_capture", amount_received: 0, amount_capturable: 10_000 };
    expect(found("capture", intent(held)).kind).toBe("absent");
    expect(found("capture", intent()).kind).toBe("done");
    expect(found("capture", intent({ status: "canceled", amount_received: 0 })).kind).toBe("failed");
    expect(found("void", intent({ status: "canceled", amount_received: 0 })).kind).toBe("done");
    expect(found("void", intent(held)).kind).toBe("absent");
    expect(found("void", intent()).kind).toBe("unknown");
  });

  it("tells an increment by its mark, and never by the amount", () => {
    const held = { status: "requires_capture", amount_received: 0, amount: 12_000 };
    const of = samplePayment({ ...open, incrementing: 2_000n });
    const look = (overrides: object) => {
      const operation = sampleOperation(of, { kind: "increment", reference, amount: 2_000n });
      return connector.found(operation, of, http(200, intent(overrides)));
    };
    const metadata = { [markOf(reference)]: reference };
    expect(look({ ...held, metadata })).toMatchObject({ kind: "done", amount: 2_000n });
    expect(look(held).kind).toBe("absent");
    expect(look({ ...held, amount: 11_000, metadata }).kind).toBe("unknown");
    expect(look({ status: "canceled", amount_received: 0 }).kind).toBe("failed");
  });

  it("of refunds proves absence only where it shows them all", () => {
    const refund = { object: "refund", id: "re_1", status: "failed", amount: 1, metadata: {} };
    expect(found("refund", { data: [refund], has_more: false }).kind).toBe("absent");
    expect(found("refund", { data: [refund], has_more: true }).kind).toBe("unknown");
    const own = { ...refund, metadata: { tessera_reference: reference } };
    expect(found("refund", { data: [own], has_more: true }).kind).toBe("failed");
    expect(found("refund", own).kind).toBe("unknown"); // We did not ask for it by its id.
  });

  it("that fails tells nothing", () => {
    for (const status of [400, 404, 429, 500])
      expect(found("authorize", error("api_error"), payment, status).kind).toBe("unknown");
  });
});
