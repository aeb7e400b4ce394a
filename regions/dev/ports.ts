import { createServer } from "node:net";
import { holderOf } from "./port-holder.ts";
import { StartProblem } from "./problem.ts";

const DEFAULT_BASE = 4700;

/** Every port is an offset from TESSERA_PORT_BASE, so a second platform needs one other number. */
const OFFSETS = {
  edge: 0,
  vault: 1,
  gateway: 2,
  sandbox: 3,
  shop: 4,
  postgres: 5,
  adyen: 6,
  mollie: 7,
  acquirer: 8,
  directory: 9,
  payments: 10,
  ledger: 11,
  risk: 12,
  settlement: 13,
  merchants: 14,
} as const;

export type PortName = keyof typeof OFFSETS;
export type Ports = Readonly<Record<PortName, number>>;

export type BusyPort = { readonly name: string; readonly port: number; readonly holder: string | null };

/** Ports that another program holds. The message lists them and says how to move. */
export class PortsBusyError extends StartProblem {
  readonly busy: readonly BusyPort[];

  constructor(busy: readonly BusyPort[]) {
    const lines = busy.map(({ name, port, holder }) => `  ${port} (${name})${holder ? `: ${holder}` : ""}`);
    super(
      "PORTS_BUSY",
      [
        busy.length === 1 ? "A port is taken:" : `${busy.length} ports are taken:`,
        ...lines,
        "Stop what holds them, or set TESSERA_PORT_BASE to another number",
        `(now ${portBase()}; the platform uses the 15 ports from there on).`,
      ].join("\n"),
    );
    this.busy = busy;
  }
}

function portBase(env: NodeJS.ProcessEnv = process.env): number {
  const set = env["TESSERA_PORT_BASE"];
  const base = set === undefined || set === "" ? DEFAULT_BASE : Number(set);
  const last = 65_535 - Math.max(...Object.values(OFFSETS));
  if (!Number.isInteger(base) || base < 1024 || base > last) {
    throw new StartProblem("BAD_SETTING", `TESSERA_PORT_BASE is "${set}"; it has to be 1024 to ${last}.`);
  }
  return base;
}

/**
 * The platform's ports, all on 127.0.0.1.
 * @throws {StartProblem} BAD_SETTING, if TESSERA_PORT_BASE is not a port number that leaves room for all
 */
export function platformPorts(env: NodeJS.ProcessEnv = process.env): Ports {
  const base = portBase(env);
  const ports = Object.entries(OFFSETS).map(([name, offset]) => [name, base + offset]);
  return Object.fromEntries(ports) as Ports;
}

/** Whether a server could listen on 127.0.0.1:`port` now. Nothing is kept: it may be taken a moment later. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Checks that ports are free on 127.0.0.1 before anything starts, so that one error names all that are not.
 * @param needed by name; the names are for the message
 * @throws {PortsBusyError}
 */
export async function requireFreePorts(needed: Readonly<Record<string, number>>): Promise<void> {
  const busy: BusyPort[] = [];
  for (const [name, port] of Object.entries(needed)) {
    if (!(await isFree(port))) busy.push({ name, port, holder: holderOf(port) });
  }
  if (busy.length > 0) throw new PortsBusyError(busy);
}

/** A port of 127.0.0.1 that is free now, for tests and benches; another program may take it before you do. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port: 0, host: "127.0.0.1" }, () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new Error("a listening server has no port"));
      });
    });
  });
}
