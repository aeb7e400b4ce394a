import { err, ok, type Result } from "../../../subgraphs/kernel/result.ts";
import { readLimited } from "../../limits/body.ts";
import { maskAnswer, maskNumber } from "./card-number.ts";
import { headersFromProvider } from "./headers.ts";

const MAX_RESPONSE_BYTES = 1024 * 1024;
/** Statuses that by definition have no body (Fetch, section 2.2.3): a Response refuses one. */
const BODILESS = new Set([204, 205]);

export type SendFailure = {
  readonly code: "PROVIDER_UNREACHABLE" | "PROVIDER_TIMEOUT" | "REDIRECT_REFUSED" | "RESPONSE_TOO_LARGE";
};

export type ProviderRequest = {
  readonly url: URL;
  readonly headers: [string, string][];
  readonly body: string;
};

/**
 * Sends once, never again: only the region knows whether a request may be repeated. The deadline covers the
 * answer's body too. A redirect is not followed, since it would carry the card to wherever the answer says.
 * The card's number is masked wherever the answer repeats it.
 */
export async function sendToProvider(
  request: ProviderRequest,
  cardNumber: string,
  timeoutMs: number,
): Promise<Result<Response, SendFailure>> {
  const { url, headers, body } = request;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    if (answer.status >= 300 && answer.status < 400) {
      await answer.body?.cancel();
      return err({ code: "REDIRECT_REFUSED" });
    }
    const read = await readLimited(answer.body, MAX_RESPONSE_BYTES);
    if (!read.ok) return err({ code: "RESPONSE_TOO_LARGE" });
    const text = maskAnswer(new TextDecoder().decode(read.value), cardNumber);
    const passed = headersFromProvider(answer.headers).map(
      ([name, value]) => [name, maskNumber(value, cardNumber)] as [string, string],
    );
    const { status } = answer;
    return ok(new Response(BODILESS.has(status) ? null : text, { status, headers: passed }));
  } catch {
    // The cause is dropped on purpose: a runtime's message may quote what was being sent.
    return err({ code: signal.aborted ? "PROVIDER_TIMEOUT" : "PROVIDER_UNREACHABLE" });
  }
}
