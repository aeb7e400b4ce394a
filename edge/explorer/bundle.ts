import { workerData } from "node:worker_threads";
import { build } from "vite";
import config from "./vite.config.ts";

// A thread's work (build.ts starts it): one Vite build into the folder that it is given.
const { out } = workerData as { readonly out: string };
await build({
  ...config,
  configFile: false,
  logLevel: "error",
  build: { ...config.build, outDir: out },
});
