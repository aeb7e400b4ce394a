import type { Logger } from "pino";
import type { MerchantId } from "../../kernel/ids.ts";
import type { VaultClient } from "../vault/client.ts";

/**
 * Tells the vault to forget security codes once an authorization is recorded (PCI DSS 3.3.1). Several go in one
 * call. It is a courtesy that may fail: what is not told here the vault forgets by itself within the hour.
 */
export type CvcForgetter = {
  forget(merchant: MerchantId, token: string): void;
  flush(): Promise<void>;
};

const FLUSH_AFTER_MS = 200;
const MAX_PER_CALL = 100;
const MAX_WAITING = 10_000;

export function createCvcForgetter(vault: VaultClient, log: Logger): CvcForgetter {
  let waiting = new Map<MerchantId, string[]>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = new Map();
    count = 0;
    const calls = [...batch].flatMap(([merchant, tokens]) =>
      Array.from({ length: Math.ceil(tokens.length / MAX_PER_CALL) }, (_, index) =>
        vault.forgetCvc(merchant, tokens.slice(index * MAX_PER_CALL, (index + 1) * MAX_PER_CALL)),
      ),
    );
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === "rejected")
        log.warn({ err: result.reason }, "security codes wait for the vault's own expiry");
    }
  };

  return {
    forget(merchant, token) {
      if (count >= MAX_WAITING) return;
      count++;
      const tokens = waiting.get(merchant);
      if (tokens === undefined) waiting.set(merchant, [token]);
      else tokens.push(token);
      timer ??= setTimeout(() => void flush(), FLUSH_AFTER_MS);
    },
    flush,
  };
}
