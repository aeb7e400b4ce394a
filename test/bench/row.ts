import type { Bench } from "./bench.ts";
import type { CpuMeter } from "./cpu-time.ts";

/** One thing that is measured: a unit of work, and how many clients do it at once. */
export type Row = {
  /** Fixed once published: reports of different versions are compared by it. */
  readonly name: string;
  /** What one unit is, in the plural. */
  readonly units: string;
  readonly clients: number;
  /** Units a second that begin whether or not earlier ones are done; absent: a closed loop of `clients`. */
  readonly arrivals?: () => number;
  /** Does one unit; throws if it did not come out as it should. */
  readonly run: (client: number) => Promise<unknown>;
  /** The processes that take part. */
  readonly processes: readonly CpuMeter[];
  /**
   * Which of them are what an operator of Tessera pays for. The rest is the world outside: who asks, and the
   * provider.
   */
  readonly ours: readonly string[];
  /** The database that its statements go to; null if it has none. */
  readonly database: string | null;
  /** Called as the measured time begins, after warming up. */
  readonly onCount?: () => void;
  /** Called with what each interval gave. */
  readonly onSample?: (sample: Sample) => void;
  /** Measured after each interval, while nothing else runs; added to the row's sample. */
  readonly afterwards?: () => Promise<Readonly<Record<string, number>>>;
};

/** A figure made from others of the same round. */
export type DerivedRow = {
  readonly name: string;
  readonly unit: string;
  /** The rows that it is made from, in order; the baseline among them is the mean of its two in that round. */
  readonly from: readonly string[];
  readonly derive: (...samples: readonly Sample[]) => number;
};

/** Rows that share parts. The names are known before anything is started. */
export type RowGroup = {
  readonly names: readonly string[];
  readonly derived?: readonly DerivedRow[];
  /** Of the names those that take too long to prepare for a run that asks for nothing in particular. */
  readonly onlyIfAsked?: readonly string[];
  /** Starts what the `needed` ones of its rows stand on; of the others it may give none. */
  open(bench: Bench, needed: ReadonlySet<string>): Promise<OpenGroup>;
};

export type OpenGroup = {
  readonly rows: readonly Row[];
  /** Once, after all groups are filled and the checkpoint that follows, before the first round. */
  readonly settled?: () => Promise<void>;
  /** Before each round, after warming up has left its traces. */
  readonly beforeRound?: () => Promise<void>;
  /** From now on these rows reach their database by this URL; absent where they go through the platform. */
  readonly reconnect?: (databaseUrl: URL) => Promise<void>;
  close(): Promise<void>;
};

/** What one row gave in one round. Times and bytes are per unit. */
export type Sample = {
  readonly rate: number;
  readonly units: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time by process. */
  readonly cpuByProcess: Readonly<Record<string, number>>;
  /** CPU time of what is ours. */
  readonly cpuMs: number;
  readonly walBytes: number;
  /** Times that the write-ahead log was made durable; below 1 per commit, where commits share one. */
  readonly walSyncs: number;
  /** Pages that went into the log whole, as the first change after a checkpoint does. */
  readonly fullPages: number;
  readonly failures: number;
  readonly firstFailure: string | null;
  /** What `afterwards` measured. */
  readonly extras: Readonly<Record<string, number>>;
  /** Shares of the machine (0..1): taken by processes that have nothing to do with the row, and by its host. */
  readonly others: number;
  readonly stolen: number;
};
