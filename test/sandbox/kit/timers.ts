/**
 * What happens at a provider by itself, later: refunds that change their status, payments that are decided,
 * holds that expire. The due time is in the record, so that a restart forgets none of it.
 */

import type { Table } from "./table.ts";
import type { Work } from "./work.ts";
import type { Decision, World } from "./world.ts";

/** For each kind of record that does something by itself: what is next, and how it comes about. */
export type Decisions<T extends World> = {
  readonly [K in keyof T["kinds"]]?: {
    readonly next: (record: T["kinds"][K]) => Decision | null;
    /** Must leave a record whose next decision is another one, or none. */
    readonly decide: (work: Work<T>, id: string) => void;
  };
};

export type Timers<T extends World> = {
  /** Looks at records that a unit of work has changed, and waits for those with a decision to come. */
  readonly watch: (work: Work<T>) => void;
  readonly watchAll: () => void;
  readonly stop: () => void;
};

/** The longest that Node's timers can wait; beyond it they would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * `change` runs a change in a unit of work that bears the given idempotency key, and applies it.
 */
export function startTimers<T extends World>(
  decisions: Decisions<T>,
  tables: { readonly [K in keyof T["kinds"]]: Table<T["kinds"][K]> },
  now: () => number,
  change: (idempotencyKey: string | null, decide: (work: Work<T>) => void) => void,
): Timers<T> {
  type Kind = keyof T["kinds"] & string;
  const kinds = Object.keys(decisions) as Kind[];
  const waiting = new Map<string, { readonly atMs: number; readonly timer: NodeJS.Timeout }>();

  const wait = (kind: Kind, record: T["kinds"][Kind]): void => {
    const name = `${kind} ${record.id}`;
    const next = decisions[kind]?.next(record) ?? null;
    const before = waiting.get(name);
    if (before?.atMs === next?.atMs) return;
    clearTimeout(before?.timer);
    waiting.delete(name);
    if (next === null) return;
    const leftMs = Math.max(0, next.atMs - now());
    const timer = setTimeout(
      () => {
        waiting.delete(name);
        const current = tables[kind].get(record.id);
        if (current === undefined) return;
        if (leftMs > MAX_TIMER_MS) wait(kind, current);
        else change(next.idempotencyKey, (work) => decisions[kind]?.decide(work, record.id));
      },
      Math.min(MAX_TIMER_MS, leftMs),
    );
    waiting.set(name, { atMs: next.atMs, timer });
  };

  return {
    watch(work) {
      const put = work.staged();
      for (const kind of kinds) for (const record of put[kind] ?? []) wait(kind, record);
    },
    watchAll() {
      for (const kind of kinds) for (const record of tables[kind].values()) wait(kind, record);
    },
    stop() {
      for (const { timer } of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}
