import { fromUUID, type TypeId, toUUID } from "typeid-js";
import { err, invariant, ok, type Result } from "./result.ts";

/**
 * Identifiers are TypeIDs: a prefix that says what they name and a UUIDv7 (RFC 9562). The UUID's last two
 * bytes are the region's number and the shard, so any id finds its home without a look-up; 58 random bits
 * remain for each millisecond.
 */
export type IdKind =
  | "mer"
  | "pay"
  | "op"
  | "cs"
  | "cus"
  | "pm"
  | "book"
  | "jrn"
  | "trf"
  | "evt"
  | "cmt"
  | "key";
export type Id<K extends IdKind> = string & { readonly __id: K };

export type MerchantId = Id<"mer">;
export type PaymentId = Id<"pay">;
export type OperationId = Id<"op">;
export type CheckoutSessionId = Id<"cs">;
export type CustomerId = Id<"cus">;
export type PaymentMethodId = Id<"pm">;
export type BookId = Id<"book">;
export type JournalId = Id<"jrn">;
export type TransferId = Id<"trf">;
export type EventId = Id<"evt">;
export type CommitId = Id<"cmt">;

/** Where a merchant's rows live: a region's number (0..255) and a shard in it (0..255). */
export type Home = { readonly region: number; readonly shard: number };

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Random bytes as hexadecimal text, drawn many at a time: a call costs the same for 8 as for thousands. */
const random = new Uint8Array(4_096);
let drawn = random.length;

function randomHex(count: number): string {
  if (drawn + count > random.length) {
    crypto.getRandomValues(random);
    drawn = 0;
  }
  let text = "";
  for (let index = 0; index < count; index++) text += hex[random[drawn++] as number];
  return text;
}

/** A UUIDv7 made at `ms` since the epoch, ending in the home's two bytes. */
function uuidv7({ region, shard }: Home, ms: number): string {
  const time = ms.toString(16).padStart(12, "0");
  const bits = randomHex(8);
  const variant = "89ab"[Number.parseInt(bits.slice(0, 1), 16) & 3];
  const head = `${time.slice(0, 8)}-${time.slice(8)}-7${bits.slice(1, 4)}-${variant}${bits.slice(4, 7)}`;
  return `${head}-${bits.slice(8)}${hex[region]}${hex[shard]}`;
}

export function newId<K extends IdKind>(kind: K, home: Home, at: Date): Id<K> {
  const uuid = uuidv7(home, at.getTime());
  return idFromUuid(kind, kind === "cmt" ? withPosition(uuid, 0) : uuid);
}

/** Byte 13 of a commit's UUID is 0; each of its transfers has its position there. */
const withPosition = (uuid: string, position: number): string =>
  `${uuid.slice(0, 30)}${hex[position]}${uuid.slice(32)}`;

/** Transfers that one commit can have. */
export const MAX_TRANSFERS = 255;

/** The UUID of a commit's transfer by its position, from 1. */
export function transferUuid(commit: string, position: number): string {
  invariant(position >= 1 && position <= MAX_TRANSFERS, "a commit has at most 255 transfers");
  return withPosition(commit, position);
}

export const transferId = (commit: CommitId, position: number): TransferId =>
  idFromUuid("trf", transferUuid(uuidOf(commit), position));

/** The journal of a commit is named after it. */
export const journalId = (commit: CommitId): JournalId => idFromUuid("jrn", uuidOf(commit));

/** The journal that a transfer belongs to. */
export const journalOf = (transfer: TransferId): JournalId =>
  idFromUuid("jrn", withPosition(uuidOf(transfer), 0));

/** The same UUID under another prefix: a merchant's book is named after the merchant. */
export function idFromUuid<K extends IdKind>(kind: K, uuid: string): Id<K> {
  const id = fromUUID(uuid, kind) as string as Id<K>;
  remember(id, uuid);
  return id;
}

/** UUIDs of ids that were met lately: an id that is made, or a merchant's, is read several times soon after. */
const recent = new Map<string, string>();
const MOST_RECENT = 8_192;

function remember(id: string, uuid: string): string {
  if (recent.size >= MOST_RECENT) recent.clear();
  recent.set(id, uuid);
  return uuid;
}

export function uuidOf(id: Id<IdKind>): string {
  return recent.get(id) ?? remember(id, toUUID(id as string as TypeId<string>));
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
