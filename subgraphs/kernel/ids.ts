import { fromUUID, type TypeId, toUUID } from "typeid-js";
import { err, invariant, ok, type Result } from "./result.ts";

/**
 * Identifiers are TypeIDs: a prefix that says what they name and a UUIDv7 (RFC 9562). The UUID's last two
 * bytes are the region's number and the shard, so any id finds its home without a look-up; 58 random bits
 * remain for each millisecond.
 */
export type IdKind = "mer" | "pay" | "op" | "cs" | "book" | "jrn" | "trf" | "evt" | "cmt" | "key";
export type Id<K extends IdKind> = string & { readonly __id: K };

export type MerchantId = Id<"mer">;
export type PaymentId = Id<"pay">;
export type OperationId = Id<"op">;
export type CheckoutSessionId = Id<"cs">;
export type BookId = Id<"book">;
export type JournalId = Id<"jrn">;
export type TransferId = Id<"trf">;
export type EventId = Id<"evt">;
export type CommitId = Id<"cmt">;

/** Where a merchant's rows live: a region's number (0..255) and a shard in it (0..255). */
export type Home = { readonly region: number; readonly shard: number };

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A UUIDv7 made at `ms` since the epoch, ending in the home's two bytes. */
function uuidv7(home: Home, ms: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ms / 2 ** 40;
  bytes[1] = ms / 2 ** 32;
  bytes[2] = ms / 2 ** 24;
  bytes[3] = ms / 2 ** 16;
  bytes[4] = ms / 2 ** 8;
  bytes[5] = ms;
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  bytes[14] = home.region;
  bytes[15] = home.shard;
  const text = Array.from(bytes, (byte) => hex[byte] as string);
  return [
    text.slice(0, 4).join(""),
    text.slice(4, 6).join(""),
    text.slice(6, 8).join(""),
    text.slice(8, 10).join(""),
    text.slice(10, 16).join(""),
  ].join("-");
}

export function newId<K extends IdKind>(kind: K, home: Home, at: Date): Id<K> {
  return fromUUID(uuidv7(home, at.getTime()), kind) as string as Id<K>;
}

/** The same UUID under another prefix: a merchant's book is named after the merchant. */
export function idFromUuid<K extends IdKind>(kind: K, uuid: string): Id<K> {
  return fromUUID(uuid, kind) as string as Id<K>;
}

export function uuidOf(id: Id<IdKind>): string {
  return toUUID(id as string as TypeId<string>);
}

export function homeOf(id: Id<IdKind>): Home {
  const uuid = uuidOf(id);
  return { region: Number.parseInt(uuid.slice(-4, -2), 16), shard: Number.parseInt(uuid.slice(-2), 16) };
}

export type InvalidId = { readonly code: "INVALID_ID" };

/** Reads an id that a stranger sent; anything but a well-formed id of that kind is `INVALID_ID`. */
export function parseId<K extends IdKind>(kind: K, text: string): Result<Id<K>, InvalidId> {
  if (text.length !== kind.length + 27 || !text.startsWith(`${kind}_`)) return err({ code: "INVALID_ID" });
  try {
    const uuid = toUUID(text as TypeId<string>);
    if (fromUUID(uuid, kind) !== text) return err({ code: "INVALID_ID" });
    return ok(text as Id<K>);
  } catch {
    return err({ code: "INVALID_ID" });
  }
}

/** The kind that an id's prefix names, if it is one of ours. Relay's `node(id)` starts here. */
export function kindOf(id: string): IdKind | undefined {
  const kinds: readonly IdKind[] = ["mer", "pay", "op", "cs", "book", "jrn", "trf", "evt", "cmt", "key"];
  return kinds.find((kind) => id.startsWith(`${kind}_`) && parseId(kind, id).ok);
}

export function homeFor(region: number, shard: number): Home {
  invariant(Number.isInteger(region) && region >= 0 && region < 256, "a region's number is 0..255");
  invariant(Number.isInteger(shard) && shard >= 0 && shard < 256, "a shard is 0..255");
  return { region, shard };
}
