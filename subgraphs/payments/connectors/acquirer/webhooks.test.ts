import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import { webhooks } from "./webhooks.ts";

const NOW = new Date("2026-11-22T12:34:56Z");
const reference = "ref_0107_00112233445566778899aabbccddeeff00112233";
const payment: Payment = {
  ...samplePayment({ provider: "acquirer", phase: "open", authorized: 10_000n }),
  providerPayment: "RRN123456789",
  captured: 10_000n,
  refunding: 4_000n,
};
const refund = sampleOperation(payment, { kind: "refund", amount: 4_000n, reference });

const event = (overrides: object = {}): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      id: "evt_0000000000000001",
      type: "refund.completed",
      created: 1_800_000_000,
      reference,
      retrievalReference: "RRNREFUND001",
      amount: "000000004000",
      currency: "978",
      responseCode: "00",
      ...overrides,
    }),
  );
const nowSeconds = Math.floor(NOW.getTime() / 1000);
function signed(body: Uint8Array, secret: string, seconds = nowSeconds) {
  const mac = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest("hex");
  return { "tessera-signature": `t=${seconds},v1=${mac}` };
}
function answerTo(body: Uint8Array, operation: Operation) {
  const read = webhooks.read(signed(body, "s1"), body, ["s0", "s1"], NOW);
  if (!read.ok) throw new Error(read.error);
  return read.value[0]?.answer(operation, payment).kind;
}

describe("news of the acquirer's", () => {
  it("of a refund ends it, and of its return undoes it, in any order", () => {
    expect(answerTo(event(), refund)).toBe("done");
    expect(answerTo(event({ responseCode: "46" }), refund)).toBe("failed");
    expect(answerTo(event({ responseCode: "96" }), refund)).toBe("ask");
    const returned = event({ type: "refund.returned", responseCode: "46" });
    expect(answerTo(returned, { ...refund, state: "succeeded" })).toBe("reversed");
    // It came before the answer to the refund itself was recorded, which is then too late.
    expect(answerTo(returned, refund)).toBe("failed");
    expect(answerTo(returned, { ...refund, state: "reversed" })).toBe("nothing");
  });

  it("that does not fit what we asked for is looked up", () => {
    expect(answerTo(event({ amount: "000000004001" }), refund)).toBe("ask");
    expect(answerTo(event({ currency: "840" }), refund)).toBe("ask");
    expect(answerTo(event({ reference: "ref_0107_other" }), refund)).toBe("nothing");
    expect(answerTo(event({ type: "refund.unheard_of" }), refund)).toBe("nothing");
    expect(answerTo(event(), { ...refund, kind: "capture" })).toBe("nothing");
  });

  it("is refused five minutes after it was signed, or before", () => {
    const read = (at: number) => webhooks.read(signed(event(), "s1", at), event(), ["s1"], NOW).ok;
    expect([read(nowSeconds - 299), read(nowSeconds - 301), read(nowSeconds + 301)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("is not believed where a secret was left empty", () => {
    expect(webhooks.read(signed(event(), ""), event(), ["", "s1"], NOW).ok).toBe(false);
  });

  it("may carry several signatures, of which one is ours", () => {
    const other = signed(event(), "old")["tessera-signature"];
    const ours = signed(event(), "s1")["tessera-signature"].split(",")[1];
    const headers = { "tessera-signature": `${other},${ours}` };
    expect(webhooks.read(headers, event(), ["s1"], NOW).ok).toBe(true);
    expect(webhooks.read({ "tessera-signature": other }, event(), ["s1"], NOW).ok).toBe(false);
  });
});
