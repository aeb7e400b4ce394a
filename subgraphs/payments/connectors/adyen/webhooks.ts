import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { err, ok, type Result } from "../../../kernel/result.ts";
import type { WebhookItem, Webhooks } from "../connector.ts";
import { type News, newsMeaning, operationKindOf } from "./news.ts";

/**
 * Standard webhooks: JSON with one or more items, each signed by itself with HMAC-SHA256 over eight of its fields
 * (docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures). One item that is not genuine
 * condemns the delivery. Reason, time and additional data are not signed: they only explain, and never say whether money
 * moved; TLS and basic authentication protect them.
 *
 * A secret is an HMAC key in hexadecimal (several while keys change), or `user:password`, of which one must have been sent
 * if there is any. Times are not signed, so an old delivery stays genuine: news is applied once, by its id.
 */
const item = z.object({
  pspReference: z.string().min(1).max(64),
  originalReference: z.string().max(64).nullish(),
  merchantAccountCode: z.string().max(100),
  merchantReference: z.string().max(100).nullish(),
  amount: z.object({ value: z.int(), currency: z.string().max(3) }),
  eventCode: z.string().min(1).max(60),
  success: z.enum(["true", "false"]),
  eventDate: z.string().max(40).nullish(),
  reason: z.string().max(1_000).nullish(),
  additionalData: z.record(z.string(), z.unknown()).nullish(),
});
type Item = z.infer<typeof item>;

const MAX_ITEMS = 100;
const delivery = z.object({
  notificationItems: z
    .array(z.object({ NotificationRequestItem: item }))
    .min(1)
    .max(MAX_ITEMS),
});

/** The text that an item's signature is over: its fields with colons between, empty where there is none. */
export function dataToSign(news: Item): string {
  const {
    pspReference,
    originalReference,
    merchantAccountCode,
    merchantReference,
    amount,
    eventCode,
    success,
  } = news;
  return [
    pspReference,
    originalReference ?? "",
    merchantAccountCode,
    merchantReference ?? "",
    String(amount.value),
    amount.currency,
    eventCode,
    success,
  ].join(":");
}

/** Whether the item is signed with one of the keys, each 32 bytes or so in hexadecimal. */
function isGenuine(news: Item, keys: readonly string[]): boolean {
  const given = news.additionalData?.["hmacSignature"];
  if (typeof given !== "string") return false;
  const signature = Buffer.from(given, "base64");
  const text = dataToSign(news);
  return keys.some((key) => {
    const expected = createHmac("sha256", Buffer.from(key, "hex")).update(text, "utf8").digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
}

const HEX_KEY = /^(?:[0-9A-Fa-f]{2}){16,64}$/;

function isAuthenticated(header: string | undefined, credentials: readonly string[]): boolean {
  if (credentials.length === 0) return true;
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const given = digest(header ?? "");
  return credentials.some((credential) =>
    timingSafeEqual(given, digest(`Basic ${Buffer.from(credential).toString("base64")}`)),
  );
}

function parse(body: Uint8Array): readonly Item[] | null {
  try {
    const parsed = delivery.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
    return parsed.success
      ? parsed.data.notificationItems.map((entry) => entry.NotificationRequestItem)
      : null;
  } catch {
    return null;
  }
}

/** Webhooks of one merchant account; news of others of the same company is of no interest. */
export function adyenWebhooks(merchantAccount: string): Webhooks {
  return {
    // Adyen asks for this body or any 2xx.
    received: { status: 200, body: "[accepted]" },
    read(headers, body, secrets): Result<readonly WebhookItem[], string> {
      const keys = secrets.filter((secret) => HEX_KEY.test(secret));
      const credentials = secrets.filter((secret) => secret.includes(":"));
      if (keys.length === 0) return err("there is no HMAC key to check it with");
      if (!isAuthenticated(headerOf(headers, "authorization"), credentials))
        return err("wrong basic authentication");
      const items = parse(body);
      if (items === null) return err("not a notification");
      if (!items.every((news) => isGenuine(news, keys))) return err("wrong HMAC signature");
      return ok(items.filter((news) => news.merchantAccountCode === merchantAccount).map(toItem));
    },
  };
}

function headerOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

function toItem(told: Item): WebhookItem {
  const additional = Object.entries(told.additionalData ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const news: News = {
    eventCode: told.eventCode,
    success: told.success === "true",
    pspReference: told.pspReference,
    originalReference: told.originalReference || null,
    amount: told.amount,
    reason: told.reason ?? "",
    additionalData: Object.fromEntries(additional),
    recaptured: told.eventCode === "CAPTURE" && /recaptured/i.test(told.reason ?? ""),
  };
  const isModification = news.originalReference !== null;
  return {
    // Duplicates share these; a capture that Adyen repeats after a failure is news of its own.
    id: `${told.pspReference}:${told.eventCode}:${told.success}${news.recaptured ? ":recaptured" : ""}`,
    reference: told.merchantReference || null,
    providerPayment: news.originalReference ?? told.pspReference,
    providerOperation: isModification ? told.pspReference : null,
    kind: operationKindOf(told.eventCode),
    at: dateOf(told.eventDate),
    answer: (operation, payment) => newsMeaning(news, operation, payment),
  };
}

function dateOf(text: string | null | undefined): Date | null {
  const at = new Date(text ?? "");
  return Number.isNaN(at.getTime()) ? null : at;
}
