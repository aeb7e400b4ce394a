import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identityOf, isAlive, type ProcessIdentity } from "../../cli/proc.mjs";
import { endGroup, endPostgres } from "./ending.ts";
import type { EndingKind } from "./reaper.ts";

/** A process that a launcher has started, as its run file names it. */
export type RunChild = {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly kind: EndingKind;
};

type Run = { readonly launcher: ProcessIdentity | null; readonly children: readonly RunChild[] };

/** What the reaper would have given it. */
const LEFTOVER_MS = 2_500;

const fileIn = (dir: string) => join(dir, "run.json");

/** Writes down who runs on this folder, in one step, so that a reader never sees half of it. */
export function writeRunFile(dir: string, children: readonly RunChild[]): void {
  const run: Run = {
    launcher: identityOf(process.pid),
    children: children.map(({ name, identity, kind }) => ({ name, identity, kind })),
  };
  const aside = `${fileIn(dir)}.new`;
  writeFileSync(aside, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  renameSync(aside, fileIn(dir));
}

export function removeRunFile(dir: string): void {
  rmSync(fileIn(dir), { force: true });
}

function isRunChild(value: unknown): value is RunChild {
  const { name, identity, kind } = (value ?? {}) as Partial<RunChild>;
  return (
    typeof name === "string" &&
    typeof identity?.pid === "number" &&
    typeof identity.ticks === "string" &&
    typeof identity.boot === "string" &&
    (kind === "group" || kind === "postgres")
  );
}

function readChildren(dir: string): readonly RunChild[] {
  try {
    const run = JSON.parse(readFileSync(fileIn(dir), "utf8")) as Partial<Run>;
    return Array.isArray(run.children) ? run.children.filter(isRunChild) : [];
  } catch {
    return []; // no earlier run, or one that a power cut left half written
  }
}

/**
 * Ends what a broken run on this folder has left: the children in its run file that are, by number, start time and
 * boot, still the same processes. Call it only while this process holds the folder's claim.
 */
export async function endLeftovers(dir: string, log: (line: string) => void): Promise<void> {
  const left = readChildren(dir).filter(({ identity }) => isAlive(identity));
  const endAll = (children: readonly RunChild[]) =>
    Promise.all(
      children.map(({ name, identity, kind }) => {
        log(`ending ${name} (process ${identity.pid}), which an earlier run has left behind`);
        return kind === "postgres" ? endPostgres(identity) : endGroup(identity, { patienceMs: LEFTOVER_MS });
      }),
    );
  await endAll(left.filter(({ kind }) => kind === "group"));
  await endAll(left.filter(({ kind }) => kind === "postgres"));
  removeRunFile(dir);
}
