import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { answerBank, payByCard, pickOutcome } from "../../../../test/sandbox/mollie/control-client.ts";
import { FAILURE_REASONS } from "../../../../test/sandbox/mollie/failure-reasons.ts";
import { MAGIC_CARDS } from "../../../../test/sandbox/mollie/test-cards.ts";
import { API_KEY, type Harness, startHarness } from "../../../../test/sandbox/mollie/test-harness.ts";
import { DECLINE_CODES } from "../../domain/decline.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { StoredAtProvider, StoredCredential } from "../../domain/stored-credential.ts";
import type { AuthorizeOptions, LookupAnswer, Send } from "../connector.ts";
import { directSend } from "../contract/direct-send.ts";
import { createMollieConnector, mollieAccount } from "./index.ts";
import { REFERENCE_FIELD } from "./requests.ts";

/** What the contract of all connectors does not know of: pages, mandates, lists. */
const connector = createMollieConnector({ storesCards: true });
let harness: Harness;
let send: Send;
beforeAll(async () => {
  harness = await startHarness();
  const account = mollieAccount({ baseUrl: harness.running.url, apiKey: API_KEY });
  send = directSend(account, () => Promise.reject(new Error("no cards")) as never, 1_000);
});
afterEach(() => harness.control.reset());
afterAll(() => harness.running.stop());

const newReference = (): string => `ref_0107_${randomBytes(20).toString("hex")}`;

type Asked = { readonly payment: Payment; readonly operation: Operation; readonly answer: ProviderAnswer };

async function ask(stored: StoredCredential | null = null, overrides: Partial<Payment> = {}): Promise<Asked> {
  const reference = newReference();
  const present = stored?.initiator !== "merchant";
  const options: AuthorizeOptions = {
    reference,
    cvcAvailable: false,
    authentication: null,
    exemption: null,
    stored,
    returnUrl: present ? "https://shop.example/return" : null,
    webhookUrl: null,
    payer: { ip: null, country: null, email: null },
  };
  const fresh = samplePayment({ provider: "mollie", ...overrides });
  const request = connector.authorize(fresh, options);
  const now = new Date();
  const operation = sampleOperation(fresh, { reference, request, claimedAt: now, lastSentAt: now });
  const answer = connector.answer(operation, fresh, await send(request, reference), true);
  const named = "providerPayment" in answer ? answer.providerPayment : null;
  return { payment: { ...fresh, providerPayment: named }, operation, answer };
}

async function look({ payment, operation }: Pick<Asked, "payment" | "operation">): Promise<LookupAnswer> {
  const request = connector.lookup(operation, payment);
  if (request === null) throw new Error("nothing to look at");
  return connector.found(operation, payment, await send(request, operation.reference));
}

function pageOf({ answer }: Asked): string {
  if (answer.kind !== "requires_action" || answer.action.type !== "redirect") throw new Error(answer.kind);
  return answer.action.url;
}

describe("a payer on Mollie's page", () => {
  it("proves who they are, and the issuer bears fraud", async () => {
    const asked = await ask();
    const { redirectTo } = await payByCard(pageOf(asked), { number: "4000000000003220" });
    expect(await look(asked)).toMatchObject({ kind: "requires_action" });
    await answerBank(String(redirectTo), "succeed");
    expect(await look(asked)).toMatchObject({
      kind: "done",
      captured: false,
      amount: 10_000n,
      details: { eci: "05", liabilityShift: true, funding: "credit", issuerCountry: "IE" },
    });
  });

  it.each(FAILURE_REASONS)("is declined: %s", async (reason) => {
    const asked = await ask();
    await payByCard(pageOf(asked), { number: MAGIC_CARDS[reason] });
    const seen = await look(asked);
    expect(seen).toMatchObject({ kind: "declined", decline: { providerCode: reason } });
    if (seen.kind === "declined") expect(Object.keys(DECLINE_CODES)).toContain(seen.decline.code);
  });

  it.each(["canceled", "expired"] as const)("who lets it be %s was absent", async (outcome) => {
    const asked = await ask();
    await pickOutcome(pageOf(asked), { outcome });
    expect(await look(asked)).toMatchObject({ kind: "failed", decline: { code: "payer_absent" } });
  });

  it("who pays while it is called off has paid: the cancel is refused, and the look-up tells", async () => {
    const asked = await ask();
    await payByCard(pageOf(asked), { number: "4242424242424242" });
    await harness.control.settings({ cancelOpen: false });
    const open = await ask();
    for (const [{ payment, operation }, expected] of [
      [asked, "done"],
      [open, "requires_action"],
    ] as const) {
      const cancel = connector.cancelAction(operation, payment, { reference: newReference() });
      if (cancel === null) throw new Error("no cancel");
      const voided = sampleOperation(payment, { kind: "void", request: cancel });
      const response = await send(cancel, voided.reference);
      expect(response).toMatchObject({ kind: "http" });
      expect(["unknown", "done"]).toContain(connector.answer(voided, payment, response, true).kind);
      if (expected === "requires_action") expect((await look({ payment, operation })).kind).toBe(expected);
    }
  });

  it("and a status that contradicts itself settles once Mollie says the truth", async () => {
    const asked = await ask();
    await payByCard(pageOf(asked), { number: "4242424242424242" });
    const parameters = { status: "pending" };
    await harness.control.faults({
      times: 1,
      fault: { kind: "quirk", quirk: "contradict_status", parameters },
    });
    expect((await look(asked)).kind).toBe("accepted");
    expect((await look(asked)).kind).toBe("done");
  });
});

describe("a payment without the payer", () => {
  const stored = (initiator: "customer" | "merchant", atProvider: StoredAtProvider): StoredCredential => ({
    initiator,
    reason: "unscheduled",
    first: initiator === "customer",
    networkTransactionId: null,
    atProvider,
  });

  async function storedCard(number = "4242424242424242"): Promise<StoredAtProvider> {
    const { customers } = connector;
    if (customers === undefined) throw new Error("no customers");
    const request = customers.create({ name: "A. Payer", email: null });
    const customer = customers.created(await send(request, newReference()));
    if (customer === null) throw new Error("no customer");
    const asked = await ask(stored("customer", { customer, mandate: null }));
    await payByCard(pageOf(asked), { number });
    const seen = await look(asked);
    if (seen.kind !== "done" || !seen.details?.atProvider) throw new Error(`not stored: ${seen.kind}`);
    return seen.details.atProvider;
  }

  it("charges the stored card at once", async () => {
    const atProvider = await storedCard();
    expect(atProvider).toMatchObject({ customer: /^cst_/.exec(atProvider.customer) && atProvider.customer });
    const { answer } = await ask(stored("merchant", atProvider), { captureMethod: "automatic" });
    expect(answer).toMatchObject({ kind: "done", captured: true, amount: 10_000n });
  });

  it("is declined at once, pending for a while, or without its mandate", async () => {
    const refused = await storedCard("4000000000000341");
    expect((await ask(stored("merchant", refused))).answer).toMatchObject({
      kind: "declined",
      decline: { code: "generic_decline" },
    });
    await harness.control.faults({ times: 1, fault: { kind: "processing", afterMs: 40 } });
    const pending = await ask(stored("merchant", refused));
    expect(pending.answer).toMatchObject({
      kind: "accepted",
      providerOperation: pending.payment.providerPayment,
    });
    const { customer, mandate } = refused;
    await harness.call("DELETE", `/v2/customers/${customer}/mandates/${mandate}`);
    expect((await ask(stored("merchant", refused))).answer).toMatchObject({
      kind: "failed",
      decline: { code: "stored_credential_revoked" },
    });
    const nobody = await ask({ ...stored("merchant", refused), atProvider: null });
    expect(nobody.answer).toMatchObject({ kind: "failed", decline: { code: "provider_refused" } });
  });

  it("whose answer is lost is charged once: the replay and the list find it", async () => {
    const atProvider = await storedCard();
    await harness.control.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    const lost = await ask(stored("merchant", atProvider));
    expect(lost.answer.kind).toBe("unknown");
    const { operation, payment } = lost;
    expect((await look(lost)).kind).toBe("done");
    if (operation.request === null) throw new Error("no request");
    const again = await send(operation.request, operation.reference);
    expect(connector.answer(operation, payment, again, false).kind).toBe("done");
    const book = await harness.control.book({ metadata: { [REFERENCE_FIELD]: operation.reference } });
    expect(book.movements.filter(({ kind }) => kind === "authorized")).toHaveLength(1);
  });

  it("that is hidden behind newer ones is not taken for absent once the key is forgotten", async () => {
    const atProvider = await storedCard();
    await harness.control.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    const lost = await ask(stored("merchant", atProvider));
    await harness.control.settings({ maxPageSize: 2 });
    for (let newer = 0; newer < 3; newer++) await harness.create();
    // While Mollie knows the key, the replay will tell.
    expect((await look(lost)).kind).toBe("absent");
    const claimedAt = new Date(Date.now() - 3_600_000);
    const later = { ...lost.operation, claimedAt };
    expect((await look({ ...lost, operation: later })).kind).toBe("unknown");
  });
});

describe("a refund", () => {
  it("that comes back has failed, and the money is the merchant's again", async () => {
    const asked = await ask(null, { captureMethod: "automatic" });
    await payByCard(pageOf(asked), { number: "4000000000005126" });
    const payment: Payment = { ...asked.payment, phase: "open", captured: 10_000n };
    const reference = newReference();
    const request = connector.refund(payment, { amount: 4_000n, reference });
    const operation = sampleOperation(payment, { kind: "refund", amount: 4_000n, reference, request });
    const first = connector.answer(operation, payment, await send(request, reference), true);
    expect(first.kind).toBe("accepted");
    await expect
      .poll(() => look({ payment, operation }))
      .toMatchObject({
        kind: "failed",
        decline: { code: "refund_returned" },
      });
  });

  it("of an amount that was refunded lately is a conflict, which proves nothing; the list tells", async () => {
    await harness.control.settings({ duplicateRefundWindowMs: 60_000 });
    const asked = await ask(null, { captureMethod: "automatic" });
    await payByCard(pageOf(asked), { number: "4242424242424242" });
    const payment: Payment = { ...asked.payment, phase: "open", captured: 10_000n };
    const refund = async () => {
      const reference = newReference();
      const request = connector.refund(payment, { amount: 4_000n, reference });
      const operation = sampleOperation(payment, { kind: "refund", amount: 4_000n, reference, request });
      const answer = connector.answer(operation, payment, await send(request, reference), true);
      return { answer: answer.kind, seen: (await look({ payment, operation })).kind };
    };
    expect(await refund()).toEqual({ answer: "accepted", seen: "accepted" });
    expect(await refund()).toEqual({ answer: "unknown", seen: "absent" });
  });
});
