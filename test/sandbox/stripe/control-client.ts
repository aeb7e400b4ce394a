/**
 * The control API from the test's side.
 */

import type { BookView } from "./book.ts";
import type { ActiveRule, FaultRule } from "./faults.ts";
import { encodeForm } from "./form.ts";
import type { HistoryEntry } from "./history.ts";
import type { Settings } from "./settings.ts";

export class StripeSandboxControl {
  readonly #url: string;

  /** `url` is where the sandbox listens, for example `http://127.0.0.1:8181`. */
  constructor(url: string) {
    this.#url = `${url}/_sandbox`;
  }

  async faults(...rules: FaultRule[]): Promise<readonly ActiveRule[]> {
    return (await this.#call<{ rules: ActiveRule[] }>("PUT", "/faults", rules)).rules;
  }

  async clearFaults(): Promise<void> {
    await this.#call("DELETE", "/faults");
  }

  settings(change: Partial<Settings>): Promise<Settings> {
    return this.#call("PUT", "/settings", change);
  }

  expireKeys(): Promise<{ expired: number }> {
    return this.#call("POST", "/idempotency-keys/expire");
  }

  async reset(): Promise<void> {
    await this.#call("POST", "/reset");
  }

  /** Writes the request log to disk. */
  async flush(): Promise<void> {
    await this.#call("POST", "/flush");
  }

  book(
    filter: { metadata?: Record<string, string>; payment_intent?: string; since?: number } = {},
  ): Promise<BookView> {
    return this.#call("GET", `/book?${encodeForm(filter)}`);
  }

  requests(since = 0): Promise<{ received: number; forgotten: number; requests: HistoryEntry[] }> {
    return this.#call("GET", `/requests?since=${since}`);
  }

  /** Ends the 3D Secure authentication that a payment intent waits for; gives the payment intent. */
  authenticate(paymentIntent: string, outcome: "succeed" | "fail"): Promise<{ status: string }> {
    return this.#call("POST", `/3ds/${paymentIntent}`, { outcome });
  }

  /** Throws an `Error` with the answer's text where the sandbox refuses. */
  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`sandbox control ${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
}
