/**
 * What the control API can turn while the sandbox runs. Settings, like faults, are the test's and not the
 * provider's: they are not kept over a restart.
 */

export type Settings = {
  /** Every connection is reset as soon as a request begins. The control API still answers. */
  readonly down: boolean;
  /** How long every request takes before it is executed, in milliseconds, and by how much that varies. */
  readonly latencyMs: number;
  readonly latencyJitterMs: number;
  /** The age at which idempotency keys are pruned. */
  readonly idempotencyKeyTtlMs: number;
  /** How long a change takes to show in search. */
  readonly searchLagMs: number;
  /** Whether the account may capture a payment more than once. */
  readonly multicapture: boolean;
  /** How long the refund test cards take to change a refund's status. */
  readonly refundDelayMs: number;
  /** How long a balance transaction stays hidden after an asynchronous capture. */
  readonly asyncCaptureLagMs: number;
  /** Whether the fraud check blocks payments of the highest risk (the provider's default). */
  readonly blockHighestRisk: boolean;
  /** What becomes of numbers that are not test cards: accepted, or declined as a live card in test mode. */
  readonly unknownCards: "accept" | "decline";
};

const DAY_MS = 24 * 60 * 60 * 1000;

export const DEFAULT_SETTINGS: Settings = {
  down: false,
  latencyMs: 0,
  latencyJitterMs: 0,
  idempotencyKeyTtlMs: DAY_MS,
  searchLagMs: 1_000,
  multicapture: true,
  refundDelayMs: 1_000,
  asyncCaptureLagMs: 500,
  blockHighestRisk: true,
  unknownCards: "accept",
};

/**
 * The settings with some of them changed. `change` is whatever JSON a test sent.
 * Throws a `TypeError` that names the setting where one is unknown or has a wrong value.
 */
export function changeSettings(current: Settings, change: unknown): Settings {
  if (typeof change !== "object" || change === null || Array.isArray(change)) {
    throw new TypeError("settings must be a JSON object");
  }
  const next: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(change)) {
    if (!(name in DEFAULT_SETTINGS)) throw new TypeError(`unknown setting: ${name}`);
    const expected = typeof DEFAULT_SETTINGS[name as keyof Settings];
    const fits =
      typeof value === expected &&
      (typeof value !== "number" || (Number.isFinite(value) && value >= 0)) &&
      (name !== "unknownCards" || value === "accept" || value === "decline");
    if (!fits) throw new TypeError(`wrong value for setting ${name}`);
    next[name] = value;
  }
  return next as Settings;
}
