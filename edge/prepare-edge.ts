import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { buildEdge } from "./build.ts";
import type { DevSecrets } from "./dev-secrets.ts";
import { declaredVars, secretVariable, type WorkerName, workerdConfig } from "./workerd-config.ts";

export type PrepareEdgeOptions = {
  /** Both workers listen on 127.0.0.1. */
  readonly ports: { readonly api: number; readonly vault: number };
  /** Everything of this instance goes here: the build, the configuration and, under `storage/`, the vault. */
  readonly dir: string;
  /** The region's origin, "http://127.0.0.1:4000". */
  readonly regionUrl: string;
  readonly secrets: Pick<DevSecrets, "api" | "vault">;
  /**
   * Stand-ins for providers: `{"https://api.stripe.com": "http://127.0.0.1:4010"}`. Card data may then go to the
   * stand-in under the provider's rules, and no longer to the provider.
   */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Other variables that differ from the two wrangler.toml. */
  readonly vars?: Partial<Record<WorkerName, Readonly<Record<string, string>>>>;
};

/** What a supervisor has to spawn. workerd writes to stdout and stderr, and stops on SIGTERM and SIGINT. */
export type EdgeProcess = {
  readonly command: string;
  readonly args: readonly string[];
  /** To be added to the environment: the secrets, which are in no file and no argument. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

/** Builds the edge and writes its configuration, both in one process of workerd, for development. */
export async function prepareEdge(options: PrepareEdgeOptions): Promise<EdgeProcess> {
  const dir = resolve(options.dir);
  const [buildDir, storageDir] = [join(dir, "build"), join(dir, "storage")];
  await mkdir(storageDir, { recursive: true });
  await buildEdge(buildDir);
  const config = workerdConfig({
    ports: options.ports,
    configDir: dir,
    buildDir,
    storageDir,
    vars: {
      api: {
        ENVIRONMENT: "development",
        REGION_URL: options.regionUrl,
        VAULT_URL: `http://127.0.0.1:${options.ports.vault}`,
        ...options.vars?.api,
      },
      vault: {
        ENVIRONMENT: "development",
        EGRESS_ALLOW: withStandIns(declaredVars("vault")["EGRESS_ALLOW"] ?? "[]", options.standIns ?? {}),
        ...options.vars?.vault,
      },
    },
    secrets: { api: Object.keys(options.secrets.api), vault: Object.keys(options.secrets.vault) },
  });
  const configFile = join(dir, "workerd.capnp");
  await writeFile(configFile, config);
  return {
    command: workerdBinary(),
    args: ["serve", configFile],
    env: {
      ...secretVariables("api", options.secrets.api),
      ...secretVariables("vault", options.secrets.vault),
    },
    cwd: dir,
  };
}

/** Points the destinations of each provider that has a stand-in at the stand-in; their rules stay. */
function withStandIns(allow: string, standIns: Readonly<Record<string, string>>): string {
  const destinations = JSON.parse(allow) as { origin: string }[];
  return JSON.stringify(
    destinations.map((destination) => ({
      ...destination,
      origin: standIns[destination.origin] ?? destination.origin,
    })),
  );
}

function secretVariables(
  worker: WorkerName,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [secretVariable(worker, name), value]),
  );
}

/** The binary itself: the `workerd` package's own launcher is a Node script that would stand in between. */
export function workerdBinary(): string {
  const arch = process.arch === "arm64" ? "arm64" : "64";
  const name = `@cloudflare/workerd-${process.platform}-${arch}/bin/workerd`;
  // Resolved from the `workerd` package, whose dependency it is, wherever npm has put it.
  const workerd = createRequire(createRequire(import.meta.url).resolve("workerd/package.json"));
  try {
    return workerd.resolve(name);
  } catch {
    throw new Error(
      `workerd has no binary for ${process.platform} ${process.arch}: ${name} is not installed`,
    );
  }
}
