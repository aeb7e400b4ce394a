import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { VaultDouble } from "../support/vault-double.ts";

/** A vault outside of the region, so that it survives the region: the double behind the vault's own HTTP protocol. */
export type SimulatedVault = {
  readonly url: string;
  tokenize(number: string): string;
  stop(): Promise<void>;
};

/** Nobody is asked who they are, so any merchant will do. */
const ANYBODY = "" as MerchantId;
/** What the vault's client adds to the provider's headers, and what belongs to the connection. */
const OWN_HEADERS = /^(tessera-|host$|connection$|content-length$|transfer-encoding$)/;

export async function startVault(): Promise<SimulatedVault> {
  const vault = new VaultDouble();
  const server = createServer((message, response) => {
    serve(vault, message).then(
      ({ status, headers = {}, body }) => response.writeHead(status, headers).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    tokenize: (number) => vault.tokenize(number),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Reply = { readonly status: number; readonly headers?: Record<string, string>; readonly body: string };

async function serve(vault: VaultDouble, message: IncomingMessage): Promise<Reply> {
  const body = await text(message);
  switch (message.url) {
    case "/v1/tokens/describe": {
      const { token, reference } = JSON.parse(body) as { token: string; reference: string };
      const described = await vault.describe(ANYBODY, token, reference);
      if (!described.ok) return { status: 404, body: "{}" };
      const { card, cvcAvailable } = described.value;
      return { status: 200, body: JSON.stringify({ ...card, cvcAvailable }) };
    }
    case "/v1/cvc/forget":
      await vault.forgetCvc(ANYBODY, (JSON.parse(body) as { tokens: string[] }).tokens);
      return { status: 200, body: "{}" };
    case "/v1/egress":
      return egress(vault, message, body);
    default:
      return { status: 404, body: "{}" };
  }
}

/** Longer than a region waits, so that it is the region that gives up. */
const DEADLINE_MS = 15_000;

async function egress(vault: VaultDouble, { headers }: IncomingMessage, body: string): Promise<Reply> {
  const own = (name: string): string => String(headers[`tessera-egress-${name}`]);
  const passed = Object.entries(headers).filter(([name]) => !OWN_HEADERS.test(name));
  const answer = await vault.egress({
    merchant: ANYBODY,
    token: own("token"),
    reference: own("reference"),
    url: own("url"),
    headers: Object.fromEntries(passed.map(([name, value]) => [name, String(value)])),
    body,
    deadlineMs: DEADLINE_MS,
  });
  const kept = Object.entries(answer.headers).filter(
    ([name]) =>
      !/^(connection|content-length|content-encoding|transfer-encoding|keep-alive|date)$/.test(name),
  );
  return { status: answer.status, headers: Object.fromEntries(kept), body: answer.body };
}

async function text(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
