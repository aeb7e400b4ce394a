import { verifyBooks } from "./books-verified.ts";
import { compareBooks, type ProviderBook } from "./compare.ts";
import { checkAnswers, checkHistories } from "./histories.ts";
import { pause, playPayment } from "./merchant.ts";
import type { Plan } from "./plan.ts";
import { type Problem, Problems } from "./problems.ts";
import { dossier, readKeys, readPayments, underWay } from "./records.ts";
import type { Stage } from "./stage.ts";
import { type Waits, Watch } from "./waits.ts";
import { WeatherMaker } from "./weather.ts";
import { type SimulatedWorld, startWorld, type WorldOptions } from "./world.ts";

/**
 * A fault run. Phases: 1 start the world | 2 play all payments while everything goes wrong as planned | 3 end the faults and
 * wait until nothing is under way | 4 stop the region | 5 compare what providers, payments and ledger say.
 */
export type RunOptions = WorldOptions & {
  /** Payments that are played at the same time. */
  readonly atOnce: number;
  /** How long a merchant asks again before it gives up, in ms. */
  readonly patienceMs: number;
  /** How long phase 3 may take, in ms. */
  readonly quietWithinMs: number;
  /** Gets a line every few seconds. */
  readonly say: (line: string) => void;
};

export type RunResult = {
  readonly problems: readonly Problem[];
  /** What the database knows of the payments that problems name. */
  readonly dossier: readonly object[];
  readonly payments: number;
  readonly operations: number;
  readonly states: Readonly<Record<string, number>>;
  readonly atProviders: Readonly<Record<string, number>>;
  /** How often the region was killed, and how often it ended by an error that nobody had ordered. */
  readonly deaths: number;
  readonly crashes: number;
  /** The longest time without a region, in ms. */
  readonly longestGapMs: number;
  readonly waits: Waits;
  /** Requests that the region failed to answer through its own fault: allowed, since merchants ask again. */
  readonly faults: ReadonlyMap<string, number>;
  readonly newsAnswered: ReadonlyMap<number, number>;
  readonly newsFailed: ReadonlyMap<string, number>;
  readonly rows: { readonly reconciled: number; readonly audited: number };
  readonly ms: { readonly played: number; readonly quiet: number; readonly all: number };
};

const SAY_EVERY_MS = 5_000;

export async function runPlan(plan: Plan, options: RunOptions): Promise<RunResult> {
  const began = performance.now();
  const world = await startWorld(plan, options);
  try {
    return await runIn(world, plan, options, began);
  } finally {
    await world.stop();
  }
}

async function runIn(
  world: SimulatedWorld,
  plan: Plan,
  options: RunOptions,
  began: number,
): Promise<RunResult> {
  const problems = new Problems();
  const weather = new WeatherMaker(world, plan.faults);
  const stage: Stage = {
    region: world.region,
    vault: world.vault,
    merchants: world.merchants,
    providers: world.providers,
    patienceMs: options.patienceMs,
    problems,
    answers: [],
    payersDone: new Map(),
    faults: new Map(),
  };
  const watch = new Watch(world.owner, {
    isAway: (provider) => world.region.isAway || weather.isAway(provider),
    payerIsDone: (payment) => stage.payersDone.has(payment),
  });
  await beginFaults(world, plan);
  const playing = performance.now();
  await playAll(stage, plan, options, weather);
  await weather.over();
  const played = performance.now() - playing;
  options.say(`${plan.payments.length} payments are played; the faults end`);
  await endFaults(world);
  const quiet = await untilQuiet(world, stage, problems, options);
  await watch.stop();
  await world.region.stop();

  const payments = await readPayments(world.owner);
  const keys = await readKeys(world.owner);
  compareBooks(problems, await booksOf(world), payments);
  checkHistories(problems, payments, { plan, payersDone: stage.payersDone });
  checkAnswers(problems, stage.answers, payments, keys);
  const waits = watch.waits(problems, payments, { settledByItselfMs: options.providerDeadlineMs + 500 });
  const rows = await verifyBooks(problems, world);
  const concerned = new Set(problems.all.flatMap(({ message }) => message.match(/pay_\w+/g) ?? []));
  const all = [...payments.values()];
  return {
    problems: problems.all,
    dossier: await dossier(world.owner, [...concerned].slice(0, 100)),
    payments: all.length,
    operations: all.reduce((sum, { operations }) => sum + operations.length, 0),
    states: countedBy(all, ({ state }) => state),
    atProviders: countedBy(all, ({ provider }) => provider),
    deaths: world.region.gaps.length,
    crashes: world.region.crashes,
    longestGapMs: Math.max(0, ...world.region.gaps.map(({ from, until }) => until - from)),
    waits,
    faults: stage.faults,
    newsAnswered: world.edge.answered,
    newsFailed: world.edge.failed,
    rows,
    ms: { played, quiet, all: performance.now() - began },
  };
}

const countedBy = <T>(all: readonly T[], of: (one: T) => string): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(all, of)].map(([name, own]) => [name, own.length]));

/** News that goes wrong at the provider. What is lost for good is lost by the edge. */
const NEWS_FAULTS = {
  delayMs: 10,
  jitterMs: 300,
  duplicateProbability: 0.15,
  reorder: true,
  reorderWindowMs: 80,
  maxAttempts: 20,
  retryDelayMs: 60,
};

async function beginFaults({ providers, edge }: SimulatedWorld, plan: Plan): Promise<void> {
  edge.refuses = 0.1;
  edge.swallows = 0.03;
  for (const provider of providers.values()) {
    await provider.settings({ webhooks: NEWS_FAULTS });
    await provider.faults(plan.faults[provider.name] ?? []);
  }
}

async function endFaults({ providers, edge }: SimulatedWorld): Promise<void> {
  edge.refuses = 0;
  edge.swallows = 0;
  for (const provider of providers.values()) {
    await provider.faults([]);
    await provider.settings({ down: false, webhooks: { duplicateProbability: 0, reorder: false } });
  }
}

/** So many at once, in the plan's order; the weather changes as they begin. */
async function playAll(stage: Stage, plan: Plan, options: RunOptions, weather: WeatherMaker): Promise<void> {
  const began = performance.now();
  let next = 0;
  let done = 0;
  let forecast = 0;
  const say = setInterval(() => {
    const elapsed = (performance.now() - began) / 1_000;
    options.say(
      `${elapsed.toFixed(0).padStart(4)} s  ${done} of ${plan.payments.length} payments, ${Math.round(done / elapsed)} a second; ` +
        `region died ${stage.region.gaps.length} times; ${stage.problems.all.length} problems`,
    );
  }, SAY_EVERY_MS);
  const play = async () => {
    for (;;) {
      const planned = plan.payments[next++];
      if (planned === undefined) return;
      for (; (plan.weather[forecast]?.at ?? Number.POSITIVE_INFINITY) <= planned.index; forecast++)
        weather.make(plan.weather[forecast] as Plan["weather"][number]);
      await playPayment(stage, planned).catch((error: unknown) =>
        stage.problems.add("simulator", String((error as Error).stack ?? error), planned.index),
      );
      done++;
    }
  };
  try {
    await Promise.all(Array.from({ length: options.atOnce }, play));
  } finally {
    clearInterval(say);
  }
}

/** Until no operation, no event and no news is under way, but for payments whose payer never comes. */
async function untilQuiet(
  { owner, providers }: SimulatedWorld,
  stage: Stage,
  problems: Problems,
  { quietWithinMs, say }: RunOptions,
): Promise<number> {
  const began = performance.now();
  for (let said = began; ; ) {
    const { operations, events } = await underWay(owner);
    const open = operations.filter(
      ({ payment, state }) => state === "claimed" || stage.payersDone.has(payment),
    );
    const news = await Promise.all([...providers.values()].map((provider) => provider.waitingWebhooks()));
    const waiting = news.reduce((sum, count) => sum + count, 0);
    const elapsed = performance.now() - began;
    if (open.length + events + waiting === 0) return elapsed;
    const standing = `${open.length} operations, ${events} events and ${waiting} pieces of news are under way`;
    if (elapsed > quietWithinMs) {
      problems.add("not quiet", `${standing} ${Math.round(elapsed / 1_000)} s after the faults ended`);
      return elapsed;
    }
    if (performance.now() - said > SAY_EVERY_MS) {
      said = performance.now();
      say(standing);
    }
    await pause(200);
  }
}

const booksOf = ({ providers }: SimulatedWorld): Promise<ProviderBook[]> =>
  Promise.all(
    [...providers.values()].map(async (provider) => ({
      provider: provider.name,
      movements: await provider.book(),
    })),
  );
