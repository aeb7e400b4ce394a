import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";

const SIGINT_PATIENCE_MS = 1_000;
const ORPHAN_PATIENCE_MS = 15_000;

/**
 * @param {string} root the project's root
 * @returns {string} the Node 24 that npm installed. npm 9 and 10 link no .bin/node, so it is named in full.
 */
export function nodeOf(root) {
  return join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");
}

/**
 * Runs a script under Node 24 from the project's root and waits for it.
 *
 * The child inherits stdin, stdout and stderr, finds our Node first in its PATH, and gets a pipe on the file
 * descriptor that TESSERA_PARENT_FD names: its end of file means that we are gone, however we went
 * (cli/parent-alive.ts watches it).
 *
 * @param {{ root: string, argv: readonly string[], say: (line: string) => void, stop: import("./stop.mjs").Stop }} options
 * @returns {Promise<number>} its exit code, or 128 + n if signal n ended it
 */
export function launch({ root, argv, say, stop }) {
  const node = nodeOf(root);
  const path = [dirname(node), process.env.PATH ?? ""].join(delimiter);
  const child = spawn(node, argv, {
    cwd: root,
    env: { ...process.env, PATH: path, TESSERA_PARENT_FD: "3" },
    stdio: ["inherit", "inherit", "inherit", "pipe"],
  });
  // A child that does not watch the pipe, or has ended, must not end us with an error on it.
  child.stdio[3]?.on("error", () => {});
  return new Promise((resolve) => {
    child.once("error", (error) => {
      say(`${node} does not run: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    passSignalsOn(child, stop);
    if (stop.requested !== null) stop.onRequest?.(stop.requested);
  });
}

/**
 * SIGTERM and SIGHUP go on to the child at once. A terminal's Ctrl-C has reached the child already, as it
 * reaches the whole group; but a SIGINT sent to us alone has not, so a child that is still there after a while is
 * asked again, with the signal that a terminal never sends.
 *
 * What is sent to npm alone stays there: npm 9 to 11 swallow SIGINT and SIGTERM while a script runs. (That the
 * scripts in package.json begin with `exec` keeps a shell from standing between, which SIGTERM to the group would
 * end at once, and npm with it, while we are still stopping.)
 */
function passSignalsOn(child, stop) {
  stop.onRequest = (signal) => {
    if (signal === "SIGINT") setTimeout(() => child.kill("SIGTERM"), SIGINT_PATIENCE_MS).unref();
    else child.kill(signal);
    if (stop.orphaned) {
      // A child that hangs must not keep us here for good; our end closes its pipe, too.
      setTimeout(() => process.exit(1), ORPHAN_PATIENCE_MS).unref();
    }
  };
}
