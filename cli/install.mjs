import { accessSync, constants, existsSync } from "node:fs";
import { constants as osConstants, userInfo } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { isInstalled, leftOut, linkPostgresLibraries, removeStamp, writeStamp } from "./installed.mjs";
import { nodeOf } from "./launch.mjs";
import { acquire } from "./lock-folder.mjs";
import { runNpm } from "./npm.mjs";

/** The dependencies are not there, and the message says why and what to do. */
export class NotInstalled extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Each one outweighs what a user's or a machine's npmrc may say. Warnings would be about engines only: npm
 * runs under the machine's Node, the packages under ours. */
const CI = [
  "ci",
  "--ignore-scripts",
  "--include=dev",
  "--include=optional",
  "--include=peer",
  "--no-audit",
  "--no-fund",
  "--engine-strict=false",
  "--global=false",
  "--loglevel=error",
];

const WAITING_SAID_EVERY_MS = 10_000;

/**
 * Makes sure that node_modules holds what package-lock.json says. Costs a few milliseconds when it does.
 * Otherwise, phases: 1 take the lock, so that of two first runs one installs and the other waits | 2 remove the
 * stamp | 3 `npm ci` | 4 make Postgres's symlinks | 5 check, write the stamp. Killed in any of them, the next
 * run starts from 1 again.
 *
 * @param {{ root: string, say: (line: string) => void, stop: import("./stop.mjs").Stop }} options
 * @throws {NotInstalled}
 */
export async function ensureInstalled({ root, say, stop }) {
  if (isInstalled(root)) return;
  refuseIfReadOnly(root);
  const lock = await acquire(join(root, ".tessera", "install.lock"), {
    onWait: waitingTeller(say),
    givenUp: () => stop.requested !== null,
  });
  try {
    // While we waited, the other run has probably done it.
    if (lock !== null && !isInstalled(root)) await install({ root, say, stop, lock });
  } finally {
    lock?.release();
  }
  if (stop.requested !== null) {
    throw new NotInstalled("interrupted.", 128 + osConstants.signals[stop.requested]);
  }
}

async function install({ root, say, stop, lock }) {
  removeStamp(root);
  say(`installing the locked dependencies into ${join(root, "node_modules")} (about 1.1 GB on disk).`);
  say("This is done once, and again when package-lock.json changes.");
  const npm = { cwd: root, say, stop, onStart: lock.alsoFor };
  await npmCi(npm);
  if (leftOut(root).length > 0 && existsSync(nodeOf(root)) && stop.requested === null) {
    say(
      `npm left packages out under Node ${process.versions.node}; installing again under the Node it installed.`,
    );
    const path = [dirname(nodeOf(root)), process.env.PATH].join(delimiter);
    await npmCi({ ...npm, node: nodeOf(root), path });
  }
  if (stop.requested !== null) return;
  const missing = leftOut(root);
  if (missing.length > 0) {
    throw new NotInstalled(
      `npm reported success but left out ${missing.join(", ")}. It does so when a download fails: check the network and the registry, then run the same command again.`,
    );
  }
  const problem = linkPostgresLibraries(root);
  if (problem !== null) throw new NotInstalled(`${problem}. Run the same command again.`);
  writeStamp(root);
  say("the dependencies are installed.");
}

async function npmCi(npm) {
  const { ok, why } = await runNpm(CI, npm);
  if (ok || npm.stop.requested !== null) return;
  throw new NotInstalled(
    `the dependencies are not installed: ${why} (its own words are above). Check that the registry can be reached and that the disk has 1.5 GB free, then run the same command again.`,
  );
}

/** Says so at once where npm would fail half-way with a stack of EACCES. */
function refuseIfReadOnly(root) {
  const within = ["node_modules", ".tessera"].map((name) => join(root, name));
  for (const folder of [root, ...within.filter((path) => existsSync(path))]) {
    try {
      accessSync(folder, constants.W_OK);
    } catch {
      throw new NotInstalled(
        `the dependencies are not installed or out of date, and ${userName()} cannot write to ${folder}. Run the same command once as the folder's owner, or work in a checkout of your own.`,
      );
    }
  }
}

function userName() {
  try {
    return `the user ${userInfo().username}`;
  } catch {
    return `the user with id ${process.getuid?.()}`;
  }
}

function waitingTeller(say) {
  let since = 0;
  let said = 0;
  return (pid) => {
    const now = Date.now();
    if (since === 0) since = now;
    else if (now - said < WAITING_SAID_EVERY_MS) return;
    said = now;
    say(
      `process ${pid} is installing the dependencies; waiting for it (${Math.round((now - since) / 1000)} s).`,
    );
  };
}
