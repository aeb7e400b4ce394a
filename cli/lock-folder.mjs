import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, isAlive } from "./proc.mjs";

/**
 * A lock that is a folder with one file in it, `owners.json`: the processes whose work it protects. The folder
 * is prepared aside and renamed into place, which fails if one is there, so a lock is never seen without its
 * owners. It is dead when none of them runs any more, as after kill -9 or a power cut.
 *
 * @typedef {{ release(): void, alsoFor(pid: number): void }} Lock
 */

const LOOK_MS = 250;

const readOwners = (folder) => {
  try {
    return JSON.parse(readFileSync(join(folder, "owners.json"), "utf8"));
  } catch {
    return [];
  }
};

const writeOwners = (folder, owners) => {
  writeFileSync(join(folder, "owners.json.new"), JSON.stringify(owners));
  renameSync(join(folder, "owners.json.new"), join(folder, "owners.json"));
};

function tryAcquire(folder) {
  const prepared = `${folder}.${process.pid}`;
  rmSync(prepared, { recursive: true, force: true });
  mkdirSync(prepared, { recursive: true });
  const owners = [identityOf(process.pid)];
  writeOwners(prepared, owners);
  try {
    renameSync(prepared, folder);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    if (error.code === "ENOTEMPTY" || error.code === "EEXIST") return null;
    throw error;
  }
  return {
    release: () => rmSync(folder, { recursive: true, force: true }),
    alsoFor: (pid) => {
      const identity = identityOf(pid);
      if (identity !== null) owners.push(identity);
      writeOwners(folder, owners);
    },
  };
}

/** Takes a dead lock away. If another process did that first and holds it now, gives it back. */
function clearDead(folder) {
  const aside = `${folder}.dead.${process.pid}`;
  try {
    renameSync(folder, aside);
    if (readOwners(aside).some(isAlive)) renameSync(aside, folder);
    else rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "ENOTEMPTY") throw error;
  }
}

/**
 * Waits until the lock is ours. A dead one is taken over.
 *
 * @param {string} folder where the lock is; its parent is created
 * @param {{ onWait: (ownerPid: number) => void, givenUp: () => boolean }} options `onWait` is called every
 *   250 ms while a live process holds it, with that process's number; `givenUp` ends the wait
 * @returns {Promise<Lock | null>} `alsoFor` adds a process that must end, too, before anyone takes the lock
 *   over; null if the wait was given up
 * @throws the file system's error, if the folder cannot be made
 */
export async function acquire(folder, { onWait, givenUp }) {
  while (!givenUp()) {
    const lock = tryAcquire(folder);
    if (lock !== null) return lock;
    const holder = readOwners(folder).find(isAlive);
    if (holder === undefined) {
      clearDead(folder);
      continue;
    }
    onWait(holder.pid);
    await sleep(LOOK_MS);
  }
  return null;
}
