import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type WorkerdOptions, workerdConfig } from "./workerd-config.ts";

const dir = mkdtempSync(join(tmpdir(), "tessera-config-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const files = {
  api: readFileSync(new URL("../wrangler.toml", import.meta.url), "utf8"),
  vault: readFileSync(new URL("vault/wrangler.toml", import.meta.url), "utf8"),
};

/** The configuration that comes of changed wrangler.toml files. */
function configOf(change: Partial<typeof files> = {}, options: Partial<WorkerdOptions> = {}): string {
  mkdirSync(join(dir, "vault"), { recursive: true });
  const paths = { api: join(dir, "wrangler.toml"), vault: join(dir, "vault/wrangler.toml") };
  writeFileSync(paths.api, change.api ?? files.api);
  writeFileSync(paths.vault, change.vault ?? files.vault);
  const base = {
    ports: { api: 1, vault: 2 },
    configDir: dir,
    buildDir: join(dir, "build"),
    storageDir: "/s",
  };
  return workerdConfig({ ...base, ...options }, paths);
}

describe("workerdConfig", () => {
  it("carries every binding of both files", () => {
    const config = configOf({}, { secrets: { api: ["EDGE_SIGNING_KEY"] } });
    for (const part of [
      '(name = "API_KEYS", service = (name = "tessera-api", entrypoint = "ApiKeys"))',
      '(name = "VAULT_SHARDS", durableObjectNamespace = "VaultShard")',
      '(className = "VaultShard", uniqueKey = "tessera-vault-VaultShard", enableSql = true)',
      '(name = "ASSETS", service = "vault-assets")',
      '(name = "EDGE_SIGNING_KEY", fromEnvironment = "TESSERA_API_EDGE_SIGNING_KEY")',
      '(name = "REGION_CODE", text = "01")',
      'compatibilityDate = "2026-11-01"',
      'embed "build/vault/worker.js"',
      'address = "127.0.0.1:2"',
    ])
      expect(config).toContain(part);
  });

  it("takes other values for variables, quoted, and no variable that is not declared", () => {
    const value = 'a "quoted" \\ value\nwith a line and \u0001';
    expect(configOf({}, { vars: { api: { REGION_URL: value } } })).toContain(
      '(name = "REGION_URL", text = "a \\"quoted\\" \\\\ value\\nwith a line and \\x01")',
    );
    expect(() => configOf({}, { vars: { api: { REGION_URI: "x" } } })).toThrow(
      "declares no variable REGION_URI",
    );
  });

  it.each([
    [
      "a binding that it does not know",
      "api",
      '[[kv_namespaces]]\nbinding = "KV"\nid = "x"',
      "[kv_namespaces]",
    ],
    ["a service that is neither worker", "api", '[[services]]\nbinding = "X"\nservice = "other"', "other"],
    [
      "a migration that it does not know",
      "vault",
      '[[migrations]]\ntag = "v2"\ndeleted_classes = ["VaultShard"]',
      "deleted_classes",
    ],
    ["a class without SQLite", "vault", '[[migrations]]\ntag = "v2"\nnew_classes = ["Other"]', "new_classes"],
    [
      "a key of a service that it does not know",
      "api",
      '[[services]]\nbinding = "X"\nservice = "tessera-vault"\nremote = true',
      "remote",
    ],
    [
      "a class of another worker",
      "api",
      '[[durable_objects.bindings]]\nname = "X"\nclass_name = "VaultShard"\nscript_name = "tessera-vault"',
      "script_name",
    ],
  ])("fails clearly on %s", (_name, worker, more, named) => {
    const key = worker as "api" | "vault";
    expect(() => configOf({ [key]: `${files[key]}\n${more}\n` })).toThrow(named);
  });
});
