import { randomUUID } from "node:crypto";
import { Pool } from "undici";
import { startStripeSandbox } from "../sandbox/stripe/server.ts";
import { AMOUNT } from "./rows/payments-api.ts";
import { median } from "./statistics.ts";

/** The provider without Tessera: what our connector asks of it, sent straight to the sandbox. */
export type DirectProvider = {
  /** Gives the payment intent's id and the answer as it came. */
  authorize(): Promise<{ readonly id: string; readonly body: string }>;
  capture(id: string): Promise<{ readonly id: string; readonly body: string }>;
  close(): Promise<void>;
};

export function directProvider(sandboxUrl: string, secretKey: string): DirectProvider {
  const pool = new Pool(sandboxUrl, { connections: 1, pipelining: 1 });
  const post = async (path: string, form: URLSearchParams) => {
    const response = await pool.request({
      method: "POST",
      path,
      headers: {
        authorization: `Bearer ${secretKey}`,
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": randomUUID(),
      },
      body: form.toString(),
    });
    const body = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`the sandbox refuses a direct request: ${body}`);
    return { id: (JSON.parse(body) as { id: string }).id, body };
  };
  return {
    authorize: () => post("/v1/payment_intents", intentForm("4242424242424242")),
    capture: (id) =>
      post(
        `/v1/payment_intents/${id}/capture`,
        new URLSearchParams({ amount_to_capture: String(AMOUNT.amount) }),
      ),
    close: () => pool.close(),
  };
}

/** A card's authorization as our connector writes it; `number` may be the placeholder that the vault fills. */
export function intentForm(number: string, month = "12", year = "2040"): URLSearchParams {
  return new URLSearchParams({
    amount: String(AMOUNT.amount),
    currency: AMOUNT.currency.toLowerCase(),
    confirm: "true",
    capture_method: "manual",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    error_on_requires_action: "true",
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": number,
    "payment_method_data[card][exp_month]": month,
    "payment_method_data[card][exp_year]": year,
    "metadata[tessera_reference]": randomUUID(),
    "expand[0]": "latest_charge",
  });
}

const PAIRS = 60;

/**
 * The provider's own time for one payment, in ms: what the sandbox takes to authorize and to capture when it is
 * asked directly, one request at a time, while nothing else runs. That is the least it can be: under load it waits
 * for a core like everybody else, and that waiting is left to our account.
 */
export async function timeProvider(sandboxUrl: string, secretKey: string): Promise<number> {
  const provider = directProvider(sandboxUrl, secretKey);
  try {
    const times: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const from = performance.now();
      await provider.capture((await provider.authorize()).id);
      times.push(performance.now() - from);
    }
    return median(times.slice(PAIRS / 3)); // the first are for warming up
  } finally {
    await provider.close();
  }
}

/** What the sandbox answers to an authorization and to its capture, for doubles that answer at once. */
export async function recordAnswers(): Promise<{ readonly authorized: string; readonly captured: string }> {
  const apiKey = "sk_test_recording";
  const running = await startStripeSandbox({ port: 0, apiKey });
  const provider = directProvider(running.url, apiKey);
  try {
    const { id, body: authorized } = await provider.authorize();
    return { authorized, captured: (await provider.capture(id)).body };
  } finally {
    await provider.close();
    await running.stop();
  }
}
