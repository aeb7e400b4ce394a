/**
 * Where checkpoints go: outside the database, and written once. Names have a folder and a file,
 * `checkpoints/1795370343120-9f2c.json`, of lower-case letters, digits, `.`, `_` and `-`.
 */
export interface ObjectStore {
  /**
   * Keeps an object for good: when this resolves it is durable. The same bytes under the same name again change
   * nothing, so that a caller that did not hear the answer can ask again.
   * @throws {ObjectExists} something else has the name
   */
  put(name: string, bytes: Uint8Array): Promise<void>;
  get(name: string): Promise<Buffer | null>;
  /** Names in `folder` from `from` on up to `to`, both included, in ascending order. */
  list(folder: string, range?: NameRange): AsyncIterable<string>;
}

/** File names, without the folder. */
export type NameRange = { readonly from?: string; readonly to?: string };

export class ObjectExists extends Error {
  constructor(name: string) {
    super(`the object ${name} is there already, and is another`);
  }
}

/** The objects of the audit; those of one checkpoint share the file's stem. */
export const CHECKPOINTS = "checkpoints";
export const LEAVES = "leaves";

export const checkpointName = (stem: string): string => `${CHECKPOINTS}/${stem}.json`;
export const leavesName = (stem: string): string => `${LEAVES}/${stem}.bin`;
export const stemOf = (name: string): string => name.slice(name.indexOf("/") + 1, name.lastIndexOf("."));

const DIGITS = 13;

/** Begins the file names of what was written at `ms` since the Unix epoch: sorts as time does, until 2286. */
export const timePrefix = (ms: number): string =>
  String(Math.max(0, Math.floor(ms)))
    .padStart(DIGITS, "0")
    .slice(0, DIGITS);

export const msOf = (name: string): number => Number(stemOf(name).slice(0, DIGITS));

const LOOK_BACK_MS = [60_000, 3_600_000, 86_400_000, 30 * 86_400_000, Number.POSITIVE_INFINITY];

/** The name of the newest checkpoint; looks at recent ones first, since a store lists forwards only. */
export async function newestCheckpoint(store: ObjectStore, nowMs: number): Promise<string | null> {
  for (const back of LOOK_BACK_MS) {
    let newest: string | null = null;
    for await (const name of store.list(CHECKPOINTS, { from: timePrefix(nowMs - back) })) newest = name;
    if (newest !== null) return newest;
  }
  return null;
}
