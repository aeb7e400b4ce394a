import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { StartProblem } from "./problem.ts";

/** The checkout: every path that the launcher needs starts here, wherever it was called from. */
export const projectRoot: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Root's Postgres runs as another user, who has to pass through the folder, but may not list it. */
const MODE = process.getuid?.() === 0 ? 0o711 : 0o700;

/**
 * Where everything that the platform keeps on this machine goes: `TESSERA_DATA_DIR`, relative to the project's
 * root unless absolute; by default `.tessera`. Gives the absolute path and touches nothing.
 */
export function homePath(env: NodeJS.ProcessEnv = process.env): string {
  const set = env["TESSERA_DATA_DIR"];
  if (set === undefined || set === "") return join(projectRoot, ".tessera");
  return isAbsolute(set) ? set : resolve(projectRoot, set);
}

/**
 * Creates a private folder, or makes one that is there private. Secrets inside still need their own mode 0600.
 * @throws {StartProblem} FOLDER_NOT_USABLE, if it is not a folder or this user cannot write to it
 */
export async function openPrivateFolder(path: string): Promise<void> {
  try {
    mkdirSync(path, { recursive: true, mode: MODE });
    const { uid } = statSync(path);
    if (uid === process.getuid?.()) chmodSync(path, MODE);
    const probe = join(path, `.writable-${process.pid}`);
    writeFileSync(probe, "");
    await rm(probe);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartProblem(
      "FOLDER_NOT_USABLE",
      `Cannot write to ${path} (${code}). If an earlier run as another user made it, run as that user again, or set TESSERA_DATA_DIR to a folder of your own.`,
    );
  }
}

/** `homePath()`, created if it was not there. */
export async function openHome(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const path = homePath(env);
  await openPrivateFolder(path);
  return path;
}
