import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { publishedFile } from "../../../../test/sandbox/stripe/published-data.ts";
import type { Operation, OperationKind, OperationState } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { WebhookItem, Webhooks } from "../connector.ts";
import { createAdyenConnector } from "./index.ts";
import { dataToSign } from "./webhooks.ts";

const webhooks = createAdyenConnector({ merchantAccount: "TesseraECOM", returnUrl: "https://pay.example/" })
  .webhooks as Webhooks;
const KEY = randomBytes(32).toString("hex");
const OLD_KEY = randomBytes(32).toString("hex").toUpperCase();
const PAYMENT = "PAYMENT000000082";
const reference = "ref_0107_00";

const ITEM = {
  pspReference: "MODIFICATION0082",
  originalReference: PAYMENT as string | undefined,
  merchantAccountCode: "TesseraECOM",
  merchantReference: reference,
  amount: { value: 4_000, currency: "EUR" },
  eventCode: "CAPTURE",
  success: "true" as "true" | "false",
  eventDate: "2026-11-22T13:00:00+01:00",
  reason: "",
};
type Told = Partial<typeof ITEM> & { additionalData?: Record<string, string> };

function signed(told: Told, key = KEY): object {
  const item = { ...ITEM, ...told };
  const hmacSignature = createHmac("sha256", Buffer.from(key, "hex"))
    .update(dataToSign(item))
    .digest("base64");
  return { ...item, additionalData: { ...told.additionalData, hmacSignature } };
}
const delivery = (...items: object[]): Uint8Array => {
  const notificationItems = items.map((NotificationRequestItem) => ({ NotificationRequestItem }));
  return new TextEncoder().encode(JSON.stringify({ live: "false", notificationItems }));
};
const read = (body: Uint8Array, secrets = [KEY], headers: Record<string, string> = {}) =>
  webhooks.read(headers, body, secrets, new Date());
function told(item: Told): WebhookItem {
  const result = read(delivery(signed(item)));
  const [only] = result.ok ? result.value : [];
  if (only === undefined) throw new Error("not read");
  return only;
}

const vectors = publishedFile("adyen/hmac-vectors.json");

describe("a delivery", () => {
  it.skipIf(vectors === null)("is believed when it is signed as the published vector is", () => {
    const {
      hmacKeyHex,
      notification,
      dataToSign: text,
      hmacSignature,
    } = JSON.parse(vectors?.toString("utf8") ?? "{}");
    expect(dataToSign(notification)).toBe(text);
    const genuine = { ...notification, additionalData: { hmacSignature } };
    expect(read(delivery(genuine), [hmacKeyHex]).ok).toBe(true);
    const more = { ...genuine, amount: { ...genuine.amount, value: 1001 } };
    expect(read(delivery(more), [hmacKeyHex]).ok).toBe(false);
  });

  it.each([
    ["pspReference", { pspReference: "OTHER00000000082" }],
    ["originalReference", { originalReference: "OTHER00000000082" }],
    ["merchantReference", { merchantReference: "ref_0107_01" }],
    ["merchantAccountCode", { merchantAccountCode: "Other" }],
    ["amount", { amount: { value: 4_001, currency: "EUR" } }],
    ["currency", { amount: { value: 4_000, currency: "USD" } }],
    ["eventCode", { eventCode: "REFUND" }],
    ["success", { success: "false" }],
  ])("whose %s was changed is refused", (_, change) => {
    expect(read(delivery({ ...signed({}), ...change })).ok).toBe(false);
  });

  it("is refused as a whole if one of its items is not genuine", () => {
    expect(read(delivery(signed({}), signed({ eventCode: "REFUND" })))).toMatchObject({ ok: true });
    expect(read(delivery(signed({}), { ...signed({}), success: "false" })).ok).toBe(false);
    expect(read(delivery(signed({}), { ...ITEM })).ok).toBe(false);
    expect(read(delivery()).ok).toBe(false);
  });

  it("is believed under any of the keys while they change, and under none that is not a key", () => {
    expect(read(delivery(signed({}, OLD_KEY)), [KEY, OLD_KEY]).ok).toBe(true);
    expect(read(delivery(signed({}, OLD_KEY)), [KEY]).ok).toBe(false);
    expect(read(delivery(signed({}, "")), ["", "zz"]).ok).toBe(false);
  });

  it("needs the basic authentication that is configured, besides the signature", () => {
    const header = (credential: string) => ({
      Authorization: `Basic ${Buffer.from(credential).toString("base64")}`,
    });
    const secrets = [KEY, "adyen:new", "adyen:old"];
    expect(read(delivery(signed({})), secrets, header("adyen:old")).ok).toBe(true);
    expect(read(delivery(signed({})), secrets, header("adyen:wrong")).ok).toBe(false);
    expect(read(delivery(signed({})), secrets).ok).toBe(false);
    expect(read(delivery({ ...signed({}), success: "false" }), secrets, header("adyen:new")).ok).toBe(false);
    expect(read(delivery(signed({})), ["adyen:new"], header("adyen:new")).ok).toBe(false);
  });

  it("of another merchant account of the company is genuine, and of no interest", () => {
    expect(read(delivery(signed({ merchantAccountCode: "Other" })))).toEqual({ ok: true, value: [] });
  });

  it("says what it is about", () => {
    expect(told({})).toMatchObject({
      id: "MODIFICATION0082:CAPTURE:true",
      reference,
      providerPayment: PAYMENT,
      providerOperation: "MODIFICATION0082",
      kind: "capture",
      at: new Date("2026-11-22T12:00:00Z"),
    });
    const authorisation = { eventCode: "AUTHORISATION", originalReference: undefined, pspReference: PAYMENT };
    expect(told(authorisation)).toMatchObject({
      kind: "authorize",
      providerPayment: PAYMENT,
      providerOperation: null,
    });
    expect(told({ merchantReference: "" }).reference).toBeNull();
    expect(webhooks.received).toEqual({ status: 200, body: "[accepted]" });
    for (const eventCode of ["CHARGEBACK", "constructor"]) expect(told({ eventCode }).kind).toBeNull();
  });
});

type About = {
  kind?: OperationKind;
  state?: OperationState;
  operation?: Partial<Operation>;
  payment?: Partial<Payment>;
};

function meaning(
  item: Told,
  { kind = "capture", state = "claimed", operation = {}, payment = {} }: About = {},
) {
  const about = samplePayment({ phase: "open", authorized: 10_000n, providerPayment: PAYMENT, ...payment });
  return told(item).answer(
    sampleOperation(about, { kind, state, reference, amount: 4_000n, ...operation }),
    about,
  );
}

describe("news of a modification", () => {
  it("says what was done, or why not", () => {
    expect(meaning({})).toMatchObject({
      kind: "done",
      amount: 4_000n,
      captured: true,
      providerPayment: PAYMENT,
      providerOperation: "MODIFICATION0082",
    });
    expect(meaning({ success: "false", reason: "Insufficient balance on payment" })).toMatchObject({
      kind: "failed",
      decline: { code: "provider_refused", providerCode: "CAPTURE:Insufficient balance on payment" },
    });
    expect(meaning({ success: "false", reason: "Authorisation expired" })).toMatchObject({
      decline: { code: "authorization_expired" },
    });
    expect(meaning({ eventCode: "REFUND" }, { kind: "refund" })).toMatchObject({
      kind: "done",
      amount: 4_000n,
    });
    for (const kind of ["void", "expire"] as const) {
      expect(meaning({ eventCode: "CANCELLATION" }, { kind }).kind).toBe("done");
      expect(meaning({ eventCode: "CANCELLATION", success: "false" }, { kind }).kind).toBe("failed");
    }
  });

  it("of a capture or refund that came back: undone if it was done, failed if not, and only once", () => {
    const failed = { eventCode: "CAPTURE_FAILED", reason: "Capture Failed" };
    expect(meaning(failed, { state: "succeeded" })).toMatchObject({
      kind: "reversed",
      decline: { providerCode: "CAPTURE_FAILED:Capture Failed" },
    });
    expect(meaning(failed, { state: "claimed" }).kind).toBe("failed");
    for (const state of ["failed", "reversed", "declined"] as const) {
      expect(meaning(failed, { state }).kind).toBe("nothing");
    }
    for (const eventCode of ["REFUND_FAILED", "REFUNDED_REVERSED"]) {
      expect(meaning({ eventCode }, { kind: "refund", state: "succeeded" })).toMatchObject({
        kind: "reversed",
        decline: { code: "refund_returned" },
      });
    }
    const sale = { kind: "authorize", state: "succeeded", payment: { captureMethod: "automatic" } } as const;
    expect(meaning(failed, sale).kind).toBe("reversed");
  });

  it("in the wrong order: what came back stays so, until Adyen captures it again", () => {
    const after = (eventCode: string, state: OperationState, kind: OperationKind): About => ({
      kind,
      state,
      operation: { failure: { code: "provider_refused", message: "", providerCode: `${eventCode}:…` } },
    });
    expect(meaning({}, after("CAPTURE_FAILED", "failed", "capture")).kind).toBe("nothing");
    expect(meaning({}, after("CAPTURE_FAILED", "reversed", "capture")).kind).toBe("nothing");
    const refund = { eventCode: "REFUND" };
    for (const eventCode of ["REFUND_FAILED", "REFUNDED_REVERSED"]) {
      expect(meaning(refund, after(eventCode, "failed", "refund")).kind).toBe("nothing");
    }
    const again = { reason: "Transaction Auto-recaptured" };
    expect(meaning(again, after("CAPTURE_FAILED", "failed", "capture")).kind).toBe("done");
    expect(told(again).id).not.toBe(told({}).id);
    // A failure of another cause does not hide that money moved.
    expect(meaning({}, after("167", "failed", "capture")).kind).toBe("done");
  });

  it("of an adjustment must be the total that was asked for", () => {
    const request = {
      method: "POST",
      path: "/",
      token: null,
      body: '{"amount":{"value":12000,"currency":"EUR"}}',
    } as const;
    const about = { kind: "increment", operation: { amount: 2_000n, request } } as const;
    const adjusted = (value: number): Told => ({
      eventCode: "AUTHORISATION_ADJUSTMENT",
      amount: { value, currency: "EUR" },
    });
    expect(meaning(adjusted(12_000), about)).toMatchObject({ kind: "done", amount: 2_000n });
    expect(meaning(adjusted(11_000), about).kind).toBe("unknown");
    const refused = { ...adjusted(12_000), success: "false", reason: "Not enough balance" } as const;
    expect(meaning(refused, about)).toMatchObject({
      kind: "failed",
      decline: { code: "insufficient_funds" },
    });
  });

  it("about another payment, or in another currency, proves nothing", () => {
    expect(meaning({ originalReference: "OTHER00000000082" }).kind).toBe("unknown");
    expect(meaning({ amount: { value: 4_000, currency: "USD" } }).kind).toBe("unknown");
  });

  it("about another kind of operation says nothing of this one", () => {
    for (const kind of ["authorize", "increment", "void", "expire", "refund", "authenticate"] as const) {
      expect(meaning({}, { kind }).kind, kind).toBe("nothing");
    }
    for (const eventCode of ["CHARGEBACK", "REPORT_AVAILABLE", "EXPIRE", "CANCEL_OR_REFUND", "constructor"]) {
      expect(meaning({ eventCode }, { kind: "capture" }).kind, eventCode).toBe("nothing");
    }
  });
});

describe("news of an authorization", () => {
  const success: Told = {
    eventCode: "AUTHORISATION",
    pspReference: PAYMENT,
    originalReference: undefined,
    additionalData: { authCode: "044925", refusalReasonRaw: "AUTHORISED" },
  };
  const refused: Told = { ...success, success: "false", reason: "Not enough balance" };
  const unnamed = { kind: "authorize", payment: { providerPayment: null } } as const;

  it("says what the bank said", () => {
    expect(meaning(success, unnamed)).toMatchObject({
      kind: "done",
      providerPayment: PAYMENT,
      captured: false,
      amount: 4_000n,
      expiresAt: expect.any(Date),
      details: { authorizationCode: "044925" },
    });
    expect(meaning(refused, unnamed)).toMatchObject({
      kind: "declined",
      decline: { code: "insufficient_funds", providerCode: "Refused:12" },
    });
  });

  it("that contradicts a success does not undo it; one that contradicts a failure is told", () => {
    expect(meaning(refused, { ...unnamed, state: "succeeded" }).kind).toBe("nothing");
    expect(meaning(success, { ...unnamed, state: "declined" }).kind).toBe("done");
  });

  it("a second time under one reference is noticed", () => {
    const other = { ...success, pspReference: "OTHER00000000082" };
    expect(meaning(other, { kind: "authorize", state: "succeeded" })).toMatchObject({
      kind: "unknown",
      because: expect.stringContaining("second"),
    });
  });

  it("that was called off by our reference has failed, unless it had succeeded", () => {
    const off: Told = { eventCode: "TECHNICAL_CANCEL" };
    expect(meaning(off, { kind: "authorize", state: "requires_action" })).toMatchObject({
      kind: "failed",
      decline: { code: "payer_absent" },
    });
    expect(meaning(off, { kind: "authorize", state: "succeeded" }).kind).toBe("nothing");
    expect(meaning({ ...off, success: "false" }, { kind: "authorize" }).kind).toBe("nothing");
    expect(meaning(off, { kind: "void" }).kind).toBe("done");
  });
});
