import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parse } from "smol-toml";

/**
 * A workerd configuration (Cap'n Proto text) made from the two wrangler.toml files, which stay the only place
 * where bindings are declared. Anything in them that this does not know how to serve is an error: a binding
 * that is silently missing shows up as a riddle much later.
 *
 * For development and for measuring: it lets the workers reach private addresses, which workerd by itself
 * refuses, and takes `request.cf` from a header, which on Cloudflare is made by the network.
 */
export type WorkerName = "api" | "vault";
export const WORKERS: readonly WorkerName[] = ["api", "vault"];

/** A JSON value for `request.cf` in development, such as `{"country":"DE"}`. Unknown to Cloudflare's network. */
export const DEV_CF_HEADER = "tessera-dev-cf";

type ConfigFiles = Readonly<Record<WorkerName, string>>;
const CONFIG_FILES: ConfigFiles = {
  api: join(import.meta.dirname, "../wrangler.toml"),
  vault: join(import.meta.dirname, "vault/wrangler.toml"),
};

export type WorkerdOptions = {
  readonly ports: Readonly<Record<WorkerName, number>>;
  /** The folder that the configuration will be written to; absolute. */
  readonly configDir: string;
  /** Where the build put `api/` and `vault/`; absolute. */
  readonly buildDir: string;
  /** Where Durable Objects keep their databases; absolute. */
  readonly storageDir: string;
  /** Variables that differ from wrangler.toml's. Only declared ones can be set. */
  readonly vars?: Partial<Record<WorkerName, Readonly<Record<string, string>>>>;
  /** Names of secrets. Their values come from the environment of workerd, so that no file holds them. */
  readonly secrets?: Partial<Record<WorkerName, readonly string[]>>;
};

type Table = Record<string, unknown>;
type Worker = {
  readonly key: WorkerName;
  readonly name: string;
  /** The path of its wrangler.toml, for error messages. */
  readonly file: string;
  readonly config: Table;
};

/** What only matters to a deployment. */
const DEPLOYMENT_ONLY = new Set([
  "main",
  "send_metrics",
  "workers_dev",
  "preview_urls",
  "routes",
  "route",
  "observability",
  "placement",
  "limits",
]);
const KNOWN = new Set([
  "name",
  "compatibility_date",
  "compatibility_flags",
  "vars",
  "services",
  "durable_objects",
  "migrations",
  "assets",
]);

/** The environment variable of workerd that holds a worker's secret. */
export function secretVariable(worker: WorkerName, name: string): string {
  return `TESSERA_${worker.toUpperCase()}_${name}`;
}

/** What a wrangler.toml declares as variables. */
export function declaredVars(worker: WorkerName): Readonly<Record<string, string>> {
  return table(readWorker(worker, CONFIG_FILES).config, "vars") as Record<string, string>;
}

/** `files` are the two wrangler.toml; the project's own unless said otherwise. */
export function workerdConfig(options: WorkerdOptions, files: ConfigFiles = CONFIG_FILES): string {
  const workers = WORKERS.map((worker) => readWorker(worker, files));
  const services = workers.flatMap((worker) => [
    `(name = ${text(worker.name)}, worker = .${worker.key})`,
    ...(worker.config["assets"] === undefined
      ? []
      : [`(name = "${worker.key}-assets", disk = ${text(join(options.buildDir, worker.key, "assets"))})`]),
  ]);
  const sockets = workers.map(
    ({ key, name }) =>
      `(name = "${key}", address = "127.0.0.1:${options.ports[key]}", service = ${text(name)}, ` +
      `http = (cfBlobHeader = ${text(DEV_CF_HEADER)}))`,
  );
  return `# Made by edge/workerd-config.ts from both wrangler.toml: change those.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
    (name = "storage", disk = (path = ${text(options.storageDir)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))
  ],
  sockets = [
    ${sockets.join(",\n    ")}
  ]
);
${workers.map((worker) => workerConstant(worker, workers, options)).join("")}`;
}

function readWorker(key: WorkerName, files: ConfigFiles): Worker {
  const file = files[key];
  const config = parse(readFileSync(file, "utf8")) as Table;
  const unknown = Object.keys(config).find((name) => !KNOWN.has(name) && !DEPLOYMENT_ONLY.has(name));
  if (unknown !== undefined)
    throw new Error(`${file}: edge/workerd-config.ts does not know how to serve [${unknown}]`);
  for (const service of list(config, "services"))
    onlyKeys(file, service, ["binding", "service", "entrypoint"]);
  for (const binding of list(table(config, "durable_objects"), "bindings"))
    onlyKeys(file, binding, ["name", "class_name"]);
  // Only SQLite-backed classes that stay: nothing here could serve others.
  for (const migration of list(config, "migrations"))
    onlyKeys(file, migration, ["tag", "new_sqlite_classes"]);
  return { key, name: string(config, "name"), file, config };
}

function onlyKeys(file: string, part: Table, known: readonly string[]): void {
  const unknown = Object.keys(part).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`${file}: edge/workerd-config.ts does not know what ${unknown} means`);
}

function workerConstant(worker: Worker, workers: readonly Worker[], options: WorkerdOptions): string {
  const { key, config } = worker;
  const bindings = [
    ...varBindings(worker, options.vars?.[key] ?? {}),
    ...(options.secrets?.[key] ?? []).map(
      (name) => `(name = ${text(name)}, fromEnvironment = ${text(secretVariable(key, name))})`,
    ),
    ...list(config, "services").map((service) => serviceBinding(service, workers)),
    ...list(table(config, "durable_objects"), "bindings").map(
      (binding) =>
        `(name = ${text(string(binding, "name"))}, durableObjectNamespace = ${text(string(binding, "class_name"))})`,
    ),
    ...(config["assets"] === undefined
      ? []
      : [`(name = ${text(string(table(config, "assets"), "binding"))}, service = "${key}-assets")`]),
  ];
  const namespaces = durableObjectClasses(config).map(
    (name) => `(className = ${text(name)}, uniqueKey = ${text(`${worker.name}-${name}`)}, enableSql = true)`,
  );
  // Relative to the configuration: Cap'n Proto looks an absolute path up among its imports.
  const script = relative(options.configDir, join(options.buildDir, key, "worker.js"));
  const flags = (config["compatibility_flags"] as string[] | undefined) ?? [];
  return `
const ${key} :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${text(script)})],
  compatibilityDate = ${text(string(config, "compatibility_date"))},
  compatibilityFlags = [${flags.map(text).join(", ")}],
  bindings = [
    ${bindings.join(",\n    ")}
  ]${namespaces.length === 0 ? "" : `,\n  durableObjectNamespaces = [${namespaces.join(", ")}],\n  durableObjectStorage = (localDisk = "storage")`}
);
`;
}

function varBindings({ config, file }: Worker, overrides: Readonly<Record<string, string>>): string[] {
  const declared = table(config, "vars");
  const stray = Object.keys(overrides).find((name) => !(name in declared));
  if (stray !== undefined) throw new Error(`${file} declares no variable ${stray}`);
  return Object.entries({ ...declared, ...overrides }).map(([name, value]) => {
    if (typeof value !== "string") throw new Error(`${file}: the variable ${name} is no string`);
    return `(name = ${text(name)}, text = ${text(value)})`;
  });
}

function serviceBinding(service: Table, workers: readonly Worker[]): string {
  const target = string(service, "service");
  if (!workers.some(({ name }) => name === target))
    throw new Error(`a service binding names ${target}, which is neither of the two workers`);
  const entrypoint = service["entrypoint"];
  const designator =
    typeof entrypoint === "string"
      ? `(name = ${text(target)}, entrypoint = ${text(entrypoint)})`
      : text(target);
  return `(name = ${text(string(service, "binding"))}, service = ${designator})`;
}

/** The classes that exist after all migrations. */
function durableObjectClasses(config: Table): string[] {
  return list(config, "migrations").flatMap(
    (migration) => (migration["new_sqlite_classes"] as string[] | undefined) ?? [],
  );
}

/** A Cap'n Proto text literal, which is close to C's; JSON's escapes are a subset but for \\uXXXX. */
function text(value: string): string {
  return JSON.stringify(value).replace(/\\u00([0-9a-f]{2})/g, "\\x$1");
}

function table(from: Table, name: string): Table {
  return (from[name] as Table | undefined) ?? {};
}

function list(from: Table, name: string): Table[] {
  return (from[name] as Table[] | undefined) ?? [];
}

function string(from: Table, name: string): string {
  const value = from[name];
  if (typeof value !== "string") throw new Error(`wrangler.toml: ${name} is missing`);
  return value;
}
