import type { Sql } from "postgres";
import type { ProviderSandbox } from "../support/provider-sandboxes.ts";
import type { Plan, Weather } from "./plan.ts";
import type { RegionLink } from "./region-link.ts";

/** Makes the planned weather. What takes time goes on beside the payments; `over` waits for all of it. */
export class WeatherMaker {
  /** How many of the outages under way are each provider's. */
  readonly #away = new Map<string, number>();
  readonly #region: RegionLink;
  readonly #providers: ReadonlyMap<string, ProviderSandbox>;
  readonly #owner: Sql;
  readonly #faults: Plan["faults"];
  readonly #going = new Set<Promise<void>>();

  constructor(
    world: {
      readonly region: RegionLink;
      readonly providers: ReadonlyMap<string, ProviderSandbox>;
      readonly owner: Sql;
    },
    faults: Plan["faults"],
  ) {
    this.#faults = faults;
    this.#region = world.region;
    this.#providers = world.providers;
    this.#owner = world.owner;
  }

  make(weather: Weather): void {
    const going = this.#make(weather).catch((error: unknown) => {
      console.error(`the weather ${JSON.stringify(weather)} could not be made:`, error);
    });
    this.#going.add(going);
    void going.then(() => this.#going.delete(going));
  }

  isAway(provider: string): boolean {
    return (this.#away.get(provider) ?? 0) > 0;
  }

  async over(): Promise<void> {
    while (this.#going.size > 0) await Promise.all(this.#going);
  }

  async #make(weather: Weather): Promise<void> {
    switch (weather.kind) {
      case "down":
        return this.#leave(weather, (provider, on) => provider.settings({ down: on }));
      case "silent":
        return this.#leave(weather, (provider, on) =>
          provider.faults(on ? [{ fault: { kind: "hang" } }] : (this.#faults[provider.name] ?? [])),
        );
      case "crash":
        return this.#crash(weather.point, weather.nth);
      case "kill":
        return this.#region.kill();
      case "database_stalls":
        return this.#stall(weather.forMs);
      case "database_cut":
        await this.#owner`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like 'tessera%'`;
    }
  }

  async #leave(
    { provider: name, forMs }: Extract<Weather, { kind: "down" | "silent" }>,
    turn: (provider: ProviderSandbox, on: boolean) => Promise<void>,
  ): Promise<void> {
    const provider = this.#providers.get(name);
    if (provider === undefined) return;
    this.#away.set(name, (this.#away.get(name) ?? 0) + 1);
    await turn(provider, true);
    await pause(forMs);
    await turn(provider, false);
    this.#away.set(name, (this.#away.get(name) ?? 1) - 1);
  }

  /** A region that has just died is waited for. */
  async #crash(point: string, nth: number): Promise<void> {
    for (let attempt = 1; attempt <= 40; attempt++) {
      try {
        return void (await this.#region.call({ call: "crashAt", point, nth }));
      } catch {
        await pause(250);
      }
    }
  }

  async #stall(forMs: number): Promise<void> {
    await this.#owner.begin(async (sql) => {
      await sql`lock table payments.payment in exclusive mode`;
      await pause(forMs);
    });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
