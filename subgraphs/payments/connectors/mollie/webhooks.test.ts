import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../domain/operation.ts";
import { AT, sampleOperation, samplePayment } from "../../domain/samples.ts";
import { createMollieConnector } from "./index.ts";
import { PAYS_AT, paymentObject, reference } from "./samples.ts";

const connector = createMollieConnector();

describe("webhooks", () => {
  const { webhooks } = connector;
  const read = (headers: Record<string, string>, body: string, secrets = ["s3cret"]) =>
    webhooks?.read(headers, Buffer.from(body), secrets, AT) ?? { ok: false, error: "none" };
  const FORM = { "content-type": "application/x-www-form-urlencoded" };
  const signed = (body: string, secret = "s3cret") =>
    `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const eventOf = (snapshot: object) =>
    JSON.stringify({
      resource: "event",
      id: "event_1",
      type: "payment.paid",
      entityId: "tr_1",
      createdAt: "2026-11-22T12:00:00+00:00",
      _embedded: { entity: snapshot },
    });
  const payment = samplePayment({ providerPayment: "tr_1" });
  const operation = sampleOperation(payment, { reference });

  it("without a signature only hint", () => {
    const result = read(FORM, "id=tr_1");
    if (!result.ok) throw new Error(result.error);
    const [item] = result.value;
    expect(item).toMatchObject({ id: "tr_1", providerPayment: "tr_1", reference: null });
    expect(item?.answer(operation, payment)).toEqual({ kind: "ask" });
  });

  it.each([
    [FORM, "id=../../etc"],
    [FORM, ""],
    [{ "content-type": "application/json" }, eventOf(paymentObject({ status: "paid" }))],
    [{}, "id=tr_1"],
    [{ "x-mollie-signature": "sha256=00" }, eventOf({})],
    [{ "x-mollie-signature": signed("other") }, eventOf({})],
    [{ "x-mollie-signature": signed("{}") }, "{}"],
    [{ "x-mollie-signature": signed(eventOf({}), "") }, eventOf({})],
  ])("%j with %s are refused", (headers, body) => {
    expect(read(headers as Record<string, string>, body, ["s3cret", ""]).ok).toBe(false);
  });

  const answerTo = (snapshot: object, of: Operation = operation) => {
    const body = eventOf(snapshot);
    const result = read({ "x-mollie-signature": `${signed(body, "old")}, ${signed(body)}` }, body);
    if (!result.ok) throw new Error(result.error);
    return result.value[0]?.answer(of, payment);
  };

  it("with one are believed for the authorization, and nothing else", () => {
    const paid = paymentObject({ status: "paid" });
    expect(answerTo(paid)).toMatchObject({ kind: "done", captured: true });
    for (const kind of ["capture", "void", "refund"] as const) {
      expect(answerTo(paid, { ...operation, kind })).toEqual({ kind: "ask" });
    }
    expect(answerTo(paymentObject({ status: "failed" }))).toMatchObject({ kind: "declined" });
    expect(answerTo(paymentObject({ status: "open", ...PAYS_AT }))).toEqual({ kind: "ask" });
    expect(answerTo({ ...paid, id: "tr_2" })).toEqual({ kind: "ask" });
    expect(answerTo({})).toEqual({ kind: "ask" });
  });

  it("of an end after the authorization do not say that it was declined", () => {
    for (const status of ["canceled", "expired", "failed"]) {
      expect(answerTo(paymentObject({ status, authorizedAt: "2026-11-22T12:00:00+00:00" }))).toEqual({
        kind: "ask",
      });
    }
  });
});
