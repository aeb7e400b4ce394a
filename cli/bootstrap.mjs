import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { commands, usage } from "./commands.mjs";
import { ensureInstalled, NotInstalled } from "./install.mjs";
import { launch, nodeOf } from "./launch.mjs";
import { listenForStop } from "./stop.mjs";

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

const say = (line) => console.error(`tessera: ${line}`);

/**
 * Why this machine cannot run the platform, or null if it can. The Node and Postgres that npm installs are
 * built for Linux with glibc.
 */
function unsupported() {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    return `Tessera runs on Linux (x64 or arm64), and this is ${process.platform} ${process.arch}: use a Linux container or virtual machine (on Windows, WSL 2).`;
  }
  if (!process.report.getReport().header.glibcVersionRuntime) {
    return "Tessera needs a Linux with glibc (Debian, Ubuntu, Fedora …); this one has another C library, as Alpine does.";
  }
  return null;
}

/**
 * Runs one command. Phases: 1 read the command | 2 install what the lock file says, if that is not yet done |
 * 3 run the script under Node 24 and wait for it.
 *
 * @param {readonly string[]} args the command's name and its arguments
 * @returns {Promise<number>} the exit code: the command's own, 128 + n if signal n ended it, 1 if it was not run
 */
export async function main(args) {
  const [name, ...rest] = args;
  const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
  if (command === undefined) {
    if (name === "help" || name === "--help") {
      console.log(usage());
      return 0;
    }
    console.error(name === undefined ? usage() : `There is no command "${name}".\n\n${usage()}`);
    return 1;
  }
  const problem = unsupported();
  if (problem !== null) {
    say(problem);
    return 1;
  }
  const stop = listenForStop();
  try {
    if (!command.bare || !existsSync(nodeOf(projectRoot))) {
      await ensureInstalled({ root: projectRoot, say, stop });
    }
  } catch (error) {
    if (!(error instanceof NotInstalled)) throw error;
    say(error.message);
    return error.exitCode;
  }
  if (!existsSync(join(projectRoot, command.argv[0]))) {
    say(`${command.argv[0]}, which does "${name}", is not in this checkout.`);
    return 1;
  }
  return launch({ root: projectRoot, argv: [...command.argv, ...rest], say, stop });
}
