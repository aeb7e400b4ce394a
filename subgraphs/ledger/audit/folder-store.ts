import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type NameRange, ObjectExists, type ObjectStore } from "./object-store.ts";

const NAME = /^[a-z0-9_-]+\/[a-z0-9_-][a-z0-9._-]*$/;
/** Files whose names share their beginning share a folder: of checkpoints, those of a quarter of an hour. */
const GROUP = 7;
const READ_ONLY = 0o444;

/** Objects in a folder. What a crash interrupts is not there: an object gets its name when its bytes are durable. */
export function folderStore(root: string): ObjectStore {
  const pathOf = (name: string) => {
    if (!NAME.test(name)) throw new Error(`not a name of an object: ${name}`);
    const [folder, file] = name.split("/") as [string, string];
    return join(root, folder, file.slice(0, GROUP), file);
  };
  return {
    async put(name, bytes) {
      const path = pathOf(name);
      await makeDurableFolder(root, dirname(path));
      const unfinished = join(dirname(path), `.${randomBytes(8).toString("hex")}`);
      await writeDurably(unfinished, bytes);
      try {
        // A hard link never replaces what is there, as a rename would.
        await link(unfinished, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        if (!(await readFile(path)).equals(bytes)) throw new ObjectExists(name);
      } finally {
        await unlink(unfinished);
      }
      await syncFolder(dirname(path));
    },

    async get(name) {
      try {
        return await readFile(pathOf(name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },

    async *list(folder, range: NameRange = {}) {
      const { from = "", to = "\u{10ffff}" } = range;
      for (const group of await sortedNames(join(root, folder))) {
        if (group < from.slice(0, GROUP) || group > to) continue;
        for (const file of await sortedNames(join(root, folder, group))) {
          if (file >= from && file <= to) yield `${folder}/${file}`;
        }
      }
    },
  };
}

async function sortedNames(path: string): Promise<string[]> {
  try {
    // Those that begin with a dot are unfinished.
    return (await readdir(path)).filter((name) => !name.startsWith(".")).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", READ_ONLY);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A file's name is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function makeDurableFolder(root: string, path: string): Promise<void> {
  if ((await mkdir(path, { recursive: true, mode: 0o700 })) === undefined) return;
  for (let parent = dirname(path); parent.length >= dirname(root).length; parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === dirname(parent)) break;
  }
}
