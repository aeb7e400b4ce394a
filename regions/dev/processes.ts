import type { ProcessIdentity } from "../../cli/proc.mjs";
import { claimFolder } from "./claim.ts";
import { openPrivateFolder } from "./home.ts";
import { StartProblem } from "./problem.ts";
import { type EndingKind, startReaper } from "./reaper.ts";
import { endLeftovers, removeRunFile, writeRunFile } from "./run-file.ts";
import { type Service, type ServiceSpec, startService } from "./service.ts";

/** A process that someone else has started and knows how to stop. */
export type Adopted = {
  readonly name: string;
  readonly identity: ProcessIdentity;
  readonly kind: EndingKind;
  readonly exited: Promise<unknown>;
  stop(): Promise<unknown>;
};

/**
 * What starts and ends a set of processes that belong together: `npm start`, an end-to-end test, a bench. However
 * the launcher itself ends, none of them stays: in order by `stopAll`; by the reaper, if it exits or is
 * killed with -9; by the next launcher on the same folder, if the reaper was killed, too.
 */
export type Launcher = {
  readonly dir: string;
  /** True from the first call of `stopAll` on. */
  readonly stopping: boolean;
  /**
   * Starts a service and waits until it is ready.
   * @throws {ServiceNotReadyError} it ended, or took too long; it has been stopped
   * @throws {StartProblem} STOPPING, if `stopAll` was called
   */
  spawnService(spec: ServiceSpec): Promise<Service>;
  /** Takes a running process into the same care: run file, reaper, `stopAll`. */
  adopt(child: Adopted): void;
  /** Stops everything, the last started first, and gives the folder up. The launcher is then of no more use. */
  stopAll(): Promise<void>;
};

export type LauncherOptions = {
  /** Where its run file is kept; created if missing. One launcher at a time. */
  readonly dir: string;
  readonly log: (line: string) => void;
};

/**
 * Claims a folder, ends what an earlier launcher has left there, and starts the reaper.
 * @throws {FolderInUseError} another live launcher works on the folder
 * @throws {StartProblem} FOLDER_NOT_USABLE
 */
export async function openLauncher({ dir, log }: LauncherOptions): Promise<Launcher> {
  await openPrivateFolder(dir);
  const claim = await claimFolder(dir);
  await endLeftovers(dir, log);
  const reaper = startReaper();
  const children = new Set<Adopted>();
  const newest = () => [...children].at(-1);
  const record = () => writeRunFile(dir, [...children]);
  record();
  let stopped: Promise<void> | null = null;

  function adopt(child: Adopted): void {
    children.add(child);
    reaper.watch(child.identity, child.kind);
    record();
    void child.exited.then(() => {
      children.delete(child);
      reaper.forget(child.identity);
      if (stopped === null) record();
    });
  }

  function refuseWhenStopping(name: string): void {
    if (stopped !== null)
      throw new StartProblem("STOPPING", `${name} was not started: the launcher is stopping.`);
  }

  async function spawnService(spec: ServiceSpec): Promise<Service> {
    refuseWhenStopping(spec.name);
    const { service, identity, untilReady } = await startService(spec);
    if (stopped !== null) await service.kill(); // it began while stopAll ended
    refuseWhenStopping(spec.name);
    adopt({ name: spec.name, identity, kind: "group", exited: service.exited, stop: () => service.stop() });
    try {
      await untilReady();
    } finally {
      refuseWhenStopping(spec.name);
    }
    return service;
  }

  async function stopInOrder(): Promise<void> {
    for (let child = newest(); child !== undefined; child = newest()) {
      const { name } = child;
      await child.stop().catch((error: unknown) => log(`${name} did not stop: ${String(error)}`));
      children.delete(child); // if it did not stop, the reaper still has it
    }
    removeRunFile(dir);
    reaper.close();
    claim.release();
  }

  return {
    dir,
    get stopping() {
      return stopped !== null;
    },
    spawnService,
    adopt,
    stopAll: () => (stopped ??= stopInOrder()),
  };
}
