/**
 * A Redis that is spoken to over HTTP as Upstash's: `POST /` with one command as a JSON array, `POST /pipeline` and
 * `POST /multi-exec` with several, and a command in the path. It listens on the loopback address only and holds nothing
 * that matters: it is a stand-in for tests and for `npm start`.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { authorizationKey, header, readBody, sameText, writeJson } from "../kit/http.ts";
import { CommandError, type CommandResult, Keyspace } from "./keyspace.ts";
import { changeSwitches, initialSwitches, type Switches } from "./switches.ts";

const HOST = "127.0.0.1";
const CONTROL = "/_sandbox/";
const MAX_BODY_BYTES = 1024 * 1024;

export type RedisOptions = {
  /** 0 takes any free port. */
  readonly port: number;
  /** What clients send as their bearer token. */
  readonly token: string;
};

export type RunningRedis = {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly redis: RedisSandbox;
  readonly stop: () => Promise<void>;
};

/** One command's answer on the wire. */
type Answer = { readonly result: CommandResult } | { readonly error: string };

export class RedisSandbox {
  readonly keys: Keyspace;
  readonly token: string;
  switches: Switches = initialSwitches();
  /** Requests since the start that the switches let through, and the commands in them. */
  readonly served = { requests: 0, commands: 0 };
  #second = { at: 0, requests: 0 };

  constructor(token: string, keys = new Keyspace()) {
    this.token = token;
    this.keys = keys;
  }

  execute(command: readonly string[]): Answer {
    this.served.commands++;
    try {
      const result = this.keys.run(command);
      // Written, and evicted before anybody can read it.
      if (this.switches.forgets && command[0]?.toUpperCase() === "SET") this.keys.remove(command[1] ?? "");
      return { result };
    } catch (problem) {
      if (problem instanceof CommandError) return { error: problem.message };
      throw problem;
    }
  }

  /** Whether another request fits into this second. */
  admits(): boolean {
    const at = Math.floor(Date.now() / 1_000);
    if (this.#second.at !== at) this.#second = { at, requests: 0 };
    const { requestsPerSecond } = this.switches;
    return ++this.#second.requests <= requestsPerSecond || requestsPerSecond === 0;
  }
}

/** Starts one; resolves once it listens. Rejects where the port is taken. */
export async function startRedisSandbox({ port, token }: RedisOptions): Promise<RunningRedis> {
  const redis = new RedisSandbox(token);
  const server = createServer({ keepAliveTimeout: 65_000 }, (message, response) => {
    const url = message.url ?? "/";
    const answering = url.startsWith(CONTROL)
      ? answerControl(redis, message, response, url.slice(CONTROL.length))
      : answerCommands(redis, message, response, url);
    answering.catch((problem: unknown) => {
      if (response.headersSent || response.destroyed || message.destroyed) return;
      writeJson(response, 500, { error: `fault of the sandbox: ${String(problem)}` });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    port: taken,
    url: `http://${HOST}:${taken}`,
    redis,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerCommands(
  redis: RedisSandbox,
  message: IncomingMessage,
  response: ServerResponse,
  url: string,
): Promise<void> {
  if (redis.switches.down) return void message.socket.resetAndDestroy();
  const body = await readBody(message, MAX_BODY_BYTES);
  const [path = "/", query = ""] = url.split("?");
  const token = authorizationKey(message) ?? new URLSearchParams(query).get("_token") ?? "";
  if (!sameText(token, redis.token))
    return writeJson(response, 401, { error: "WRONGPASS invalid or missing auth token" });
  if (!redis.admits()) return writeJson(response, 429, { error: "ERR max requests limit exceeded" });
  await wait(redis.switches.latencyMs);
  redis.served.requests++;
  const encode = header(message, "upstash-encoding") === "base64";
  const [status, answer] = answerOf(redis, path, body, encode);
  await wait(redis.switches.answerDelayMs);
  writeAnswer(redis, response, status, answer);
}

function answerOf(redis: RedisSandbox, path: string, body: string, encode: boolean): [number, unknown] {
  const encoded = (answer: Answer) => (encode && "result" in answer ? inBase64(answer) : answer);
  if (path === "/pipeline" || path === "/multi-exec") {
    const commands = read(body, isCommandList);
    if (commands === null) return [400, { error: "ERR failed to parse pipeline request" }];
    return [200, commands.map((command) => encoded(redis.execute(command.map(String))))];
  }
  const command = path === "/" ? read(body, isCommand) : pathCommand(path, body);
  if (command === null) return [400, { error: "ERR failed to parse command" }];
  const answer = redis.execute(command.map(String));
  return ["error" in answer ? 400 : 200, encoded(answer)];
}

const isCommand = (sent: unknown): sent is (string | number)[] =>
  Array.isArray(sent) &&
  sent.length > 0 &&
  sent.every((part) => typeof part === "string" || typeof part === "number");
const isCommandList = (sent: unknown): sent is (string | number)[][] =>
  Array.isArray(sent) && sent.every(isCommand);

function read<T>(body: string, is: (sent: unknown) => sent is T): T | null {
  try {
    const sent: unknown = JSON.parse(body);
    return is(sent) ? sent : null;
  } catch {
    return null;
  }
}

/** `/set/foo/bar/EX/100`; a body is one argument more. */
function pathCommand(path: string, body: string): string[] {
  const parts = path.slice(1).split("/").map(decodeURIComponent);
  return body === "" ? parts : [...parts, body];
}

function inBase64({ result }: { readonly result: CommandResult }): Answer {
  const one = (text: string | null) => (text === null ? null : Buffer.from(text).toString("base64"));
  if (typeof result === "number" || result === null || result === "OK") return { result };
  return { result: typeof result === "string" ? one(result) : result.map(one) };
}

function writeAnswer(redis: RedisSandbox, response: ServerResponse, status: number, answer: unknown): void {
  switch (redis.switches.garbage) {
    case "none":
      return writeJson(response, status, answer);
    case "bytes":
      response.writeHead(200, { "content-type": "application/json" }).end('{"result": "<html><title>50');
      return;
    case "json":
      return writeJson(response, 200, { result: { unexpected: [1, 2, 3] } });
    case "values":
      return writeJson(
        response,
        200,
        changed(answer, () => "bm90IHdoYXQgd2FzIHdyaXR0ZW4"),
      );
    case "huge": {
      const huge = (result: CommandResult) =>
        typeof result === "string" ? "x".repeat(4 * 1024 * 1024) : result;
      return writeJson(response, 200, changed(answer, huge));
    }
    case "endless":
      return writeJson(
        response,
        200,
        changed(answer, (result) => (typeof result === "number" ? -1 : result)),
      );
    case "mixed_up": {
      const values = redis.keys.entries().map(({ value }) => value);
      const another = (result: CommandResult) =>
        typeof result === "string" ? (values.find((value) => value !== result) ?? result) : result;
      return writeJson(response, 200, changed(answer, another));
    }
  }
}

function changed(answer: unknown, change: (result: CommandResult) => CommandResult): unknown {
  if (Array.isArray(answer)) return answer.map((one) => changed(one, change));
  const one = answer as Answer;
  return "result" in one ? { result: change(one.result) } : one;
}

async function answerControl(
  redis: RedisSandbox,
  message: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const body = await readBody(message, MAX_BODY_BYTES);
  try {
    switch (`${message.method} ${path}`) {
      case "GET health":
        return writeJson(response, 200, { ok: true });
      case "GET settings":
        return writeJson(response, 200, redis.switches);
      case "PUT settings":
        redis.switches = changeSwitches(redis.switches, JSON.parse(body));
        return writeJson(response, 200, redis.switches);
      case "POST reset":
        redis.switches = initialSwitches();
        redis.keys.clear();
        return writeJson(response, 200, { ok: true });
      case "POST forget":
        redis.keys.clear();
        return writeJson(response, 200, { ok: true });
      case "GET keys":
        return writeJson(response, 200, { keys: redis.keys.entries(), served: redis.served });
      default:
        return writeJson(response, 404, { error: `no such control: ${message.method} ${path}` });
    }
  } catch (problem) {
    if (!(problem instanceof TypeError) && !(problem instanceof SyntaxError)) throw problem;
    writeJson(response, 400, { error: problem.message });
  }
}
