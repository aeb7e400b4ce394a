import { AdyenSandboxControl } from "../../../../test/sandbox/adyen/control-client.ts";
import { adyen } from "../../../../test/sandbox/adyen/dialect.ts";
import { refusingCard } from "../../../../test/sandbox/adyen/test-cards.ts";
import { SANDBOX_HMAC_KEY } from "../../../../test/sandbox/adyen/world.ts";
import { startSandbox } from "../../../../test/sandbox/kit/server.ts";
import type { DeclineCode } from "../../domain/decline.ts";
import type { Card } from "../../domain/payment.ts";
import { sampleTerms } from "../../domain/samples.ts";
import { directSend, type FullCard } from "../contract/direct-send.ts";
import { startWebhookReceiver } from "../contract/receiver.ts";
import { type ContractWorld, connectorContract } from "../contract.ts";
import { adyenAccount, createAdyenConnector } from "./index.ts";

/** The contract, against the sandbox, of an account that can capture several times. */

const API_KEY = "adyen_test_sandbox";
const DEADLINE_MS = 300;

const APPROVED: Readonly<Record<string, string>> = {
  visa: "4242424242424242",
  mastercard: "5555555555554444",
  amex: "378282246310005",
  discover: "6011111111111117",
};
const REFUND_RETURNED = "4000000000005126";

const DECLINES: readonly (readonly [number: string, code: DeclineCode])[] = [
  ["4000000000000002", "generic_decline"],
  ["4000000000009995", "insufficient_funds"],
  ["4000000000009987", "lost_card"],
  ["4000000000009979", "stolen_card"],
  ["4000000000000069", "expired_card"],
  ["4000000000000127", "incorrect_cvc"],
  ["4000000000000119", "processing_error"],
  ["4100000000000019", "blocked_by_risk"],
  ["4000002760003184", "authentication_required"],
  [refusingCard("8"), "incorrect_number"],
  [refusingCard("9"), "issuer_unavailable"],
  [refusingCard("22"), "blocked_by_risk"],
  [refusingCard("26"), "stored_credential_revoked"],
  [refusingCard("28"), "limit_exceeded"],
  [refusingCard("31"), "suspected_fraud"],
  [refusingCard("32"), "incorrect_address"],
  [refusingCard("42"), "authentication_failed"],
  [refusingCard("46"), "generic_decline"],
];

/** Cards by the token that stands for them. */
const numbers = new Map<string, string>();

function cardOf(number: string, brand = "visa"): Card {
  const token = `tok_01_${number.padStart(32, "0")}`;
  numbers.set(token, number);
  return { ...sampleTerms().card, token, brand, bin: number.slice(0, 8), last4: number.slice(-4) };
}

function fullCard(token: string): FullCard {
  const number = numbers.get(token) ?? APPROVED["visa"] ?? "";
  return { number, expMonth: 3, expYear: 2030, cvc: /^3[47]/.test(number) ? "1234" : "123" };
}

async function startAdyenWorld(): Promise<ContractWorld> {
  const connector = createAdyenConnector({
    merchantAccount: "TesseraECOM",
    returnUrl: "https://pay.tessera.example/return",
    multipleCaptures: true,
  });
  const receiver = await startWebhookReceiver({ status: 200, body: "[accepted]" });
  const sandbox = await startSandbox(adyen, { port: 0, apiKey: API_KEY, webhookUrl: receiver.url });
  const control = new AdyenSandboxControl(sandbox.url);
  await control.settings({ lateFailureMs: 100 });
  return {
    connector,
    send: directSend(adyenAccount({ baseUrl: `${sandbox.url}/v72`, apiKey: API_KEY }), fullCard, DEADLINE_MS),
    deadlineMs: DEADLINE_MS,
    card(character, brand = "visa") {
      const number = character === "approved" ? APPROVED[brand] : REFUND_RETURNED;
      return number === undefined ? null : cardOf(number, brand);
    },
    declines: DECLINES.map(([number, code]) => ({ card: cardOf(number), code })),
    fault: async (fault) => void (await control.faults({ fault, times: 1 })),
    clearFaults: () => control.clearFaults(),
    async book(reference) {
      const { payments } = await control.book({ reference });
      const all = Object.values(payments);
      const sum = (pick: (totals: (typeof all)[number]) => number): bigint =>
        BigInt(all.reduce((total, totals) => total + pick(totals), 0));
      return {
        authorizations: all.length,
        authorized: sum(({ authorized }) => authorized),
        captured: sum(({ captured }) => captured),
        released: sum(({ released }) => released),
        refunded: sum(({ refunded, refund_failed }) => refunded - refund_failed),
      };
    },
    payer: null,
    webhooks: {
      url: receiver.url,
      secrets: [SANDBOX_HMAC_KEY],
      signed: true,
      signsTime: false,
      deliveries: receiver.deliveries,
      twice: async (on) => void (await control.settings({ webhooks: { duplicateProbability: on ? 1 : 0 } })),
    },
    async stop() {
      await sandbox.stop();
      await receiver.stop();
    },
  };
}

connectorContract("adyen", { start: startAdyenWorld });
