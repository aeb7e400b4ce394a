import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Pool } from "undici";
import { prepareEdge } from "../../../edge/prepare-edge.ts";
import { projectRoot } from "../../../regions/dev/home.ts";
import { readLog } from "../../../regions/dev/log-file.ts";
import { freePort } from "../../../regions/dev/ports.ts";
import { tokenize } from "../../../regions/dev/tokenize.ts";
import { systemClock } from "../../../subgraphs/kernel/clock.ts";
import { signingKey } from "../../../subgraphs/kernel/identity.ts";
import { createVaultClient } from "../../../subgraphs/payments/vault/client.ts";
import type { Bench } from "../bench.ts";
import { type CpuMeter, processMeter } from "../cpu-time.ts";
import { intentForm } from "../direct-provider.ts";
import type { Payer } from "../platform.ts";
import type { Row, RowGroup } from "../row.ts";

/**
 * The vault's hop on the way to a provider: requests signed as a region signs them, through workerd, which swaps the
 * placeholder for the card's number; against the same requests sent to that provider directly. It answers at
 * once. The difference of the two is the hop's own cost.
 */
const CLIENTS = 16;
const PATH = "/v1/payment_intents";
const DEADLINE_MS = 10_000;

export const vaultEgress: RowGroup = {
  names: ["vault.egress", "vault.egress.direct"],
  derived: [
    {
      name: "vault.egress.hop",
      unit: "CPU ms",
      from: ["vault.egress", "vault.egress.direct"],
      // Not the latencies' difference: 16 clients keep the vault's one thread busy, and wait for each other.
      derive: (through, direct) => everything(through?.cpuByProcess) - everything(direct?.cpuByProcess),
    },
  ],
  async open(bench) {
    const { provider, vault, payers, stop } = await startVault(bench);
    const { secrets } = (await bench.platform()).stack;
    const signer = await signingKey(JSON.parse(secrets.region.VAULT_SIGNING_KEY));
    const client = createVaultClient({ url: vault.url, signer, clock: systemClock, connections: CLIENTS });
    const pool = new Pool(provider.url, { connections: CLIENTS, pipelining: 1 });
    const withNumber = intentForm("4242424242424242").toString();
    const withPlaceholders = intentForm(
      "{{card.number}}",
      "{{card.exp_month}}",
      "{{card.exp_year}}",
    ).toString();
    let next = 0;

    const through = async () => {
      const { merchant, token } = payers[next++ % payers.length] as Payer;
      const reference = randomUUID();
      const answer = await client.egress({
        merchant,
        token,
        reference,
        url: provider.url + PATH,
        headers: headersToProvider(reference),
        body: withPlaceholders,
        deadlineMs: DEADLINE_MS,
      });
      if (answer.headers["tessera-egress"] !== "forwarded") throw new Error(`not forwarded: ${answer.body}`);
    };
    const directly = async () => {
      const headers = headersToProvider(randomUUID());
      const answer = await pool.request({ method: "POST", path: PATH, headers, body: withNumber });
      await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`the provider answered ${answer.statusCode}`);
    };
    const base = { units: "requests", clients: CLIENTS, database: null };
    const rows: Row[] = [
      {
        ...base,
        name: "vault.egress",
        run: through,
        processes: [vault.meter, provider.meter, bench.meters.driver],
        ours: ["vault", "driver"],
      },
      {
        ...base,
        name: "vault.egress.direct",
        run: directly,
        processes: [provider.meter, bench.meters.driver],
        ours: ["driver"],
      },
    ];
    return {
      rows,
      async close() {
        await Promise.all([client.close(), pool.close()]);
        await stop();
      },
    };
  },
};

const everything = (cpu: Readonly<Record<string, number>> = {}) =>
  Object.values(cpu).reduce((sum, ms) => sum + ms, 0);

const headersToProvider = (reference: string) => ({
  authorization: "Bearer sk_test_bench",
  "stripe-version": "2026-10-28.endive",
  "content-type": "application/x-www-form-urlencoded",
  "idempotency-key": reference,
});

type Part = { readonly url: string; readonly meter: CpuMeter };

/** A vault of its own, whose only provider is the instant one, and tokens in it. */
async function startVault(bench: Bench) {
  const { launcher, home } = bench;
  const { stack } = await bench.platform();
  const providerService = await launcher.spawnService({
    name: "instant-provider",
    command: process.execPath,
    args: ["test/bench/instant-provider.ts"],
    cwd: projectRoot,
    logFile: join(home, "instant-provider.log"),
    ready: /^ready on /m,
  });
  const providerUrl = /^ready on (\S+)/m.exec(readLog(providerService.logFile))?.[1] ?? "";
  const ports = { api: await freePort(), vault: await freePort() };
  const vaultUrl = `http://127.0.0.1:${ports.vault}`;
  const vaultService = await launcher.spawnService({
    name: "vault-alone",
    ...(await prepareEdge({
      ports,
      dir: join(home, "vault-alone"),
      regionUrl: stack.urls.gateway,
      secrets: stack.secrets,
      standIns: { "https://api.stripe.com": providerUrl },
    })),
    logFile: join(home, "vault-alone.log"),
    ready: async () => (await fetch(`${vaultUrl}/healthz`)).ok,
  });
  const payers: Pick<Payer, "merchant" | "token">[] = [];
  for (const { id: merchant, publishableKey } of await bench.merchants()) {
    const card = { number: "4242424242424242", expMonth: 12, expYear: 2040 };
    payers.push({ merchant, token: (await tokenize(vaultUrl, publishableKey, card)).token });
  }
  const provider: Part = {
    url: providerUrl,
    meter: processMeter("provider", () => providerService.pid),
  };
  const vault: Part = { url: vaultUrl, meter: processMeter("vault", () => vaultService.pid) };
  return {
    provider,
    vault,
    payers,
    async stop() {
      await vaultService.stop();
      await providerService.stop();
    },
  };
}
