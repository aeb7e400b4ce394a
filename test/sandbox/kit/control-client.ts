/**
 * The control API from the test's side. A provider's own client extends it by its own controls.
 */

import type { BookFilter, BookView } from "./book.ts";
import type { ActiveRule, FaultRule } from "./faults.ts";
import type { HistoryView } from "./history.ts";
import type { SettingsChange } from "./settings.ts";
import type { WebhooksView } from "./webhooks.ts";
import type { World } from "./world.ts";

export class SandboxControl<T extends World> {
  readonly #url: string;

  /** `url` is where the sandbox listens, for example `http://127.0.0.1:8181`. */
  constructor(url: string) {
    this.#url = `${url}/_sandbox`;
  }

  async faults(
    ...rules: FaultRule<T["request"]["operation"]>[]
  ): Promise<readonly ActiveRule<T["request"]["operation"]>[]> {
    type Rules = { rules: ActiveRule<T["request"]["operation"]>[] };
    return (await this.call<Rules>("PUT", "/faults", rules)).rules;
  }

  async clearFaults(): Promise<void> {
    await this.call("DELETE", "/faults");
  }

  settings(change: SettingsChange<T["settings"]>): Promise<T["settings"]> {
    return this.call("PUT", "/settings", change);
  }

  expireKeys(): Promise<{ expired: number }> {
    return this.call("POST", "/idempotency-keys/expire");
  }

  async reset(): Promise<void> {
    await this.call("POST", "/reset");
  }

  /** Writes the request log to disk. */
  async flush(): Promise<void> {
    await this.call("POST", "/flush");
  }

  book(filter: BookFilter = {}): Promise<BookView<T["movement"]>> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(filter.metadata ?? {})) query.set(`metadata[${key}]`, value);
    const { payment, reference, since } = filter;
    for (const [name, value] of Object.entries({ payment, reference, since })) {
      if (value !== undefined) query.set(name, String(value));
    }
    return this.call("GET", `/book?${query}`);
  }

  /** What was received, from after a sequence on. */
  requests(since = 0): Promise<HistoryView> {
    return this.call("GET", `/requests?since=${since}`);
  }

  /** What was sent, from after a sequence on, and how much is still to come. */
  webhooks(since = 0): Promise<WebhooksView> {
    return this.call("GET", `/webhooks?since=${since}`);
  }

  /** Throws an `Error` with the answer's text where the sandbox refuses. */
  protected async call<R>(method: string, path: string, body?: unknown): Promise<R> {
    const response = await fetch(this.#url + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`sandbox control ${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as R;
  }
}
