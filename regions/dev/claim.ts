import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { StartProblem } from "./problem.ts";

const ANSWER_MS = 1_000;

export type Claim = { release(): void };

/** Another live process works on this folder. `pid` is null if it did not say who it is. */
export class FolderInUseError extends StartProblem {
  readonly dir: string;
  readonly pid: number | null;

  constructor(dir: string, pid: number | null) {
    const who = pid === null ? "another process" : `process ${pid}`;
    super(
      "FOLDER_IN_USE",
      `Tessera is already running on ${dir} (${who}). Stop it, or start a second one with TESSERA_DATA_DIR and TESSERA_PORT_BASE set to others.`,
    );
    this.dir = dir;
    this.pid = pid;
  }
}

/**
 * Makes this process the only one that works on a folder, until `release` or its end. The lock is a listening
 * socket in Linux's abstract namespace, named after the folder: the kernel lets one process have it and takes it
 * back when that ends, kill -9 included, so there is never a stale one. Whoever asks is told our pid.
 *
 * @param dir must exist
 * @throws {FolderInUseError}
 */
export async function claimFolder(dir: string): Promise<Claim> {
  const digest = createHash("sha256").update(realpathSync(dir)).digest("hex");
  const name = `\0tessera-${digest.slice(0, 32)}`;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(`${process.pid}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") reject(error);
      else void askForPid(name).then((pid) => reject(new FolderInUseError(dir, pid)));
    });
    server.listen(name, resolve);
  });
  server.unref();
  return { release: () => void server.close() };
}

async function askForPid(name: string): Promise<number | null> {
  const answer = new Promise<number | null>((resolve) => {
    const socket = connect(name);
    socket.once("data", (text) => {
      resolve(Number(text.toString()));
      socket.destroy();
    });
    socket.once("error", () => resolve(null));
    setTimeout(() => socket.destroy(), ANSWER_MS).unref();
  });
  return Promise.race([answer, sleep(ANSWER_MS, null)]);
}
