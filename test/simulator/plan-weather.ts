import type { Fault, FaultRule } from "../sandbox/kit/faults.ts";
import { Dice } from "./dice.ts";
import type { ProviderName, Weather } from "./plan.ts";

/** What goes wrong: with single requests, by chance; and with providers, the region and the database, at planned times. */

const KINDS = ["authorize", "capture", "refund", "void", "increment"] as const;
const POINTS = [
  "before-commit-1",
  "after-commit-1",
  "after-provider",
  "before-commit-2",
  "after-commit-2",
] as const;

/** Every named point of every kind of operation. */
export const CRASH_POINTS: readonly string[] = KINDS.flatMap((kind) =>
  POINTS.map((point) => `${kind}.${point}`),
);

export function plannedWeather({
  seed,
  payments,
  providers,
  downMs,
  crashes = 2,
  databaseCuts = 2,
}: {
  readonly seed: number;
  readonly payments: number;
  readonly providers: readonly ProviderName[];
  readonly downMs: number;
  readonly crashes?: number | undefined;
  readonly databaseCuts?: number | undefined;
}): Weather[] {
  const dice = new Dice(seed, "weather");
  // Not at the very end: what is to go wrong needs payments that meet it.
  const sometime = () => dice.whole(1, Math.max(1, Math.floor(payments * 0.85)));
  const points = Array.from({ length: Math.floor(crashes) }, () => CRASH_POINTS).flat();
  const some = CRASH_POINTS.filter(() => dice.chance(crashes % 1));
  const weather: Weather[] = [
    ...[...points, ...some].map(
      (point): Weather => ({ kind: "crash", at: sometime(), point, nth: dice.whole(1, 6) }),
    ),
    ...providers.map((provider): Weather => ({ kind: "down", at: sometime(), provider, forMs: downMs })),
    { kind: "silent", at: sometime(), provider: dice.pick(providers), forMs: Math.ceil(downMs / 2) },
    { kind: "kill", at: sometime() },
    { kind: "kill", at: sometime() },
    { kind: "database_stalls", at: sometime(), forMs: dice.whole(400, 2_500) },
    { kind: "database_stalls", at: sometime(), forMs: dice.whole(400, 2_500) },
    ...Array.from({ length: databaseCuts }, (): Weather => ({ kind: "database_cut", at: sometime() })),
  ];
  return weather.sort((a, b) => a.at - b.at);
}

const sometimes = (probability: number, fault: Fault, match?: FaultRule["match"]): FaultRule => ({
  probability,
  fault,
  ...(match === undefined ? {} : { match }),
});

/** About one request in nine that acts goes wrong, and one look-up in twelve. */
export function faultRules(provider: ProviderName): FaultRule[] {
  const acting = (method: string): FaultRule[] =>
    (
      [
        [0.025, { kind: "lose_response" }],
        [0.008, { kind: "status_after", status: 500, stored: "result" }],
        [0.006, { kind: "status_after", status: 502, stored: "result" }],
        [0.012, { kind: "reset" }],
        [0.01, { kind: "status", status: 500 }],
        [0.008, { kind: "status", status: 503 }],
        [0.008, { kind: "status", status: 409 }],
        [0.006, { kind: "status", status: 429 }],
        [0.006, { kind: "garbage", work: true }],
        [0.004, { kind: "garbage", work: false }],
        [0.004, { kind: "hang" }],
        [0.008, { kind: "land_late", afterMs: 400 }],
        [0.003, { kind: "land_late", afterMs: 2_500, hang: true }],
        // When it has been looked for already, and was not found.
        [0.008, { kind: "land_late", afterMs: 6_000 }],
        [0.01, { kind: "delay", ms: 250 }],
      ] satisfies [number, Fault][]
    ).map(([probability, fault]) => sometimes(probability, fault, { method }));
  const lookups = [
    sometimes(0.03, { kind: "status", status: 503 }, { method: "GET" }),
    sometimes(0.02, { kind: "reset" }, { method: "GET" }),
    sometimes(0.01, { kind: "garbage", work: false }, { method: "GET" }),
    sometimes(0.02, { kind: "delay", ms: 200 }, { method: "GET" }),
  ];
  // A 500 that the key remembers: only what the provider shows can tell.
  const remembered =
    provider === "stripe"
      ? [sometimes(0.006, { kind: "status_after", status: 500, stored: "status" }, { method: "POST" })]
      : [];
  return [...remembered, ...acting("POST"), ...(provider === "mollie" ? acting("DELETE") : []), ...lookups];
}
