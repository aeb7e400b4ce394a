import { join } from "node:path";
import { type Ports, platformPorts, requireFreePorts } from "../../regions/dev/ports.ts";
import { type Stack, startStack } from "../../regions/dev/stack.ts";
import { tokenize } from "../../regions/dev/tokenize.ts";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { StripeSandboxControl } from "../sandbox/stripe/control-client.ts";
import type { Bench } from "./bench.ts";
import { type CpuMeter, processMeter } from "./cpu-time.ts";

/** Who pays in the bench: a merchant with its key, and a card that was tokenized before anything was measured. */
export type Payer = { readonly merchant: MerchantId; readonly secretKey: string; readonly token: string };

export type Platform = {
  readonly stack: Stack;
  readonly payers: readonly Payer[];
  readonly meters: { readonly region: CpuMeter; readonly workerd: CpuMeter; readonly sandbox: CpuMeter };
  readonly sandbox: StripeSandboxControl;
  close(): Promise<void>;
};

/**
 * Without a security code: a token that has one is good for one payment only, and the vault's bookkeeping of it
 * would be measured as well. With one, describing, egress and forgetting write to the vault's storage.
 */
const CARD = { number: "4242424242424242", expMonth: 12, expYear: 2040 };

export async function openPlatform(bench: Bench): Promise<Platform> {
  const merchants = await bench.merchants();
  const stack = await startStack({
    home: join(bench.home, "platform"),
    ports: await freePorts(),
    databaseUrl: bench.postgres.url,
    // As in production: telling clients how long each step took is for development.
    regionEnv: { SHOW_TIMING: "0" },
    log: () => {},
  });
  try {
    const payers: Payer[] = [];
    for (const { id: merchant, secretKey, publishableKey } of merchants) {
      const { token } = await tokenize(stack.urls.vault, publishableKey, CARD);
      payers.push({ merchant, secretKey, token });
    }
    const meter = (name: string) => processMeter(name, () => stack.services.get(name)?.pid ?? 0);
    return {
      stack,
      payers,
      meters: { region: meter("region"), workerd: meter("workerd"), sandbox: meter("sandbox") },
      sandbox: new StripeSandboxControl(stack.urls.sandbox),
      close: () => stack.stop(),
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Below the range from which the kernel takes ports for outgoing connections. */
const FIRST_PORT = 15_000;
const LAST_PORT = 30_000;

async function freePorts(): Promise<Ports> {
  for (let attempt = 1; ; attempt++) {
    const base = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const ports = platformPorts({ TESSERA_PORT_BASE: String(base) });
    try {
      await requireFreePorts(ports);
      return ports;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}
