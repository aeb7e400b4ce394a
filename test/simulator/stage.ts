import type { ProviderSandbox } from "../support/provider-sandboxes.ts";
import type { Problems } from "./problems.ts";
import type { Told } from "./protocol.ts";
import type { RegionLink } from "./region-link.ts";
import type { SimulatedVault } from "./vault.ts";

/** What merchants and payers act on, and what they remember of it. */
export type Stage = {
  readonly region: RegionLink;
  readonly vault: SimulatedVault;
  /** By their number in the plan. */
  readonly merchants: readonly string[];
  readonly providers: ReadonlyMap<string, ProviderSandbox>;
  /** How long a merchant asks again before it gives up, in ms. */
  readonly patienceMs: number;
  readonly problems: Problems;
  /** Every last answer that a merchant got. */
  readonly answers: Answer[];
  /** When a payer was done with a payment, in ms since 1970; by the payment's id. */
  readonly payersDone: Map<string, number>;
  /** Requests that failed through the region's own fault, by the first line of what it said. */
  readonly faults: Map<string, number>;
};

/** What a merchant was told last about one of its requests. */
export type Answer = {
  readonly payment: number;
  readonly step: number;
  readonly merchant: string;
  readonly key: string;
  readonly told: Told;
};
