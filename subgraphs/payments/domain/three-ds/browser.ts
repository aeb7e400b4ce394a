import { z } from "zod";

/**
 * What a payer's browser tells of itself, for the issuer's risk analysis (EMV 3-D Secure, table A.1, browser
 * fields). Accept and address are the edge's to know; the rest is read by the checkout's script.
 */
export type Browser = z.infer<typeof browserSchema> & {
  /** The `Accept` header that the browser sent. */
  readonly accept: string;
  /** As the edge saw it; null where the law forbids to tell. */
  readonly ip: string | null;
};

/**
 * What the checkout's script reads, as a stranger sends it: bounded here, brought into the field's form
 * below.
 */
export const browserSchema = z.object({
  userAgent: z.string().min(1).max(4_096),
  /** BCP 47. */
  language: z
    .string()
    .regex(/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/)
    .max(64),
  javaEnabled: z.boolean(),
  colorDepth: z.int().min(1).max(64),
  /** CSS pixels. */
  screenWidth: z.int().min(0).max(999_999),
  screenHeight: z.int().min(0).max(999_999),
  /** Minutes that local time is behind UTC, as `Date.getTimezoneOffset`. */
  timeZoneOffset: z.int().min(-900).max(900),
});

/**
 * The depths that the specification knows; another one (30 bits, for one) is told as the next lower of them.
 */
const COLOR_DEPTHS = [48, 32, 24, 16, 15, 8, 4, 1] as const;
const LONGEST_HEADER = 2_048;

/** Longest language tag by version. */
const LONGEST_LANGUAGE = { "2.2.0": 8, "2.3.1": 35 } as const;

export function browserFields(
  browser: Browser,
  version: keyof typeof LONGEST_LANGUAGE,
): Readonly<Record<string, unknown>> {
  const depth = COLOR_DEPTHS.find((known) => known <= browser.colorDepth) ?? 1;
  return {
    browserAcceptHeader: browser.accept.slice(0, LONGEST_HEADER),
    ...(browser.ip === null ? {} : { browserIP: browser.ip }),
    browserJavascriptEnabled: true,
    browserJavaEnabled: browser.javaEnabled,
    browserLanguage: shortened(browser.language, LONGEST_LANGUAGE[version]),
    browserColorDepth: String(depth),
    browserScreenHeight: String(browser.screenHeight),
    browserScreenWidth: String(browser.screenWidth),
    browserTZ: String(browser.timeZoneOffset),
    browserUserAgent: browser.userAgent.slice(0, LONGEST_HEADER),
  };
}

/** Drops the last subtags until the tag fits: "zh-Hans-CN" is told as "zh-Hans". */
function shortened(language: string, most: number): string {
  let tag = language.replaceAll("_", "-");
  while (tag.length > most && tag.includes("-")) tag = tag.slice(0, tag.lastIndexOf("-"));
  return tag.slice(0, most);
}
