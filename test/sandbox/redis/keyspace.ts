/**
 * Keys, strings and times to live, as Redis has them: what a cache needs of its commands and no more.
 */

type Entry = { readonly value: string; readonly expiresAt: number | null };

/** A command that Redis refuses; the message begins as its own do. */
export class CommandError extends Error {}

export type CommandResult = string | number | null | readonly (string | null)[];

export class Keyspace {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  /** `now` in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Runs `[name, ...arguments]`. Throws a `CommandError` where Redis would answer an error. */
  run(command: readonly string[]): CommandResult {
    const [name = "", ...args] = command;
    const run = COMMANDS[name.toUpperCase()];
    if (run === undefined) throw new CommandError(`ERR unknown command '${name}'`);
    return run(this, args);
  }

  get(key: string): string | null {
    return this.#live(key)?.value ?? null;
  }

  put(key: string, value: string, expiresAt: number | null): void {
    this.#entries.set(key, { value, expiresAt });
  }

  remove(key: string): boolean {
    return this.#live(key) !== undefined && this.#entries.delete(key);
  }

  /** Milliseconds since 1970, or null where it stays; undefined where there is no such key. */
  expiryOf(key: string): number | null | undefined {
    const entry = this.#live(key);
    return entry === undefined ? undefined : entry.expiresAt;
  }

  now(): number {
    return this.#now();
  }

  clear(): void {
    this.#entries.clear();
  }

  /** What is kept, for tests that look into it. */
  entries(): { key: string; value: string; expiresAt: number | null }[] {
    return [...this.#entries.keys()].flatMap((key) => {
      const entry = this.#live(key);
      return entry === undefined ? [] : [{ key, ...entry }];
    });
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt === null || entry.expiresAt > this.#now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

type Command = (keys: Keyspace, args: readonly string[]) => CommandResult;

const COMMANDS: Readonly<Record<string, Command>> = {
  PING: () => "PONG",
  GET: (keys, args) => keys.get(only(args, "get")),
  MGET: (keys, args) => some(args, "mget").map((key) => keys.get(key)),
  SET: set,
  DEL: (keys, args) => some(args, "del").filter((key) => keys.remove(key)).length,
  UNLINK: (keys, args) => some(args, "unlink").filter((key) => keys.remove(key)).length,
  EXISTS: (keys, args) => some(args, "exists").filter((key) => keys.get(key) !== null).length,
  TTL: (keys, args) => remaining(keys, only(args, "ttl"), 1_000),
  PTTL: (keys, args) => remaining(keys, only(args, "pttl"), 1),
  EXPIRE: (keys, args) => expire(keys, args, 1_000),
  PEXPIRE: (keys, args) => expire(keys, args, 1),
  INCR(keys, args) {
    const key = only(args, "incr");
    const value = integer(keys.get(key) ?? "0") + 1;
    keys.put(key, String(value), keys.expiryOf(key) ?? null);
    return value;
  },
  FLUSHDB(keys) {
    keys.clear();
    return "OK";
  },
};

function only(args: readonly string[], name: string): string {
  const [key] = args;
  if (args.length !== 1 || key === undefined) throw wrongNumber(name);
  return key;
}

function some(args: readonly string[], name: string): readonly string[] {
  if (args.length === 0) throw wrongNumber(name);
  return args;
}

const wrongNumber = (name: string) => new CommandError(`ERR wrong number of arguments for '${name}' command`);

function integer(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new CommandError("ERR value is not an integer or out of range");
  return Number(text);
}

/** SET key value [EX s | PX ms | KEEPTTL] [NX | XX] [GET] */
function set(keys: Keyspace, args: readonly string[]): CommandResult {
  const [key, value, ...options] = args;
  if (key === undefined || value === undefined) throw wrongNumber("set");
  const before = keys.get(key);
  let expiresAt: number | null = null;
  let writes = true;
  let answersOld = false;
  for (let i = 0; i < options.length; i++) {
    const option = options[i]?.toUpperCase();
    if (option === "EX" || option === "PX") {
      const span = integer(options[++i] ?? "");
      if (span <= 0) throw new CommandError("ERR invalid expire time in 'set' command");
      expiresAt = keys.now() + span * (option === "EX" ? 1_000 : 1);
    } else if (option === "KEEPTTL") expiresAt = keys.expiryOf(key) ?? null;
    else if (option === "NX") writes &&= before === null;
    else if (option === "XX") writes &&= before !== null;
    else if (option === "GET") answersOld = true;
    else throw new CommandError("ERR syntax error");
  }
  if (writes) keys.put(key, value, expiresAt);
  if (answersOld) return before;
  return writes ? "OK" : null;
}

/** -2: there is no such key; -1: it stays. */
function remaining(keys: Keyspace, key: string, unitMs: number): number {
  const expiresAt = keys.expiryOf(key);
  if (expiresAt === undefined) return -2;
  return expiresAt === null ? -1 : Math.round((expiresAt - keys.now()) / unitMs);
}

function expire(keys: Keyspace, args: readonly string[], unitMs: number): number {
  const [key, span] = args;
  if (args.length !== 2 || key === undefined || span === undefined) throw wrongNumber("expire");
  const value = keys.get(key);
  if (value === null) return 0;
  keys.put(key, value, keys.now() + integer(span) * unitMs);
  return 1;
}
