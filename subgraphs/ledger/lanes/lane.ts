import type { KeyObject } from "node:crypto";
import type { Logger } from "pino";
import type { Sql } from "postgres";
import type { Clock } from "../../kernel/clock.ts";
import type { CommitResult } from "../commit.ts";
import type { AccountIds } from "./account-ids.ts";
import type { Entry } from "./entry.ts";
import { failureOf, isOutOfRange } from "./failures.ts";
import { ChainBroken, readHead } from "./heads.ts";
import { type Care, statementFor } from "./parameters.ts";
import { type BatchLimits, CommitQueue } from "./queue.ts";
import { type Head, headAfter, type Sealed, type SealedBatch, seal } from "./seal.ts";

/** What a lane works with. `sql` has one connection, whose role may execute the write function. */
export type LaneOptions = {
  readonly sql: Sql;
  readonly accounts: AccountIds;
  readonly auditKey: KeyObject;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: BatchLimits;
  /** Called with every batch that is applied, before its commits are answered. */
  readonly onBatch: (batch: SealedBatch) => void;
};

type Waiting = {
  readonly entry: Entry;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
};

/** What the write function answers of a batch that it did not apply. */
type Answer = { readonly failed: readonly FailedCommit[] };
type FailedCommit = { readonly ordinal: number } & CommitResult;

const ATTEMPTS = 12;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;
/** After a batch that had to be judged, so many are judged at once: what fails seldom comes alone. */
const JUDGED_BATCHES = 8;
const MOST_DOUBTFUL = 1_000;
const APPLIED: CommitResult = { outcome: "applied" };
const TRUSTING: Care = { judge: false, recall: false };

/**
 * Applies commits of its shards in the order in which they came: what has queued while one batch was under way is
 * the next one. Nothing waits for a timer; an idle lane sends at once.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #queue = new CommitQueue<Waiting>();
  readonly #heads = new Map<number, Head>();
  readonly #broken = new Map<number, ChainBroken>();
  /** Shards whose head must be read again before anything is built on it. */
  readonly #unsure = new Set<number>();
  /** The last batches of which nobody knows whether they were applied, by their MAC. */
  readonly #doubtful = new Map<string, SealedBatch>();
  /** So many batches are still judged at once. */
  #judging = 0;
  #running: Promise<void> | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Commits that wait for a batch. */
  get queued(): number {
    return this.#queue.length;
  }

  apply(entry: Entry): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject });
      // What else is asked for in this turn of the event loop goes with it.
      this.#running ??= new Promise<void>((next) => setImmediate(next)).then(() => this.#run());
    });
  }

  /** Takes no more commits of this shard. */
  freeze(broken: ChainBroken): void {
    this.#broken.set(broken.shard, broken);
  }

  /** Resolves once nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#settle(this.#queue.take(this.#options.limits));
    this.#running = null;
  }

  /** Answers every commit of a batch. Never throws. */
  async #settle(batch: readonly Waiting[]): Promise<void> {
    let waiting = batch;
    let care: Care = { judge: this.#judging > 0, recall: false };
    if (care.judge) this.#judging--;
    let lost: Sealed | null = null;
    for (let attempt = 1; waiting.length > 0; ) {
      try {
        if (lost !== null && (await this.#hasBeenApplied(lost))) {
          this.#applied(waiting, lost);
          return;
        }
        // Not as the last link, but perhaps before another writer's: then its commits are found by their ids.
        lost = null;
        waiting = await this.#withoutBroken(waiting);
        if (waiting.length === 0) return;
        const sealed = this.#seal(waiting);
        lost = sealed;
        const answer = await this.#send(sealed, care);
        lost = null;
        if (answer === null) {
          for (const batch of sealed.batches) this.#options.onBatch(batch);
          this.#applied(waiting, sealed);
          return;
        }
        waiting = answerFailed(waiting, answer.failed);
        care = TRUSTING; // the others have been looked at
      } catch (error) {
        const failure = failureOf(error);
        if (failure === "again") {
          for (const batch of lost?.batches ?? []) this.#doubt(batch);
          if (attempt < ATTEMPTS) {
            await this.#pause(attempt++, error);
            care = { ...care, recall: true };
            continue;
          }
        }
        if (failure !== "again") lost = null;
        if (failure === "moved") {
          // What the other writer wrote is followed before the next attempt, and may have been these commits.
          for (const { entry } of waiting) this.#unsure.add(entry.shard);
          care = { ...care, recall: true };
        } else if (failure === "judge" && !care.judge) {
          care = { ...care, judge: true };
          this.#judging = JUDGED_BATCHES;
        } else if (failure === "recall" && !care.recall) {
          care = { ...care, recall: true };
        } else if (failure !== "again" && waiting.length > 1) {
          const middle = Math.ceil(waiting.length / 2);
          await this.#settle(waiting.slice(0, middle));
          waiting = waiting.slice(middle);
        } else {
          // The next batch looks where the chains stand, and whether this one is in them.
          for (const { entry } of waiting) this.#unsure.add(entry.shard);
          failAll(waiting, error);
          return;
        }
      }
    }
  }

  #seal(waiting: readonly Waiting[]): Sealed {
    const { clock, auditKey } = this.#options;
    return seal(
      waiting.map(({ entry }) => entry),
      (shard) => this.#heads.get(shard) as Head,
      clock.now(),
      auditKey,
    );
  }

  async #send(sealed: Sealed, care: Care): Promise<Answer | null> {
    const { sql, accounts } = this.#options;
    const { text, parameters } = statementFor(sealed, care, accounts);
    const rows = await sql.unsafe<{ answer: Answer | null }[]>(text, parameters, { prepare: true });
    return (rows[0] as { answer: Answer | null }).answer;
  }

  #applied(waiting: readonly Waiting[], { entries, batches }: Sealed): void {
    const { accounts } = this.#options;
    for (const batch of batches) this.#heads.set(batch.header.shard, headAfter(batch));
    for (const { shard, opens } of entries) for (const account of opens) accounts.opened(shard, account);
    for (const { resolve } of waiting) resolve(APPLIED);
  }

  /** Knows the heads of all shards of the batch; commits of a shard whose chain is broken are answered and left out. */
  async #withoutBroken(waiting: readonly Waiting[]): Promise<readonly Waiting[]> {
    for (const { entry } of waiting) {
      const { shard } = entry;
      const known = this.#heads.get(shard);
      if (this.#broken.has(shard) || (known !== undefined && !this.#unsure.has(shard))) continue;
      await this.#learn(shard, known);
    }
    if (this.#broken.size === 0) return waiting;
    return waiting.filter(({ entry, reject }) => {
      const broken = this.#broken.get(entry.shard);
      if (broken !== undefined) reject(broken);
      return broken === undefined;
    });
  }

  /**
   * The answer to a batch was lost: where its chains end with what was sent, it has been applied. A batch without
   * transfers leaves no link; its commits are found by their ids when it is sent again.
   */
  async #hasBeenApplied(sent: Sealed): Promise<boolean> {
    await this.#follow(sent);
    return (
      sent.batches.length > 0 &&
      sent.batches.every(({ header, mac }) => this.#heads.get(header.shard)?.mac.equals(mac) === true)
    );
  }

  /** Another writer may have continued a chain: follows what it wrote. */
  async #follow({ batches }: Sealed): Promise<void> {
    for (const { header } of batches) await this.#learn(header.shard, this.#heads.get(header.shard));
  }

  async #learn(shard: number, known: Head | undefined): Promise<void> {
    const { sql, auditKey, log } = this.#options;
    try {
      const found = (mac: Buffer) => this.#tellLate(mac);
      this.#heads.set(shard, await readHead(sql, shard, known, auditKey, found));
      this.#unsure.delete(shard);
    } catch (error) {
      if (!(error instanceof ChainBroken)) throw error;
      this.#broken.set(shard, error);
      log.fatal({ err: error, shard }, "a shard is frozen: its chain is not ours");
    }
  }

  #doubt(batch: SealedBatch): void {
    if (this.#doubtful.size >= MOST_DOUBTFUL) this.#doubtful.clear();
    this.#doubtful.set(batch.mac.toString("hex"), batch);
  }

  /** A batch whose answer was lost turns out to be in its chain. */
  #tellLate(mac: Buffer): void {
    const name = mac.toString("hex");
    const batch = this.#doubtful.get(name);
    if (batch === undefined) return;
    this.#doubtful.delete(name);
    this.#options.onBatch(batch);
  }

  async #pause(attempt: number, error: unknown): Promise<void> {
    this.#options.log.warn({ err: error, attempt }, "a batch is sent again");
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * (0.5 + Math.random());
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Answers the failed commits; gives the others. */
function answerFailed(waiting: readonly Waiting[], failed: readonly FailedCommit[]): readonly Waiting[] {
  const results = new Map(failed.map(({ ordinal, ...result }) => [ordinal, result as CommitResult]));
  return waiting.filter(({ resolve }, index) => {
    const result = results.get(index + 1);
    if (result !== undefined) resolve(result);
    return result === undefined;
  });
}

function failAll(waiting: readonly Waiting[], error: unknown): void {
  for (const { resolve, reject } of waiting) {
    if (isOutOfRange(error)) resolve({ outcome: "refused", reason: "balance_out_of_range" });
    else reject(error);
  }
}
