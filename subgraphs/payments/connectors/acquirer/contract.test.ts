import { AcquirerSandboxControl } from "../../../../test/sandbox/acquirer/control-client.ts";
import { acquirer } from "../../../../test/sandbox/acquirer/dialect.ts";
import { numberForCode } from "../../../../test/sandbox/acquirer/test-cards.ts";
import { startSandbox } from "../../../../test/sandbox/kit/server.ts";
import type { DeclineCode } from "../../domain/decline.ts";
import type { Card } from "../../domain/payment.ts";
import { sampleTerms } from "../../domain/samples.ts";
import { directSend, type FullCard } from "../contract/direct-send.ts";
import { startWebhookReceiver } from "../contract/receiver.ts";
import { type ContractBook, type ContractWorld, connectorContract } from "../contract.ts";
import { acquirerAccount } from "./account.ts";
import { createAcquirerConnector } from "./index.ts";

const SECRET = "acquirer-test-secret";
const WEBHOOK_SECRET = "webhook-secret-of-the-acquirer";
const DEADLINE_MS = 250;

const APPROVED: Readonly<Record<string, string>> = {
  visa: "4242424242424242",
  mastercard: "5555555555554444",
  amex: "378282246310005",
};

/** One for each of the acquirer's declines that a card can show. */
const DECLINES: Readonly<Record<string, DeclineCode>> = {
  "4000000000000002": "generic_decline",
  "4000000000009995": "insufficient_funds",
  "4000000000000069": "expired_card",
  "4000000000000127": "incorrect_cvc",
  "4000000000000119": "processing_error",
  "4000002760003184": "authentication_required",
  "4242424242424241": "incorrect_number",
  [numberForCode("91")]: "issuer_unavailable",
  [numberForCode("R1")]: "stored_credential_revoked",
  [numberForCode("46")]: "closed_account",
};

/** Tokens are the card's number backwards: the vault's part in these tests. */
const cardOf = (number: string, brand = "visa"): Card => ({
  ...sampleTerms().card,
  token: `tok_${Array.from(number).reverse().join("")}`,
  brand,
  bin: number.slice(0, 8),
  last4: number.slice(-4),
});
const fullCard = (token: string): FullCard => {
  const number = Array.from(token.slice(4)).reverse().join("");
  return { number, expMonth: 12, expYear: 2035, cvc: number.startsWith("37") ? "1234" : "123" };
};

async function start(): Promise<ContractWorld> {
  const sandbox = await startSandbox(acquirer, { port: 0, apiKey: `ak_1:${SECRET}` });
  const control = new AcquirerSandboxControl(sandbox.url);
  const connector = createAcquirerConnector({ profile: { merchantCategory: "5812" } });
  const receiver = await startWebhookReceiver({ status: 200, body: "" });
  await control.settings({ refundDelayMs: 50, webhooks: { url: receiver.url, secret: WEBHOOK_SECRET } });
  const account = acquirerAccount({ baseUrl: sandbox.url, keyId: "ak_1", secret: SECRET });
  return {
    connector,
    send: directSend(account, fullCard, DEADLINE_MS),
    deadlineMs: DEADLINE_MS,
    card: (character, brand = "visa") => {
      if (character === "refund_returned") return cardOf("4000000000005126");
      const number = APPROVED[brand];
      return number === undefined ? null : cardOf(number, brand);
    },
    declines: Object.entries(DECLINES).map(([number, code]) => ({ card: cardOf(number), code })),
    fault: async (order) => {
      await control.faults({ match: { method: "POST" }, times: 1, fault: order });
    },
    clearFaults: () => control.clearFaults(),
    book: async (reference): Promise<ContractBook> => {
      const { movements } = await control.book({ reference });
      const sum = (kind: string): bigint =>
        movements
          .filter((one) => one.kind === kind)
          .reduce((total, { amount }) => total + BigInt(amount), 0n);
      return {
        authorizations: new Set(movements.map(({ payment }) => payment)).size,
        authorized: sum("authorized"),
        captured: sum("captured"),
        released: sum("released"),
        refunded: sum("refunded") - sum("refund_failed"),
      };
    },
    payer: null,
    webhooks: {
      url: receiver.url,
      secrets: [WEBHOOK_SECRET],
      signed: true,
      signsTime: true,
      deliveries: receiver.deliveries,
      twice: async (on) => {
        await control.settings({ webhooks: { duplicateProbability: on ? 1 : 0 } });
      },
    },
    stop: async () => {
      await receiver.stop();
      await sandbox.stop();
    },
  };
}

connectorContract("the acquirer", { start });
