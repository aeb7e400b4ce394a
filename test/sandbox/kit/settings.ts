/**
 * What the control API can turn while a sandbox runs. A setting is declared by its first value and by what it
 * accepts; a provider's settings are the shared ones and its own in one object.
 *
 * Settings, like faults, are the test's and not the provider's: they are not kept over a restart.
 */

/** One setting. `read` gives the new value, or undefined where what a test sent is not one. */
export type Setting<V> = {
  readonly initial: V;
  readonly read: (sent: unknown, current: V) => V | undefined;
};

export type SettingsSpec = { readonly [name: string]: Setting<never> };

/** The values that a declaration stands for. */
export type ValuesOf<S> = {
  readonly [N in keyof S]: S[N] extends { readonly initial: infer V } ? V : never;
};

/** The declaration that gives these values. */
export type SpecOf<V> = { readonly [N in keyof V]: Setting<V[N]> };

/** What a test may send: some of the settings, and of a group some of its members. */
export type SettingsChange<V> = {
  readonly [N in keyof V]?: V[N] extends Readonly<Record<string, unknown>> ? SettingsChange<V[N]> : V[N];
};

/** True or false. */
export function flag(initial: boolean): Setting<boolean> {
  return { initial, read: (sent) => (typeof sent === "boolean" ? sent : undefined) };
}

/** A number of zero or more (milliseconds, counts), up to `most`. */
export function count(initial: number, most: number = Number.MAX_SAFE_INTEGER): Setting<number> {
  const fits = (sent: unknown): sent is number => typeof sent === "number" && sent >= 0 && sent <= most;
  return { initial, read: (sent) => (fits(sent) ? sent : undefined) };
}

/** From 0 (never) to 1 (always). */
export function probability(initial: number): Setting<number> {
  return count(initial, 1);
}

export function text(initial: string): Setting<string> {
  return { initial, read: (sent) => (typeof sent === "string" ? sent : undefined) };
}

export function choice<const C extends string>(initial: NoInfer<C>, choices: readonly C[]): Setting<C> {
  return { initial, read: (sent) => choices.find((known) => known === sent) };
}

/** An http address, or null for none. */
export function address(initial: string | null): Setting<string | null> {
  const fits = (sent: unknown): sent is string | null =>
    sent === null || (typeof sent === "string" && /^https?:\/\//.test(sent) && URL.canParse(sent));
  return { initial, read: (sent) => (fits(sent) ? sent : undefined) };
}

/** Settings under one name; those that a test does not send stay. */
export function group<V extends object>(spec: SpecOf<V>): Setting<V> {
  return { initial: initialOf(spec), read: (sent, current) => changeSettings(spec, current, sent) };
}

export function initialOf<V extends object>(spec: SpecOf<V>): V {
  const names = Object.keys(spec) as (keyof V)[];
  return Object.fromEntries(names.map((name) => [name, spec[name].initial])) as V;
}

/**
 * The settings with some of them changed. `change` is whatever JSON a test sent.
 * Throws a `TypeError` that names the setting where one is unknown or has a wrong value.
 */
export function changeSettings<V extends object>(spec: SpecOf<V>, current: V, change: unknown): V {
  if (typeof change !== "object" || change === null || Array.isArray(change)) {
    throw new TypeError("settings must be a JSON object");
  }
  const next = { ...current };
  for (const [name, sent] of Object.entries(change)) {
    if (!Object.hasOwn(spec, name)) throw new TypeError(`unknown setting: ${name}`);
    const key = name as keyof V;
    const value = spec[key].read(sent, current[key]);
    if (value === undefined) throw new TypeError(`wrong value for setting ${name}`);
    next[key] = value;
  }
  return next;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** How webhooks go wrong, all by chance that is drawn from the seed. */
const webhookSettings = {
  /** Where they go; null sends none, except events that name an address themselves. */
  url: address(null),
  /** What signs them, in the form that the provider's dialect has for it. */
  secret: text("sandbox-webhook-secret"),
  /** How long after the change they leave, in milliseconds, and by how much that varies. */
  delayMs: count(0),
  jitterMs: count(0),
  duplicateProbability: probability(0),
  /** Never sent at all, and not tried again. */
  dropProbability: probability(0),
  /** Those of one window leave in another order than they came about. */
  reorder: flag(false),
  reorderWindowMs: count(50),
  /** What is not accepted is tried again, each time after twice the wait. */
  maxAttempts: count(10),
  retryDelayMs: count(200),
  timeoutMs: count(10_000),
};

/** The settings that every sandbox has. */
export const sharedSettings = {
  /** Chance starts over from this number each time that it is set. */
  seed: count(1),
  /** Every connection is reset as soon as a request begins, and no webhook leaves. The control still answers. */
  down: flag(false),
  /** How long every request takes before it is executed, in milliseconds, and by how much that varies. */
  latencyMs: count(0),
  latencyJitterMs: count(0),
  /** The age at which idempotency keys are pruned. */
  idempotencyKeyTtlMs: count(DAY_MS),
  /** Requests beyond this many in a second are refused; 0 is no limit. */
  rateLimitPerSecond: count(0),
  webhooks: group(webhookSettings),
};

export type WebhookSettings = ValuesOf<typeof webhookSettings>;
export type SharedSettings = ValuesOf<typeof sharedSettings>;
