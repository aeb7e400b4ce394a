import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { basename } from "node:path";

const HEARTBEAT_MS = 10_000;
const KILL_AFTER_MS = 5_000;

/** Settings that say how to reach the registry; the others say what to install, and that is ours to say. */
const KEPT_SETTING =
  /^(registry|@.+:registry|\/\/.+|proxy|https?_proxy|noproxy|ca|cafile|cert|key|strict_ssl|cache|userconfig|globalconfig|fetch_.+|maxsockets|offline|prefer_offline|prefer_online|local_address|logs_dir)$/i;

/**
 * The environment for an npm of ours inside an outer `npm start`. npm hands its settings down as npm_config_*
 * variables (omit=dev, ignore-scripts, prefix, dry-run …), and NODE_ENV=production leaves the
 * devDependencies out; inherited, either would give another tree than the lock file's.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment(env) {
  const kept = { ...env };
  for (const name of Object.keys(kept)) {
    const setting = /^npm_config_(.*)$/i.exec(name)?.[1];
    const isKept = setting !== undefined && KEPT_SETTING.test(setting.replaceAll("-", "_"));
    if ((setting !== undefined && !isKept) || name === "NODE_ENV") delete kept[name];
  }
  return kept;
}

/** The npm that invoked us, else the one in the PATH: a command and its first arguments. */
function npmCommand(env, node) {
  const cli = env.npm_execpath;
  // pnpm and yarn set npm_execpath, too, but do not read package-lock.json.
  const isNpm = cli !== undefined && basename(cli) === "npm-cli.js" && existsSync(cli);
  return isNpm ? [node, cli] : ["npm"];
}

/**
 * Runs npm without input, passing its output on. While that does not move, says every 10 s how long it has been.
 *
 * @param {readonly string[]} args
 * @param {{ cwd: string, say: (line: string) => void, stop: import("./stop.mjs").Stop,
 *   onStart?: (pid: number) => void, node?: string, path?: string }} options `node` runs the npm that invoked
 *   us; `path` is the PATH
 * @returns {Promise<{ ok: boolean, why: string }>} `why` says how it failed, in a few words
 */
export function runNpm(args, { cwd, say, stop, onStart, node = process.execPath, path = process.env.PATH }) {
  const [command, ...first] = npmCommand(process.env, node);
  const env = { ...npmEnvironment(process.env), PATH: path };
  const started = Date.now();
  let moved = started;
  return new Promise((resolve) => {
    const npm = spawn(command, [...first, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    if (npm.pid !== undefined) onStart?.(npm.pid);
    for (const [from, to] of [
      [npm.stdout, process.stdout],
      [npm.stderr, process.stderr],
    ]) {
      from.on("data", (text) => {
        moved = Date.now();
        to.write(text);
      });
    }
    const heartbeat = setInterval(() => {
      if (Date.now() - moved < HEARTBEAT_MS) return;
      moved = Date.now();
      say(`npm is still at work, ${Math.round((moved - started) / 1000)} s so far.`);
    }, 1_000);
    stop.onRequest = (signal) => {
      npm.kill(signal);
      setTimeout(() => npm.kill("SIGKILL"), KILL_AFTER_MS).unref();
    };
    if (stop.requested !== null) stop.onRequest(stop.requested);
    const settle = (result) => {
      clearInterval(heartbeat);
      stop.onRequest = null;
      resolve(result);
    };
    npm.once("error", (error) =>
      settle({
        ok: false,
        why:
          error.code === "ENOENT" ? "there is no npm in the PATH" : `npm does not start (${error.message})`,
      }),
    );
    npm.once("close", (code, signal) =>
      settle({
        ok: code === 0,
        why: signal === null ? `npm ended with code ${code}` : `${signal} ended npm`,
      }),
    );
  });
}
