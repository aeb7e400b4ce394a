import type { JWK } from "jose";
import * as v from "valibot";
import { type SigningKey, signingKey } from "../../subgraphs/kernel/identity.ts";
import type { ApiEnv } from "../app.ts";
import { jsonText, oncePerIsolate, refuseDevelopmentKeys } from "./settings.ts";

/** The api worker's bindings, read and checked. */
export type ApiSettings = {
  readonly regionUrl: string;
  readonly regionTimeoutMs: number;
  /** The vault's origin, which the checkout frames. */
  readonly vaultOrigin: string;
  readonly keyCacheMs: number;
  /** Whose messages are taken at /webhooks/{provider}. */
  readonly inboundProviders: ReadonlySet<string>;
  readonly signer: SigningKey;
};

/** A revoked key must be dead after 30 s, so no answer about a key is kept for longer. */
const MAX_KEY_CACHE_MS = 30_000;

const milliseconds = v.pipe(v.string(), v.regex(/^\d{1,7}$/), v.transform(Number));
const origin = v.pipe(
  v.string(),
  v.check((text) => URL.parse(text)?.origin === text, "is not an origin such as https://example.com"),
);

/** Names as they stand in an address, with commas between them. */
const providerNames = v.pipe(
  v.string(),
  v.regex(/^([a-z][a-z0-9-]{0,31}(,(?=[a-z])|$))*$/),
  v.transform((text) => new Set(text === "" ? [] : text.split(","))),
);

const environment = v.object({
  ENVIRONMENT: v.picklist(["production", "development"]),
  REGION_URL: origin,
  REGION_TIMEOUT_MS: v.pipe(milliseconds, v.minValue(1)),
  VAULT_URL: origin,
  KEY_CACHE_MS: v.pipe(milliseconds, v.maxValue(MAX_KEY_CACHE_MS)),
  INBOUND_PROVIDERS: providerNames,
  EDGE_SIGNING_KEY: jsonText(
    v.looseObject({ kty: v.literal("OKP"), crv: v.literal("Ed25519"), kid: v.string(), d: v.string() }),
  ),
});

/** Reads the environment; throws, naming what is wrong and no secret, if the worker could not work safely. */
export async function readSettings(env: ApiEnv): Promise<ApiSettings> {
  const parsed = v.safeParse(environment, env);
  if (!parsed.success) {
    const names = parsed.issues.map((issue) => v.getDotPath(issue)?.split(".")[0]);
    throw new Error(`missing or malformed: ${[...new Set(names)].join(", ")}`);
  }
  const read = parsed.output;
  if (read.ENVIRONMENT === "production") {
    refuseDevelopmentKeys("EDGE_SIGNING_KEY", [read.EDGE_SIGNING_KEY.kid]);
    for (const name of ["REGION_URL", "VAULT_URL"] as const) {
      if (!read[name].startsWith("https:")) throw new Error(`${name} is not https: development only`);
    }
  }
  return {
    regionUrl: read.REGION_URL,
    regionTimeoutMs: read.REGION_TIMEOUT_MS,
    vaultOrigin: read.VAULT_URL,
    keyCacheMs: read.KEY_CACHE_MS,
    inboundProviders: read.INBOUND_PROVIDERS,
    signer: await signingKey(read.EDGE_SIGNING_KEY as JWK),
  };
}

export const apiSettings = oncePerIsolate(readSettings);
