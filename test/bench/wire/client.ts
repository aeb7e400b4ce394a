import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import {
  type Parameter,
  Scratch,
  type Statement,
  saslInitial,
  saslResponse,
  startup,
  statement,
  TERMINATE,
} from "./messages.ts";
import { scramClient } from "./scram.ts";

/**
 * One connection that does as little as pgbench's: a statement is parsed once, then each execution is one write, one
 * read and one round trip. Nothing is queued: whoever uses it awaits each answer. It is a driver for loads, so
 * that what is measured is Postgres; rows are decoded only where `first` asks for them.
 */
export type WireClient = {
  prepare(text: string): Promise<Statement>;
  /** Executes it; @throws {ServerError} what Postgres refuses */
  run(prepared: Statement, ...parameters: readonly Parameter[]): Promise<unknown>;
  /** The same, with the first row's columns as text; null if there is no row. */
  first(prepared: Statement, ...parameters: readonly Parameter[]): Promise<readonly (string | null)[] | null>;
  close(): Promise<void>;
};

/** What Postgres refused, with its SQLSTATE. */
export class ServerError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** @param url `postgres://user:password@host:port/database`; what it has as query are settings of the session */
export async function connectWire(url: URL): Promise<WireClient> {
  const wire = new Wire(Number(url.port), url.hostname);
  const user = decodeURIComponent(url.username);
  const settings = Object.fromEntries(url.searchParams);
  const database = decodeURIComponent(url.pathname.slice(1));
  try {
    await wire.start(
      startup({ user, database, application_name: "bench", ...settings }),
      decodeURIComponent(url.password),
    );
  } catch (error) {
    wire.end();
    throw error;
  }
  const scratch = new Scratch();
  let names = 0;
  const executed = (prepared: Statement, parameters: readonly Parameter[], wanted: boolean) => {
    if (parameters.length !== prepared.parameters)
      throw new Error(`${prepared.text}: ${prepared.parameters} parameters are due`);
    return wire.ask(scratch.execution(prepared, parameters), wanted);
  };
  return {
    async prepare(text) {
      const numbers = [...text.matchAll(/\$(\d+)/g)].map(([, digits]) => Number(digits));
      const prepared = statement(`s${++names}`, text, Math.max(0, ...numbers));
      await wire.ask(prepared.parse, false);
      return prepared;
    },
    run: (prepared, ...parameters) => executed(prepared, parameters, false),
    first: (prepared, ...parameters) => executed(prepared, parameters, true),
    close: () => wire.close(),
  };
}

type FirstRow = readonly (string | null)[] | null;

const READ_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);
const [AUTHENTICATION, ERROR, READY, ROW] = [0x52, 0x45, 0x5a, 0x44] as const;
const [AUTH_OK, AUTH_SASL, AUTH_CONTINUE, AUTH_FINAL] = [0, 10, 11, 12] as const;

/** The connection's bytes: cuts what comes in into messages, and settles the one answer that is awaited. */
class Wire {
  readonly #socket: Socket;
  #rest: Buffer = NOTHING;
  #waiting: { readonly resolve: (row: FirstRow) => void; readonly reject: (error: Error) => void } | null =
    null;
  #wanted = false;
  #row: FirstRow = null;
  #error: Error | null = null;
  #ended: Error | null = null;
  /** While it logs in: what to say next. */
  #authenticate: ((code: number, text: string) => Buffer | null) | null = null;

  constructor(port: number, host: string) {
    this.#socket = connect({
      port,
      host,
      noDelay: true,
      // One buffer for all reads: what outlives a read is copied.
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length, buffer) => {
          this.#receive((buffer as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.on("error", (error) => this.#lost(error));
    this.#socket.on("close", () => this.#lost(new Error("Postgres has closed the connection")));
  }

  async start(message: Buffer, password: string): Promise<void> {
    const scram = scramClient(password, randomBytes(18).toString("base64"));
    this.#authenticate = (code, text) => {
      if (code === AUTH_OK) return null;
      if (code === AUTH_SASL) return saslInitial("SCRAM-SHA-256", scram.first);
      if (code === AUTH_CONTINUE) return saslResponse(scram.final(text));
      if (code !== AUTH_FINAL) throw new Error(`Postgres asks for authentication ${code}, not SCRAM-SHA-256`);
      scram.verify(text);
      return null;
    };
    await this.ask(message, false);
    this.#authenticate = null;
  }

  /** Sends the bytes and waits until Postgres is ready for more. They may be reused after that. */
  ask(bytes: Buffer, wanted: boolean): Promise<FirstRow> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      if (this.#waiting !== null) return reject(new Error("one statement at a time"));
      this.#waiting = { resolve, reject };
      this.#wanted = wanted;
      this.#socket.write(bytes);
    });
  }

  end(): void {
    this.#ended ??= new Error("the connection is closed");
    this.#socket.destroy();
  }

  async close(): Promise<void> {
    this.#ended ??= new Error("the connection is closed");
    if (this.#socket.destroyed) return;
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.end(TERMINATE);
    await closed;
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 5) {
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      this.#message(bytes, at, end);
      at = end;
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  #message(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at];
    if (type === READY) this.#ready();
    else if (type === ROW) {
      if (this.#wanted && this.#row === null) this.#row = columnsOf(bytes, at + 5);
    } else if (type === ERROR) {
      this.#error = serverError(bytes.toString("utf8", at + 5, end));
      // It closes a connection that it does not let in, and is not ready first.
      if (this.#authenticate !== null) this.#lost(this.#error);
    } else if (type === AUTHENTICATION) this.#loggingIn(bytes, at + 5, end);
  }

  #loggingIn(bytes: Buffer, at: number, end: number): void {
    try {
      const next = this.#authenticate?.(bytes.readInt32BE(at), bytes.toString("utf8", at + 4, end));
      if (next) this.#socket.write(next);
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  #ready(): void {
    const { resolve, reject } = this.#waiting ?? {};
    const [row, error] = [this.#row, this.#error];
    this.#waiting = null;
    this.#row = null;
    this.#error = null;
    if (error !== null) reject?.(error);
    else resolve?.(row);
  }

  #lost(error: Error): void {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
    this.#waiting = null;
  }
}

function columnsOf(bytes: Buffer, from: number): (string | null)[] {
  let at = from + 2;
  return Array.from({ length: bytes.readInt16BE(from) }, () => {
    const length = bytes.readInt32BE(at);
    at += 4 + Math.max(0, length);
    return length < 0 ? null : bytes.toString("utf8", at - length, at);
  });
}

/** Fields begin with their letter and end with a zero: C the SQLSTATE, M the message. */
function serverError(fields: string): ServerError {
  const field = (letter: string) =>
    fields
      .split("\0")
      .find((one) => one.startsWith(letter))
      ?.slice(1) ?? "";
  return new ServerError(field("M"), field("C"));
}
