import type { KeyObject } from "node:crypto";
import type { JWK } from "jose";
import { z } from "zod";
import { SUBGRAPHS, type SubgraphName } from "../schema/compose.ts";
import {
  auditKey,
  publicHalf,
  type SigningKey,
  signingKey,
  type VerifyingKeys,
  verifyingKeys,
} from "../subgraphs/ledger/audit/keys.ts";
import { type ConfiguredProvider, configuredProviders, providerEnvironment } from "./providers.ts";
import { type Region, regionNamed } from "./regions.ts";
import { type ConfiguredThreeDs, configuredThreeDs, threeDsEnvironment } from "./three-ds.ts";

/** A region process's settings, all from environment variables. */
export type RegionConfig = {
  readonly region: Region;
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string;
  /** Public halves of the keys with which the edge signs. */
  readonly edgeKeys: readonly JWK[];
  /** The private key with which this region signs for the vault. */
  readonly signingKey: JWK;
  readonly vaultUrl: string;
  /** At least one. */
  readonly providers: readonly ConfiguredProvider[];
  readonly threeDs: ConfiguredThreeDs | null;
  /** A Redis over Upstash's REST, shared by the region's processes; null: none. */
  readonly redis: { readonly url: string; readonly token: string } | null;
  /** Where providers tell their news, for those that take an address with each payment. */
  readonly webhookBase: string | null;
  readonly referenceSecret: string;
  readonly checkoutSecret: string;
  readonly providerDeadlineMs: number;
  /** Leave providers alone for a while that fail too often. */
  readonly breakers: boolean;
  readonly riskDeadlineMs: number;
  readonly maxInFlight: number;
  /** Connections that apply commits; each carries the shards that fall to it. */
  readonly commitLanes: number;
  /** The ledger's audit. */
  readonly audit: {
    /** With which chains are made. */
    readonly key: KeyObject;
    readonly signingKey: SigningKey;
    /** Of this and of former signing keys. */
    readonly checkpointKeys: VerifyingKeys;
    /** A folder, for now. */
    readonly store: string;
  };
  /** Where separately started subgraphs are; null: all in this process. */
  readonly subgraphUrls: Readonly<Record<SubgraphName, string>> | null;
  readonly logLevel: string;
  /** Tell clients in a header how long a request's steps took. */
  readonly showTiming: boolean;
};

const json = <T extends z.ZodType>(schema: T) =>
  z.string().transform((text, context) => {
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      context.addIssue({
        code: "custom",
        message: error instanceof SyntaxError ? "is not JSON" : String(error),
      });
      return z.NEVER;
    }
  });
const keyFrom = <T>(read: (text: string) => T) =>
  z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  });
const jwk = z.looseObject({ kty: z.string(), kid: z.string() });
const ms = z.coerce.number().int().positive();
const secret = z.string().min(32, "is a random secret of at least 32 characters");

const environment = z.object({
  ...providerEnvironment.shape,
  ...threeDsEnvironment.shape,
  REGION: z.string().default("eu-1"),
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65_535),
  DATABASE_URL: z.string().min(1),
  EDGE_VERIFYING_KEYS: json(z.array(jwk).min(1)),
  VAULT_SIGNING_KEY: json(jwk),
  VAULT_URL: z.url(),
  REDIS_URL: z.url().optional(),
  REDIS_TOKEN: z.string().min(1).optional(),
  WEBHOOK_BASE_URL: z.url().optional(),
  REFERENCE_SECRET: secret,
  CHECKOUT_SECRET: secret,
  PROVIDER_DEADLINE_MS: ms.default(10_000),
  BREAKERS: z.enum(["on", "off"]).default("on"),
  RISK_DEADLINE_MS: ms.default(50),
  MAX_IN_FLIGHT: z.coerce.number().int().positive().default(4_096),
  COMMIT_LANES: z.coerce.number().int().min(1).max(64).default(2),
  AUDIT_KEY: keyFrom(auditKey),
  AUDIT_SIGNING_KEY: keyFrom(signingKey),
  AUDIT_CHECKPOINT_KEYS: keyFrom(verifyingKeys).optional(),
  AUDIT_STORE: z.string().min(1),
  SUBGRAPH_URLS: json(z.record(z.enum(SUBGRAPHS), z.url())).optional(),
  LOG_LEVEL: z.string().default("info"),
  SHOW_TIMING: z.enum(["0", "1"]).default("0"),
});

function redisOf(url: string | undefined, token: string | undefined): RegionConfig["redis"] {
  if (url === undefined) return null;
  if (token === undefined) throw new Error("REDIS_TOKEN is missing beside REDIS_URL");
  return { url, token };
}

/** Reads the settings. Throws one error that names every variable that is wrong, never its value. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): RegionConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new Error(`the region's settings are not right:\n${lines.join("\n")}`);
  }
  const e = parsed.data;
  return {
    region: regionNamed(e.REGION),
    host: e.HOST,
    port: e.PORT,
    databaseUrl: e.DATABASE_URL,
    edgeKeys: e.EDGE_VERIFYING_KEYS,
    signingKey: e.VAULT_SIGNING_KEY,
    vaultUrl: e.VAULT_URL,
    providers: configuredProviders(e, e.THREE_DS_NOTIFICATION_URL ?? "https://localhost/"),
    threeDs: configuredThreeDs(e),
    redis: redisOf(e.REDIS_URL, e.REDIS_TOKEN),
    webhookBase: e.WEBHOOK_BASE_URL ?? null,
    referenceSecret: e.REFERENCE_SECRET,
    checkoutSecret: e.CHECKOUT_SECRET,
    providerDeadlineMs: e.PROVIDER_DEADLINE_MS,
    breakers: e.BREAKERS === "on",
    riskDeadlineMs: e.RISK_DEADLINE_MS,
    maxInFlight: e.MAX_IN_FLIGHT,
    commitLanes: e.COMMIT_LANES,
    audit: {
      key: e.AUDIT_KEY,
      signingKey: e.AUDIT_SIGNING_KEY,
      checkpointKeys: e.AUDIT_CHECKPOINT_KEYS ?? publicHalf(e.AUDIT_SIGNING_KEY),
      store: e.AUDIT_STORE,
    },
    subgraphUrls: e.SUBGRAPH_URLS ?? null,
    logLevel: e.LOG_LEVEL,
    showTiming: e.SHOW_TIMING === "1",
  };
}
