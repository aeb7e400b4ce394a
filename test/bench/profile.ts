import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectRoot } from "../../regions/dev/home.ts";
import { freePort } from "../../regions/dev/ports.ts";
import type { Bench } from "./bench.ts";
import { ClosedLoop } from "./closed-loop.ts";
import { type CpuProfile, renderProfile, summarizeProfile } from "./profile-summary.ts";
import type { Row } from "./row.ts";

const WARM_UP_SECONDS = 3;
const LIMIT_SECONDS = 60;
const SAMPLING_MICROSECONDS = 500;

/**
 * Takes a CPU profile of the region under each of the rows, through Node's inspector, so that its start is not in it.
 * Writes `<dir>/<row>.cpuprofile`, which Chrome's DevTools open, and gives a summary for people.
 */
export async function profileRegion(
  bench: Bench,
  rows: readonly Row[],
  seconds: number,
  dir: string,
): Promise<string> {
  const { stack } = await bench.platform();
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  await stack.restartRegion({ NODE_OPTIONS: `--inspect=127.0.0.1:${port}` });
  const inspector = await openInspector(port);
  const summaries: string[] = [];
  try {
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: SAMPLING_MICROSECONDS });
    for (const row of rows) {
      const profile = await profileUnder(bench, row, seconds, inspector);
      const file = join(dir, `${row.name}.cpuprofile`);
      writeFileSync(file, JSON.stringify(profile));
      summaries.push(`${row.name}, the region's process (${file}):`);
      summaries.push(renderProfile(summarizeProfile(profile, projectRoot)));
    }
  } finally {
    inspector.close();
  }
  return summaries.join("\n");
}

async function profileUnder(
  bench: Bench,
  row: Row,
  seconds: number,
  inspector: Inspector,
): Promise<CpuProfile> {
  const loop = new ClosedLoop(row.clients, WARM_UP_SECONDS + seconds + LIMIT_SECONDS, row.run);
  try {
    await sleep(WARM_UP_SECONDS * 1_000, undefined, { signal: bench.signal });
    await inspector.call("Profiler.start");
    await sleep(seconds * 1_000, undefined, { signal: bench.signal });
    return ((await inspector.call("Profiler.stop")) as { profile: CpuProfile }).profile;
  } finally {
    await loop.stop();
  }
}

type Inspector = { call(method: string, params?: object): Promise<unknown>; close(): void };

/** A session of the Chrome DevTools Protocol with the process whose inspector listens on `port`. */
async function openInspector(port: number): Promise<Inspector> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "");
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("the inspector refuses")), { once: true });
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let calls = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as {
      id?: number;
      result?: unknown;
      error?: { message: string };
    };
    const call = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || call === undefined) return;
    waiting.delete(id);
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(error.message));
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("the inspected process is gone"));
  });
  return {
    call(method, params = {}) {
      const id = ++calls;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(id, answer);
      socket.send(JSON.stringify({ id, method, params }));
      return answer.promise;
    },
    close: () => socket.close(),
  };
}
