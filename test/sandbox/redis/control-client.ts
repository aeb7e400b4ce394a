import type { SettingsChange } from "../kit/settings.ts";
import type { Switches } from "./switches.ts";

export type RedisView = {
  readonly keys: readonly {
    readonly key: string;
    readonly value: string;
    readonly expiresAt: number | null;
  }[];
  readonly served: { readonly requests: number; readonly commands: number };
};

/** The control API from the test's side. `url` is where the sandbox listens. */
export class RedisSandboxControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = `${url}/_sandbox`;
  }

  settings(change: SettingsChange<Switches>): Promise<Switches> {
    return this.#call("PUT", "/settings", change);
  }

  /** All switches as at the start, and no keys. */
  reset(): Promise<void> {
    return this.#call("POST", "/reset");
  }

  /** Loses every key. */
  forget(): Promise<void> {
    return this.#call("POST", "/forget");
  }

  keys(): Promise<RedisView> {
    return this.#call("GET", "/keys");
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new Error(`${method} ${path}: ${answer.error}`);
    return answer;
  }
}
