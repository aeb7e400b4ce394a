/**
 * A sandbox on a socket. It listens on the loopback address only: it is a stand-in for a provider in tests,
 * and it holds no secret and no money.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerApi } from "./api.ts";
import { controlOf } from "./control.ts";
import type { Dialect } from "./dialect.ts";
import { writeJson } from "./http.ts";
import { Sandbox, type SandboxOptions } from "./sandbox.ts";
import type { World } from "./world.ts";

const CONTROL = "/_sandbox/";
const HOST = "127.0.0.1";
const KEEP_ALIVE_MS = 65_000;

export type StartOptions = SandboxOptions & {
  /** 0 takes any free port. */
  readonly port: number;
};

export type RunningSandbox<T extends World> = {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The inside, for tests in the same process. */
  readonly sandbox: Sandbox<T>;
  /** Ends every connection, writes what is waiting and gives the port back. */
  readonly stop: () => Promise<void>;
};

/** Starts a sandbox; resolves once it listens. Rejects where the port is taken or the journal is broken. */
export async function startSandbox<T extends World>(
  dialect: Dialect<T>,
  options: StartOptions,
): Promise<RunningSandbox<T>> {
  const sandbox = await Sandbox.open(dialect, options);
  const control = controlOf(sandbox);
  const answer = (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = message.url ?? "/";
    if (!url.startsWith(CONTROL)) return answerApi(sandbox, message, response);
    const [path = "", query = ""] = url.slice(CONTROL.length).split("?");
    return control(message, response, path, query);
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (message, response) => {
    answer(message, response).catch((problem: unknown) => fail(dialect.name, message, response, problem));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  sandbox.baseUrl = `http://${HOST}:${port}`;
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await sandbox.close();
  };
  return { port, url: sandbox.baseUrl, sandbox, stop };
}

/** A fault of the sandbox itself, which must not look like one that a test has ordered. */
function fail(name: string, message: IncomingMessage, response: ServerResponse, problem: unknown): void {
  // The client went away while it was sending: there is nobody to answer.
  if (message.destroyed && !message.complete) return;
  console.error(`${name} sandbox:`, problem);
  if (response.headersSent || response.destroyed) return;
  const text = problem instanceof Error ? problem.message : String(problem);
  writeJson(response, 500, { error: { type: "api_error", message: `fault of the sandbox: ${text}` } });
}
