/**
 * The frontend's messages of Postgres's protocol 3.0 ("Message Formats"). A statement is parsed once; after that its
 * messages are the same bytes each time but for the parameters, which are text, as libpq sends them.
 */
export type Parameter = string | number | null;

export type Statement = {
  readonly text: string;
  readonly parse: Buffer;
  /** Up to the parameters; the length is filled in. */
  readonly bindHead: Buffer;
  /** After the parameters: any format for results, then Execute and Sync. */
  readonly tail: Buffer;
  readonly parameters: number;
};

const cString = (text: string) => Buffer.from(`${text}\0`);

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

export const SYNC = message("S");
export const TERMINATE = message("X");

const PROTOCOL = 196_608; // 3.0

/** @param parameters user, database, application_name and settings of the session, by name */
export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [cString(name), cString(value)]);
  const body = Buffer.concat([int32(PROTOCOL), ...pairs, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const saslInitial = (mechanism: string, first: string): Buffer =>
  message("p", cString(mechanism), int32(Buffer.byteLength(first)), Buffer.from(first));

export const saslResponse = (text: string): Buffer => message("p", Buffer.from(text));

/** @param parameters how many `$n` the text has */
export function statement(name: string, text: string, parameters: number): Statement {
  const parse = Buffer.concat([message("P", cString(name), cString(text), int16(0)), SYNC]);
  const bindHead = message("B", cString(""), cString(name), int16(0), int16(parameters));
  const execute = message("E", cString(""), int32(0));
  return { text, parse, bindHead, tail: Buffer.concat([int16(0), execute, SYNC]), parameters };
}

/** Where one connection writes what it sends next; it grows with what it is given. */
export class Scratch {
  #bytes = Buffer.allocUnsafeSlow(1_024);

  /** One execution of a statement, valid until the next one is written. */
  execution({ bindHead, tail }: Statement, parameters: readonly Parameter[]): Buffer {
    this.#reserve(bindHead.length + tail.length + mostBytes(parameters));
    const bytes = this.#bytes;
    let at = bindHead.copy(bytes, 0);
    for (const parameter of parameters) {
      if (parameter === null) {
        at = bytes.writeInt32BE(-1, at);
        continue;
      }
      const written =
        typeof parameter === "number"
          ? writeInteger(bytes, parameter, at + 4)
          : bytes.write(parameter, at + 4);
      bytes.writeInt32BE(written, at);
      at += 4 + written;
    }
    // The formats of results, of which there are none, belong to Bind.
    bytes.writeInt32BE(at + 2 - 1, 1);
    at += tail.copy(bytes, at);
    return bytes.subarray(0, at);
  }

  #reserve(size: number): void {
    if (this.#bytes.length < size) this.#bytes = Buffer.allocUnsafeSlow(2 * size);
  }
}

/** Decimal digits of a safe integer; gives how many bytes. Most parameters are such, and a string of each costs more. */
function writeInteger(bytes: Buffer, value: number, from: number): number {
  let at = from;
  if (value < 0) bytes[at++] = 0x2d;
  let rest = Math.abs(value);
  let digits = 1;
  for (let power = 10; power <= rest; power *= 10) digits++;
  for (let digit = at + digits - 1; digit >= at; digit--) {
    bytes[digit] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits - from;
}

/** A number has at most 24 characters, a UTF-16 unit at most 3 bytes. */
function mostBytes(parameters: readonly Parameter[]): number {
  let sum = 0;
  for (const one of parameters) sum += 4 + (typeof one === "string" ? one.length * 3 : 24);
  return sum;
}
