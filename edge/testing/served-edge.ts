import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signingKey, signVaultRequest, VAULT_AUTH_HEADER } from "../../subgraphs/kernel/identity.ts";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { type DevSecrets, newDevSecrets } from "../dev-secrets.ts";
import { type PrepareEdgeOptions, prepareEdge } from "../prepare-edge.ts";
import type { CardDetails, EncryptionKey } from "../vault/card-message.ts";
import { encryptCard } from "../vault/encrypt-card.ts";
import { ProviderDouble } from "./provider-double.ts";
import { RegionDouble } from "./region-double.ts";
import { egressHeaders } from "./vault-client.ts";

/** Both workers in one `workerd serve`, as `npm start` runs them: real sockets, a real disk, a real kill. */
export class ServedEdge {
  readonly dir = mkdtempSync(join(tmpdir(), "tessera-edge-"));
  readonly provider = new ProviderDouble();
  readonly region: RegionDouble;
  secrets: DevSecrets = newDevSecrets();
  /** Everything that workerd wrote to stdout and stderr. */
  logs = "";
  api = "";
  vault = "";
  #ports = { api: 0, vault: 0 };
  #child: ChildProcess | undefined;

  constructor() {
    this.region = new RegionDouble(this.secrets.region.EDGE_VERIFYING_KEYS);
  }

  async open(vars: PrepareEdgeOptions["vars"] = {}): Promise<void> {
    const [api, vault] = await Promise.all([
      freePort(),
      freePort(),
      this.region.listen(),
      this.provider.listen(),
    ]);
    this.#ports = { api, vault };
    this.api = `http://127.0.0.1:${api}`;
    this.vault = `http://127.0.0.1:${vault}`;
    await this.start(vars);
  }

  async start(vars: PrepareEdgeOptions["vars"] = {}): Promise<void> {
    const { command, args, env, cwd } = await prepareEdge({
      ports: this.#ports,
      dir: this.dir,
      regionUrl: this.region.url,
      secrets: this.secrets,
      standIns: { "https://api.stripe.com": this.provider.url },
      vars,
    });
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        this.logs += chunk.toString();
      });
    this.#child = child;
    for (let tries = 0; ; tries++) {
      const ready = await Promise.all([this.api, this.vault].map((url) => fetch(`${url}/healthz`))).catch(
        () => null,
      );
      if (ready?.every(({ ok }) => ok)) return;
      if (child.exitCode !== null || tries > 500) throw new Error(`workerd does not serve: ${this.logs}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** As abruptly as a machine dies. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
  }

  async close(): Promise<void> {
    await this.kill();
    await Promise.all([this.region.close(), this.provider.close()]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  graphql(key: string, init: RequestInit = {}, headers: Record<string, string> = {}): Promise<Response> {
    const all = { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers };
    return fetch(`${this.api}/graphql`, { method: "POST", headers: all, body: "{}", ...init });
  }

  async auth(merchant: MerchantId): Promise<Record<string, string>> {
    const signer = await signingKey(JSON.parse(this.secrets.region.VAULT_SIGNING_KEY));
    return { [VAULT_AUTH_HEADER]: await signVaultRequest(merchant, signer, new Date()) };
  }

  async tokenize(card: CardDetails, publishableKey: string): Promise<Response> {
    const key = (await (await fetch(`${this.vault}/v1/encryption-key`)).json()) as EncryptionKey;
    return this.post("/v1/tokens", JSON.stringify(await encryptCard(card, { publishableKey, ...key })));
  }

  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    const all = { "content-type": "application/json", ...headers };
    return fetch(`${this.vault}${path}`, { method: "POST", headers: all, body });
  }

  async egress(
    merchant: MerchantId,
    token: string,
    body: string,
    reference = "ref_1",
    url?: string,
  ): Promise<Response> {
    const to = egressHeaders(url ?? `${this.provider.url}/v1/payment_intents`, token, reference);
    return this.post("/v1/egress", body, { ...(await this.auth(merchant)), ...to });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
