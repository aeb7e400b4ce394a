import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AcquirerWorld } from "../../../../test/sandbox/acquirer/acquirer-world.ts";
import { AcquirerSandboxControl } from "../../../../test/sandbox/acquirer/control-client.ts";
import { acquirer } from "../../../../test/sandbox/acquirer/dialect.ts";
import { type RunningSandbox, startSandbox } from "../../../../test/sandbox/kit/server.ts";
import type { Authentication } from "../../domain/authentication.ts";
import type { ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { directSend } from "../contract/direct-send.ts";
import { acquirerAccount } from "./account.ts";
import { createAcquirerConnector } from "./index.ts";

const authenticated: Authentication = {
  version: "2.2.0",
  transStatus: "Y",
  transStatusReason: null,
  eci: "05",
  cavv: "AAABBEg0VhI0VniQEjRWAAAAAAA=",
  dsTransaction: "11111111-2222-4333-8444-555555555555",
  acsTransaction: null,
  serverTransaction: "66666666-7777-4888-8999-000000000000",
  liabilityShift: true,
  challenged: false,
};
const options = (reference: string, overrides: Partial<AuthorizeOptions> = {}): AuthorizeOptions => ({
  cvcAvailable: true,
  authentication: null,
  exemption: null,
  stored: null,
  returnUrl: null,
  webhookUrl: null,
  payer: { ip: null, country: null, email: null },
  ...overrides,
  reference,
});

describe("with the acquirer", () => {
  let sandbox: RunningSandbox<AcquirerWorld>;
  let control: AcquirerSandboxControl;
  const live = createAcquirerConnector();
  const send = (
    request: ProviderRequest | null | undefined,
    reference: string,
    number = "4242424242424242",
  ) => {
    if (!request) throw new Error("there is nothing to send");
    const full = { number, expMonth: 12, expYear: 2035, cvc: "123" };
    const account = acquirerAccount({ baseUrl: sandbox.url, keyId: "ak_1", secret: "s" });
    return directSend(account, () => full, 1_000)(request, reference);
  };

  beforeAll(async () => {
    sandbox = await startSandbox(acquirer, { port: 0, apiKey: "ak_1:s" });
    control = new AcquirerSandboxControl(sandbox.url);
    await control.settings({ refundDelayMs: 60 });
  });
  afterEach(() => control.clearFaults());
  afterAll(() => sandbox.stop());

  let counted = 0;
  const newReference = (): string => `ref_0107_${String(++counted).padStart(40, "0")}`;
  async function authorize(
    number: string,
    overrides: Partial<AuthorizeOptions> = {},
    payment = samplePayment(),
  ) {
    const own = newReference();
    const request = live.authorize(payment, options(own, overrides));
    const operation = sampleOperation(payment, { reference: own, request });
    const answer = live.answer(operation, payment, await send(request, own, number), true);
    return { operation, answer, payment };
  }

  it("a card that wants its holder authenticated pays with the proof, or as the merchant's own payment", async () => {
    const always = "4000002760003184";
    const soft = { kind: "declined", decline: { code: "authentication_required" } };
    expect((await authorize(always)).answer).toMatchObject(soft);
    expect((await authorize(always, { exemption: "low_value" })).answer).toMatchObject(soft);
    expect((await authorize("4000002500003155", { exemption: "low_value" })).answer.kind).toBe("done");
    const first = await authorize(always, {
      authentication: authenticated,
      stored: { initiator: "customer", reason: "recurring", first: true, networkTransactionId: null },
    });
    expect(first.answer).toMatchObject({ kind: "done", details: { eci: "05", liabilityShift: true } });
    if (first.answer.kind !== "done") return;
    const networkTransactionId = first.answer.details?.networkTransactionId ?? null;
    const stored = {
      initiator: "merchant",
      reason: "recurring",
      first: false,
      networkTransactionId,
    } as const;
    expect((await authorize(always, { stored })).answer.kind).toBe("done");
    const unnamed = { ...stored, networkTransactionId: null };
    expect((await authorize(always, { stored: unnamed })).answer).toMatchObject({ kind: "failed" });
  });

  it("what contradicts itself is unknown, and its look-up tells", async () => {
    await control.faults({
      match: { method: "POST" },
      times: 1,
      fault: { kind: "quirk", quirk: "answer_96" },
    });
    const { operation, answer, payment } = await authorize("4242424242424242");
    expect(answer.kind).toBe("unknown");
    const found = live.found(operation, payment, await send(live.lookup(operation, payment), ""));
    expect(found.kind).toBe("done");
  });

  it("an approval of less than was asked is never taken for one, and can be reversed", async () => {
    const quirk = { kind: "quirk", quirk: "unasked_partial_approval" } as const;
    await control.faults({ match: { method: "POST" }, times: 1, fault: quirk });
    const { operation, answer, payment } = await authorize("4242424242424242");
    expect(answer.kind).toBe("unknown");
    const found = live.found(operation, payment, await send(live.lookup(operation, payment), ""));
    expect(found.kind).toBe("unknown");
    const reversal = live.resolver.reverse?.(operation, payment);
    const undone = live.answer({ ...operation, kind: "void" }, payment, await send(reversal, "r"), false);
    expect(undone.kind).toBe("done");
    const { movements } = await control.book({ reference: operation.reference });
    expect(movements.map(({ kind, amount }) => [kind, amount])).toEqual([
      ["authorized", 5_000],
      ["released", 5_000],
    ]);
  });

  it("a refund that is in progress is accepted, and its look-up tells the end", async () => {
    const sale = samplePayment({ captureMethod: "automatic" });
    const { answer } = await authorize("4000000000007726", {}, sale);
    if (answer.kind !== "done") throw new Error(answer.kind);
    const paid: Payment = {
      ...sale,
      phase: "open",
      captured: 10_000n,
      providerPayment: answer.providerPayment,
    };
    const own = newReference();
    const request = live.refund(paid, { amount: 10_000n, reference: own });
    const operation = sampleOperation(paid, { kind: "refund", reference: own, request });
    expect(live.answer(operation, paid, await send(request, own), true).kind).toBe("accepted");
    const look = async () => live.found(operation, paid, await send(live.lookup(operation, paid), own)).kind;
    expect(await look()).toBe("accepted");
    await expect.poll(look, { timeout: 2_000, interval: 20 }).toBe("done");
  });

  it("a wrong key or a request of long ago is refused unread", async () => {
    const payment = samplePayment();
    const request = live.authorize(payment, options(newReference()));
    const card = () => ({ number: "4242424242424242", expMonth: 12, expYear: 2035, cvc: "123" });
    const settings = { baseUrl: sandbox.url, keyId: "ak_1", secret: "s" };
    const ago = (seconds: number) => () => new Date(Date.now() - seconds * 1000);
    for (const [account, code] of [
      [acquirerAccount({ ...settings, secret: "other" }), "unauthorized"],
      [acquirerAccount({ ...settings, now: ago(130) }), "stale"],
    ] as const) {
      const response = await directSend(account, card, 1_000)(request, "r");
      expect(response).toMatchObject({ status: 401 });
      expect(response.kind === "http" && response.body).toContain(code);
    }
    const late = directSend(acquirerAccount({ ...settings, now: ago(100) }), card, 1_000);
    expect(await late(request, "r")).toMatchObject({ status: 200 });
  });
});
