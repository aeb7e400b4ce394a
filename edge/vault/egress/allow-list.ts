import * as v from "valibot";
import { err, ok, type Result } from "../../../subgraphs/kernel/result.ts";
import { BODY_TYPES, type BodyType } from "./body.ts";

/**
 * Where card data may go: per destination, the exact paths and, for each placeholder, the exact fields that may
 * hold it. A region that was taken over can therefore send a card to its provider's card field, and nowhere
 * else: not to another host, nor into a field of the provider that can be read back (a description, metadata).
 */
export const PLACEHOLDERS = [
  "card.number",
  /** "3" */
  "card.exp_month",
  /** "03" */
  "card.exp_mm",
  /** "2030" */
  "card.exp_year",
  /** "3003", year first: ISO 8583 field 14, EMV 3-D Secure's cardExpiryDate */
  "card.exp_yymm",
  "card.cvc",
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

export type Destination = {
  readonly origin: string;
  readonly paths: readonly string[];
  /** How bodies are encoded there; one in another encoding is refused, since its fields have other names. */
  readonly contentType: BodyType;
  readonly fields: Readonly<Record<Placeholder, readonly string[]>>;
};

export type AllowList = readonly Destination[];

const names = v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.maxLength(20)), []);
const schema = v.array(
  v.strictObject({
    origin: v.string(),
    paths: v.pipe(v.array(v.pipe(v.string(), v.regex(/^(\/[\w-]+)+$/))), v.minLength(1)),
    contentType: v.picklist(BODY_TYPES),
    fields: v.strictObject({
      "card.number": names,
      "card.exp_month": names,
      "card.exp_mm": names,
      "card.exp_year": names,
      "card.exp_yymm": names,
      "card.cvc": names,
    }),
  }),
);

/** This machine: 127.0.0.0/8, ::1 and localhost. */
function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
}

/**
 * Reads EGRESS_ALLOW, a JSON list of destinations (edge/vault/wrangler.toml explains it). Throws if it is malformed or allows what must not be: only
 * https, unless `loopback` (development) also lets http reach this very machine, where the sandbox runs.
 */
export function parseAllowList(text: string, { loopback }: { readonly loopback: boolean }): AllowList {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error("EGRESS_ALLOW is not JSON");
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new Error(`EGRESS_ALLOW: ${v.getDotPath(issue) ?? "the list"}: ${issue.message}`);
  }
  for (const { origin } of parsed.output) {
    const url = URL.parse(origin);
    if (url === null || url.origin !== origin) throw new Error(`EGRESS_ALLOW: ${origin} is not an origin`);
    const local = isLoopback(url);
    if (local && !loopback) throw new Error(`EGRESS_ALLOW: ${origin} is loopback: development only`);
    if (url.protocol !== "https:" && !(local && url.protocol === "http:"))
      throw new Error(`EGRESS_ALLOW: ${origin} is not https`);
  }
  return parsed.output;
}

export type DestinationRefusal = { readonly code: "HOST_NOT_ALLOWED" | "PATH_NOT_ALLOWED" };

/**
 * The destination that an absolute URL names. Compared after parsing, on what will really be requested: no user
 * info, query or fragment, and a path without escapes, which a server might decode into another path.
 */
export function destinationOf(
  allow: AllowList,
  absoluteUrl: string,
): Result<{ url: URL; destination: Destination }, DestinationRefusal> {
  const url = URL.parse(absoluteUrl);
  if (url === null || url.username !== "" || url.password !== "") return err({ code: "HOST_NOT_ALLOWED" });
  const hosts = allow.filter(({ origin }) => origin === url.origin);
  if (hosts.length === 0) return err({ code: "HOST_NOT_ALLOWED" });
  const plain = url.search === "" && url.hash === "" && /^[\w/-]+$/.test(url.pathname);
  const destination = hosts.find(({ paths }) =>
    paths.some((path) => url.pathname === path || url.pathname.startsWith(`${path}/`)),
  );
  if (!plain || destination === undefined) return err({ code: "PATH_NOT_ALLOWED" });
  return ok({ url, destination });
}
