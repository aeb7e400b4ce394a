import { z } from "zod";
import { createDirectory, threeDsAccount } from "../subgraphs/payments/connectors/three-ds/index.ts";
import type { ProviderAccount } from "../subgraphs/payments/connectors/transport.ts";
import { SCHEMES } from "../subgraphs/payments/domain/three-ds/scheme.ts";
import type { ThreeDs } from "../subgraphs/payments/flow/three-ds.ts";

/** Set by THREE_DS_BASE_URL: where the schemes' directories are reached, and who we are there. */
export const threeDsEnvironment = z.object({
  THREE_DS_BASE_URL: z.url().optional(),
  THREE_DS_KEY: z.string().min(1).optional(),
  THREE_DS_PATH: z.string().startsWith("/").default("/areq"),
  THREE_DS_SERVER_REFERENCE: z.string().min(1).default("3DS_LOA_SER_TESSERA"),
  THREE_DS_OPERATOR_ID: z.string().min(1).default("tessera"),
  THREE_DS_RESULTS_URL: z.url().optional(),
  THREE_DS_NOTIFICATION_URL: z.url().optional(),
  THREE_DS_SECRETS: z
    .string()
    .default("")
    .transform((text) => text.split(/[\s,]+/).filter((part) => part !== "")),
  THREE_DS_ACQUIRER_BIN: z
    .string()
    .regex(/^\d{6,11}$/)
    .default("400551"),
  THREE_DS_LOOPBACK: z.enum(["0", "1"]).default("0"),
});

export type ConfiguredThreeDs = { readonly threeDs: ThreeDs; readonly account: ProviderAccount };

const CHALLENGE_MS = 10 * 60_000;

/** Null if no directory is configured: payers are then authenticated by providers that do it themselves, or not. */
export function configuredThreeDs(e: z.infer<typeof threeDsEnvironment>): ConfiguredThreeDs | null {
  const {
    THREE_DS_BASE_URL: baseUrl,
    THREE_DS_RESULTS_URL: url,
    THREE_DS_NOTIFICATION_URL: notificationUrl,
  } = e;
  if (baseUrl === undefined) return null;
  if (url === undefined || notificationUrl === undefined || e.THREE_DS_KEY === undefined)
    throw new Error(
      "THREE_DS_RESULTS_URL, THREE_DS_NOTIFICATION_URL and THREE_DS_KEY are needed beside THREE_DS_BASE_URL",
    );
  // Without one no result would ever be believed, and every challenge would end by its time.
  if (e.THREE_DS_SECRETS.length === 0) throw new Error("THREE_DS_SECRETS is needed beside THREE_DS_BASE_URL");
  const directory = createDirectory({
    version: "2.2.0",
    server: { referenceNumber: e.THREE_DS_SERVER_REFERENCE, operatorId: e.THREE_DS_OPERATOR_ID, url },
    paths: Object.fromEntries(SCHEMES.map((scheme) => [scheme, e.THREE_DS_PATH])),
    challengeMs: CHALLENGE_MS,
    decoupledMinutes: null,
    loopback: e.THREE_DS_LOOPBACK === "1",
  });
  return {
    account: threeDsAccount({ baseUrl, key: e.THREE_DS_KEY }),
    threeDs: {
      directory,
      requestor: ({ id, name, country }) => ({
        acquirerBin: e.THREE_DS_ACQUIRER_BIN,
        acquirerMerchantId: id.slice(-15),
        categoryCode: "5999",
        name,
        country,
        id: id.slice(0, 35),
        url: new URL(notificationUrl).origin,
      }),
      notificationUrl,
      setting: {
        authentication: "automatic",
        exemptions: ["low_value", "recurring"],
        exemptionsIn: "authorization",
        fraudBps: null,
      },
      secrets: e.THREE_DS_SECRETS,
    },
  };
}
