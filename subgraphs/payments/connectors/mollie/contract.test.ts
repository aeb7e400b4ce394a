import { afterAll, beforeAll, describe } from "vitest";
import {
  type MollieSandboxControl,
  payByCard,
  pickOutcome,
} from "../../../../test/sandbox/mollie/control-client.ts";
import { API_KEY, startHarness } from "../../../../test/sandbox/mollie/test-harness.ts";
import { directSend } from "../contract/direct-send.ts";
import { news } from "../contract/news.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../contract/receiver.ts";
import { type ContractWorld, connectorContract } from "../contract.ts";
import { createMollieConnector, mollieAccount } from "./index.ts";
import { REFERENCE_FIELD } from "./requests.ts";

const DEADLINE_MS = 250;
/** The sandbox's own delays, in ms. */
const FAST = { captureDelayMs: 15, releaseDelayMs: 15, refundDelayMs: 30 };
const SECRET = "sandbox-webhook-secret";

/** `classic`: unsigned hints to each payment's address. `next`: signed events to a subscriber's address. */
async function startWorld(kind: "classic" | "next"): Promise<ContractWorld> {
  const { running, control } = await startHarness();
  const receiver = await startWebhookReceiver({ status: 200, body: "" });
  await control.settings({ ...FAST, ...(kind === "next" ? { webhooks: { url: receiver.url } } : {}) });
  const connector = createMollieConnector();
  return {
    connector,
    send: directSend(mollieAccount({ baseUrl: running.url, apiKey: API_KEY }), noCards, DEADLINE_MS),
    deadlineMs: DEADLINE_MS,
    card: () => null,
    declines: [],
    async fault(fault) {
      const rule = (method: string) => ({ match: { method }, times: 1, fault });
      await control.faults(rule("POST"), rule("DELETE"));
    },
    clearFaults: () => control.clearFaults(),
    book: (reference) => bookOf(control, reference),
    async payer(action, does) {
      if (action.type !== "redirect") throw new Error("Mollie only ever redirects");
      if (does === "pays") await payByCard(action.url, { number: "4242424242424242" });
      else await pickOutcome(action.url, { outcome: "failed", failureReason: "insufficient_funds" });
    },
    webhooks: webhookWorld(kind, control, receiver),
    async stop() {
      await running.stop();
      await receiver.stop();
    },
  };
}

const noCards = (): never => {
  throw new Error("Mollie asks for the card itself");
};

function webhookWorld(
  kind: "classic" | "next",
  control: MollieSandboxControl,
  { url, deliveries }: WebhookReceiver,
): ContractWorld["webhooks"] {
  return {
    // For `next` each payment's own address leads nowhere.
    url: kind === "classic" ? url : "http://127.0.0.1:9/",
    secrets: [SECRET],
    signed: kind === "next",
    signsTime: false,
    deliveries,
    async twice(on) {
      await control.settings({ webhooks: { duplicateProbability: on ? 1 : 0 } });
    },
  };
}

async function bookOf(control: MollieSandboxControl, reference: string) {
  const { movements } = await control.book({ metadata: { [REFERENCE_FIELD]: reference } });
  const sum = (kind: string): bigint =>
    movements.filter((move) => move.kind === kind).reduce((total, { amount }) => total + BigInt(amount), 0n);
  const totals = { authorized: sum("authorized"), captured: sum("captured"), released: sum("released") };
  return {
    ...totals,
    authorizations: movements.filter(({ kind }) => kind === "authorized").length,
    refunded: sum("refunded") - sum("refund_failed"),
    held: totals.authorized - totals.captured - totals.released,
  };
}

connectorContract("mollie", { start: () => startWorld("classic") });

// All but the news is the same with them.
describe("the contract of connectors, kept by mollie, with next-generation webhooks", () => {
  let world: ContractWorld | undefined;
  beforeAll(async () => {
    world = await startWorld("next");
  });
  afterAll(() => world?.stop());
  news(() => {
    if (world === undefined) throw new Error("the world did not start");
    return world;
  });
});
