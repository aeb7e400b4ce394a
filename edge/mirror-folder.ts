import { randomUUID } from "node:crypto";
import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";

export type MirrorOptions = {
  /** For files that are not whole yet: a folder on the target's file system that nobody serves. */
  readonly unfinished: string;
  /** Copied last, and each time: the small file that names the others, which must then be there. */
  readonly last: string;
};

/**
 * Makes `to` hold what `from` holds, while others may be reading it: each file appears whole or not at all, what
 * is unchanged (by size and time) is left alone, and what `from` no longer has is removed at the end. Files whose
 * names begin with a dot are their folder's own business.
 */
export async function mirrorFolder(
  from: string,
  to: string,
  { unfinished, last }: MirrorOptions,
): Promise<void> {
  const files = await filesOf(from);
  const others = files.filter((file) => file !== last);
  await Promise.all(others.map((file) => copyIfNew(join(from, file), join(to, file), unfinished)));
  if (files.includes(last)) await copyWhole(join(from, last), join(to, last), unfinished);
  const stale = (await filesOf(to)).filter((file) => !files.includes(file));
  await Promise.all(stale.map((file) => rm(join(to, file), { force: true })));
}

/** Relative paths of the files below a folder; none if there is no such folder. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function copyIfNew(from: string, to: string, unfinished: string): Promise<void> {
  const [source, copy] = await Promise.all([stat(from), stat(to).catch(() => null)]);
  // Not every file system keeps times to the same fraction of a second.
  if (source.size === copy?.size && Math.abs(source.mtimeMs - copy.mtimeMs) < 2) return;
  await copyWhole(from, to, unfinished);
}

async function copyWhole(from: string, to: string, unfinished: string): Promise<void> {
  const aside = join(unfinished, `.${randomUUID()}.tmp`);
  await mkdir(dirname(to), { recursive: true });
  try {
    const { atime, mtime } = await stat(from);
    await copyFile(from, aside);
    await utimes(aside, atime, mtime);
    await rename(aside, to);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
