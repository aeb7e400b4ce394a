import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";

const HEARTBEAT_MS = 10_000;
const USUAL_PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable"];
const APT_OPTIONS = ["-y", "-q", "-o", "DPkg::Lock::Timeout=300"];

/** The browser for the tests, or why there is none. */
export type Chromium =
  | { readonly path: string; readonly why?: undefined }
  | { readonly path: null; readonly why: string };

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Looks for a Chromium: where CHROMIUM_PATH says, if it is set, and else where Linux distributions put it. Tests use
 * this, and skip with `why` in the skipped test's name.
 */
export function findChromium(env: NodeJS.ProcessEnv = process.env): Chromium {
  const set = env["CHROMIUM_PATH"];
  if (set !== undefined && set !== "") {
    if (isProgram(set)) return { path: set };
    return { path: null, why: `CHROMIUM_PATH is ${set}, which is no program` };
  }
  const path = USUAL_PLACES.find(isProgram);
  if (path !== undefined) return { path };
  return { path: null, why: "no Chromium: install it (apt-get install chromium), or set CHROMIUM_PATH" };
}

/**
 * Finds a Chromium, and as root installs Debian's where there is none and CHROMIUM_PATH does not name one.
 *
 * @param say what is going on, a line each; the installation takes about a minute
 */
export async function ensureChromium(say: (line: string) => void): Promise<Chromium> {
  const found = findChromium();
  if (found.path !== null || process.env["CHROMIUM_PATH"] || process.getuid?.() !== 0) return found;
  say("installing Debian's chromium for the browser tests (about 100 MB to download, 400 MB on disk).");
  for (const args of [
    ["update", "-q"],
    ["install", ...APT_OPTIONS, "--no-install-recommends", "chromium", "chromium-sandbox"],
  ]) {
    const problem = await aptGet(args, say);
    if (problem !== null)
      return { path: null, why: `no Chromium, and apt-get ${args[0]} failed: ${problem}` };
  }
  return findChromium();
}

/** Runs apt-get without a question; gives null, or the end of what it said if it failed. */
function aptGet(args: readonly string[], say: (line: string) => void): Promise<string | null> {
  const started = Date.now();
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return new Promise((resolve) => {
    const apt = spawn("apt-get", args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [apt.stdout, apt.stderr]) {
      stream.on("data", (text: Buffer) => {
        output = (output + text.toString()).slice(-1_000);
      });
    }
    const heartbeat = setInterval(() => {
      say(`apt-get ${args[0]} is still at work, ${Math.round((Date.now() - started) / 1000)} s so far.`);
    }, HEARTBEAT_MS);
    const settle = (problem: string | null) => {
      clearInterval(heartbeat);
      resolve(problem);
    };
    apt.once("error", (error) => settle(error.message));
    apt.once("close", (code) => settle(code === 0 ? null : output.trim()));
  });
}
