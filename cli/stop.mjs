import { commandLineOf, identityOf, isAlive, parentOf } from "./proc.mjs";

/**
 * How this run is asked to end. `requested` is the first signal that came (a killed npm counts as SIGTERM),
 * or null; `onRequest` is called for every one, with its name; `orphaned` says that npm was killed, so nobody
 * waits for our exit code.
 *
 * @typedef {{
 *   requested: string | null,
 *   orphaned: boolean,
 *   onRequest: ((signal: string) => void) | null,
 * }} Stop
 */

const NPM_LOOK_MS = 500;

/**
 * The processes from our parent up to the npm that started us (npm may put a shell between), or none if we were
 * not started by npm. npm names itself "npm start", "npm run test" … in its command line.
 */
function npmAbove() {
  const chain = [];
  let pid = process.ppid;
  for (let level = 0; level < 3 && pid !== null && pid > 1; level++) {
    const identity = identityOf(pid);
    if (identity === null) return [];
    chain.push(identity);
    if (/^npm( |$)|npm-cli\.js( |$)/.test(commandLineOf(pid))) return chain;
    pid = parentOf(pid);
  }
  return [];
}

/**
 * Takes over SIGINT, SIGTERM and SIGHUP, and watches the npm that started us: killed with -9 it can pass nothing
 * on. A run that npm did not start is left alone when its parent ends, so `nohup node cli/run.mjs start &` works.
 *
 * @returns {Stop}
 */
export function listenForStop() {
  /** @type {Stop} */
  const stop = { requested: null, orphaned: false, onRequest: null };
  const request = (signal) => {
    stop.requested ??= signal;
    stop.onRequest?.(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => request(signal));

  const above = process.env.npm_execpath === undefined ? [] : npmAbove();
  if (above.length > 0) {
    const look = setInterval(() => {
      if (above.every(isAlive)) return;
      clearInterval(look);
      stop.orphaned = true;
      request("SIGTERM");
    }, NPM_LOOK_MS);
    look.unref();
  }
  return stop;
}
