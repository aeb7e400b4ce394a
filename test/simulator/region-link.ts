import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { RegionCall, RegionSettings, Request, Response, Told } from "./protocol.ts";

/** The region died before it answered: the request may have been done, or not. */
export class RegionDied extends Error {}

/**
 * The region as its callers reach it: one process at a time, and another that has only been loaded, so that it can take over
 * at once when the first one dies.
 */
export class RegionLink {
  readonly #settings: RegionSettings;
  #active: RegionProcess | null = null;
  #standby: Promise<RegionProcess>;
  #stopping = false;
  /** Times without a region, in ms since 1970. */
  readonly gaps: { readonly from: number; readonly until: number }[] = [];
  /** How often a process ended by an error of its own, which nobody had ordered. */
  crashes = 0;

  private constructor(settings: RegionSettings) {
    this.#settings = settings;
    this.#standby = RegionProcess.load(settings);
  }

  static async open(settings: RegionSettings): Promise<RegionLink> {
    const link = new RegionLink(settings);
    await link.#takeOver();
    return link;
  }

  /** @throws {RegionDied} if it died first, or there is none at the moment */
  async call(call: RegionCall): Promise<unknown> {
    const region = this.#active;
    if (region === null) throw new RegionDied("there is no region at the moment");
    return region.call(call);
  }

  get isAway(): boolean {
    return this.#active === null;
  }

  /** Waits until there is a region, for so long at most. */
  async up(withinMs: number): Promise<void> {
    for (const end = Date.now() + withinMs; this.#active === null && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async command(call: RegionCall): Promise<Told> {
    return (await this.call(call)) as Told;
  }

  kill(): void {
    this.#active?.kill();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const region = this.#active;
    if (region !== null) {
      await region.call({ call: "stop" }).catch(() => {});
      await region.end();
    }
    await (await this.#standby).end();
  }

  async #takeOver(): Promise<void> {
    const region = await this.#standby;
    this.#standby = RegionProcess.load(this.#settings);
    void region.exited.then(async (signal) => {
      if (this.#stopping) return;
      if (signal === null) this.crashes++;
      this.#active = null;
      const from = Date.now();
      await this.#takeOver();
      this.gaps.push({ from, until: Date.now() });
    });
    // It may die of a stale order at once: then the next one takes over.
    await region.call({ call: "begin" }).then(
      () => {
        this.#active = region;
      },
      (error: unknown) => {
        if (!(error instanceof RegionDied)) throw error;
      },
    );
  }
}

const SCRIPT = fileURLToPath(new URL("region-process.ts", import.meta.url));

class RegionProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #ready = Promise.withResolvers<void>();
  /** With the signal that ended it; null if it ended by itself. */
  readonly exited: Promise<NodeJS.Signals | null>;
  #calls = 0;
  #over = false;

  private constructor(settings: RegionSettings) {
    this.#child = fork(SCRIPT, [], {
      serialization: "advanced",
      env: { ...process.env, SIMULATED_REGION: JSON.stringify(settings), NODE_ENV: "test" },
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (message: Response) => this.#heard(message));
    this.exited = new Promise((resolve) =>
      this.#child.once("exit", (_code, signal) => {
        this.#ended();
        resolve(signal);
      }),
    );
  }

  /** Resolves when it is loaded and has done nothing yet. */
  static async load(settings: RegionSettings): Promise<RegionProcess> {
    const region = new RegionProcess(settings);
    await region.#ready.promise;
    return region;
  }

  call(call: RegionCall): Promise<unknown> {
    if (this.#over) return Promise.reject(new RegionDied("the region is dead"));
    const id = ++this.#calls;
    const request: Request = { id, call };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send(request, (error) => {
        if (error) this.#take(id)?.reject(new RegionDied("the region cannot be reached"));
      });
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  #heard(message: Response): void {
    if ("ready" in message) return this.#ready.resolve();
    const call = this.#take(message.id);
    if (message.ok) call?.resolve(message.value);
    else call?.reject(new Error(message.error));
  }

  #take(id: number) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    return call;
  }

  #ended(): void {
    this.#over = true;
    this.#ready.reject(new Error("a region process ended before it was ready"));
    this.#ready.promise.catch(() => {});
    for (const { reject } of this.#waiting.values()) reject(new RegionDied("the region died"));
    this.#waiting.clear();
  }
}
