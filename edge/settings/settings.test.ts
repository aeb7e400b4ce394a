import { describe, expect, it } from "vitest";
import type { ApiEnv } from "../app.ts";
import { newDevSecrets } from "../dev-secrets.ts";
import { readSettings as readVaultSettings, type VaultVariables } from "../vault/vault-settings.ts";
import { declaredVars } from "../workerd-config.ts";
import { readSettings as readApiSettings } from "./api-settings.ts";

/** The environment as wrangler.toml and a set of secrets make it. */
const secrets = newDevSecrets();
const asProduction = <T extends object>(of: T): T =>
  JSON.parse(JSON.stringify(of).replaceAll("dev-", "prod-")) as T;
const api = (change: object = {}, of = secrets.api) =>
  ({ ...declaredVars("api"), ...of, ...change }) as unknown as ApiEnv;
const vault = (change: object = {}, of = secrets.vault) =>
  ({ ...declaredVars("vault"), ...of, ...change }) as unknown as VaultVariables;
const development = { ENVIRONMENT: "development" };

describe("the api worker's settings", () => {
  it("are read in development, and in production with production's keys", async () => {
    expect(await readApiSettings(api(development))).toMatchObject({
      keyCacheMs: 30_000,
      regionTimeoutMs: 30_000,
    });
    expect((await readApiSettings(api({}, asProduction(secrets.api)))).signer.kid).toBe("prod-edge-1");
  });

  it("name the providers whose messages are taken; none is possible too", async () => {
    const named = async (text: string) => [
      ...(await readApiSettings(api({ ...development, INBOUND_PROVIDERS: text }))).inboundProviders,
    ];
    expect(await named("stripe,three-ds")).toEqual(["stripe", "three-ds"]);
    expect(await named("")).toEqual([]);
  });

  it("refuse development keys and plain http in production", async () => {
    await expect(readApiSettings(api())).rejects.toThrow('"dev-edge-1" is a development key');
    const production = asProduction(secrets.api);
    for (const name of ["REGION_URL", "VAULT_URL"])
      await expect(readApiSettings(api({ [name]: "http://127.0.0.1:1" }, production))).rejects.toThrow(name);
  });

  it.each([
    ["KEY_CACHE_MS", "30001"],
    ["KEY_CACHE_MS", ""],
    ["REGION_TIMEOUT_MS", "0"],
    ["REGION_URL", "https://region.example.com/"],
    ["VAULT_URL", "vault"],
    ["INBOUND_PROVIDERS", "stripe, adyen"],
    ["INBOUND_PROVIDERS", "stripe,"],
    ["INBOUND_PROVIDERS", "stripe/adyen"],
    ["INBOUND_PROVIDERS", undefined],
    ["ENVIRONMENT", "staging"],
    ["EDGE_SIGNING_KEY", "{}"],
    ["EDGE_SIGNING_KEY", "secret that must not be repeated"],
    ["EDGE_SIGNING_KEY", undefined],
  ])("refuse %s = %s, by name and without repeating it", async (name, value) => {
    const error = (await readApiSettings(api({ ...development, [name]: value })).catch(
      (e: Error) => e,
    )) as Error;
    expect(error.message).toContain(name);
    expect(error.message).not.toContain("must not be repeated");
  });
});

describe("the vault's settings", () => {
  it("are read in development, and in production with production's keys", async () => {
    expect((await readVaultSettings(vault(development))).keks.current).toBe("dev-kek-1");
    expect((await readVaultSettings(vault({}, asProduction(secrets.vault)))).keks.current).toBe("prod-kek-1");
  });

  it.each(["VAULT_KEKS", "VAULT_CVC_KEYS", "VAULT_ENCRYPTION_KEYS", "REGION_VERIFYING_KEYS"] as const)(
    "refuse a development key in %s in production",
    async (name) => {
      const one = { ...asProduction(secrets.vault), [name]: secrets.vault[name] };
      await expect(readVaultSettings(vault({}, one))).rejects.toThrow(`${name}: "dev-`);
    },
  );

  it("refuse a loopback provider in production", async () => {
    const allow = declaredVars("vault")["EGRESS_ALLOW"]?.replaceAll(
      "https://api.stripe.com",
      "http://127.0.0.1:1",
    );
    const production = asProduction(secrets.vault);
    await expect(readVaultSettings(vault({ EGRESS_ALLOW: allow }, production))).rejects.toThrow(
      "development only",
    );
    await readVaultSettings(vault({ EGRESS_ALLOW: allow, ...development }));
  });

  it.each([
    ["CVC_LIFETIME_MS", "3600001"],
    ["EGRESS_TIMEOUT_MS", "soon"],
    ["REGION_CODE", "eu"],
    ["VAULT_KEKS", '{"current":"k2","keys":{"k1":"AAAA"}}'],
    ["VAULT_CVC_KEYS", "{}"],
    ["VAULT_ENCRYPTION_KEYS", '{"current":"k","keys":{}}'],
    ["VAULT_FINGERPRINT_KEY", "c2hvcnQ"],
    ["REGION_VERIFYING_KEYS", '[{"kty":"OKP"}]'],
    ["VAULT_KEKS", "secret that must not be repeated"],
  ])("refuse %s = %s, by name and without repeating it", async (name, value) => {
    const error = (await readVaultSettings(vault({ ...development, [name]: value })).catch(
      (e: Error) => e,
    )) as Error;
    expect(error.message).toContain(name);
    expect(error.message).not.toContain("must not be repeated");
    expect(error.message).not.toContain("AAAA");
  });
});
