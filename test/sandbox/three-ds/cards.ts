/**
 * Which card does what. Numbers and outcomes of the well-known ones follow docs.stripe.com/testing; the magic
 * ones are this sandbox's, one for every outcome of every scheme.
 */

import { passesLuhn, schemeOf } from "../kit/cards.ts";

/** EMV 3-D Secure, transStatus. */
export type TransStatus = "Y" | "A" | "N" | "U" | "C" | "D" | "R" | "I";
/** How an authentication can end. */
export type FinalStatus = Exclude<TransStatus, "C" | "D">;

/** Fields of a message that a card (or a fault rule) replaces; null leaves one out. */
export type Overrides = Readonly<Record<string, unknown>>;

export type Behaviour = {
  /** What is answered where nobody asks for a challenge or an exemption; a number is the code of an Erro. */
  readonly answer: TransStatus | number;
  readonly transStatusReason?: string;
  /** Whether a challenge that is asked for is made; a card that answers Y usually does. */
  readonly challenges?: false;
  /** Without the payer (3RI); where not given, Y for cards that answer Y, else N. */
  readonly withoutPayer?: TransStatus;
  /** What a right code leads to; Y where not given. */
  readonly ends?: FinalStatus;
  readonly ares?: Overrides;
  readonly rreq?: Overrides;
  /** How the RReq goes wrong. */
  readonly results?: "late" | "never" | "twice";
  /** The CRes says the opposite of the RReq. */
  readonly contradicts?: true;
};

const CHALLENGE: Behaviour = { answer: "C" };

const WELL_KNOWN: Readonly<Record<string, Behaviour>> = {
  // On-session payments ask; once it is set up, payments without the payer pass.
  "4000002500003155": { answer: "C", withoutPayer: "Y" },
  "4000002760003184": CHALLENGE,
  "4000003800000446": { answer: "C", withoutPayer: "Y" },
  // Authenticated, and then declined by the issuer: the acquirer's business.
  "4000008260003178": CHALLENGE,
  "4000008400001629": CHALLENGE,
  "4000000000003220": CHALLENGE,
  "4000008400000027": CHALLENGE,
  // The look-up itself fails.
  "4000008400001280": { answer: 405 },
  "4000000000003097": { answer: 405 },
  "4000000000003055": { answer: "Y" },
  // The scheme stands in: the card is in a range that takes part, but not enrolled.
  "4242424242424242": { answer: "A", challenges: false },
  // Not in any range that takes part.
  "378282246310005": { answer: 305 },
};

/** By the two digits before the check digit; see `magicNumber`. */
export const MAGIC = {
  "01": { answer: "Y" },
  "02": { answer: "A", challenges: false },
  "03": { answer: "N", transStatusReason: "01" },
  "04": { answer: "U", transStatusReason: "22" },
  "05": CHALLENGE,
  "06": { answer: "D" },
  "07": { answer: "R", transStatusReason: "11" },
  "08": { answer: "I" },
  // Authenticated, with what contradicts it.
  "21": { answer: "Y", ares: { eci: "00" } },
  "22": { answer: "Y", ares: { eci: "07" } },
  "23": { answer: "Y", ares: { authenticationValue: null } },
  "24": { answer: "Y", ares: { authenticationValue: "bm90IHR3ZW50eSBieXRlcw==" } },
  "25": { answer: "N", ares: { eci: "05", authenticationValue: "AAABBBBBBBBBBBBBBBBBBBBBBBA=" } },
  "26": { answer: "Y", ares: { eci: null } },
  // Challenges whose results go wrong.
  "31": { answer: "C", contradicts: true },
  "32": { answer: "C", results: "late" },
  "33": { answer: "C", results: "never" },
  "34": { answer: "C", results: "twice" },
  "35": { answer: "C", rreq: { eci: "07" } },
  "36": { answer: "C", ends: "U" },
  "37": { answer: "C", ends: "A" },
  "39": { answer: "C", ends: "R" },
  // An address that no browser may be sent to.
  "38": { answer: "C", ares: { acsURL: "javascript:alert(document.domain)" } },
  // The directory's own trouble.
  "41": { answer: 402 },
  "42": { answer: 403 },
  "43": { answer: 101 },
  // Mastercard's own: an exemption taken with N, and data shared without an authentication.
  "51": { answer: "N", transStatusReason: "81", ares: { eci: "06" } },
  "52": { answer: "U", transStatusReason: "80", ares: { eci: "04" } },
} as const satisfies Readonly<Record<string, Behaviour>>;
export type MagicCode = keyof typeof MAGIC;

/** What comes before the code: `300200`, after a prefix that the vault knows a country of. */
const MAGIC_BODY: Readonly<Record<string, string>> = {
  visa: "4000003002000",
  mastercard: "5555553002000",
  amex: "378282300200",
  discover: "6011113002000",
  jcb: "3566003002000",
};

/** The number of a scheme (visa, mastercard, amex, discover, jcb) that behaves as `MAGIC` says. */
export function magicNumber(scheme: string, code: MagicCode): string {
  const start = `${MAGIC_BODY[scheme] ?? ""}${code}`;
  const digits = Array.from({ length: 10 }, (_, digit) => start + digit);
  return digits.find(passesLuhn) ?? "";
}

const BY_NUMBER = new Map<string, Behaviour>(Object.entries(WELL_KNOWN));
for (const scheme of Object.keys(MAGIC_BODY)) {
  for (const code of Object.keys(MAGIC) as MagicCode[]) BY_NUMBER.set(magicNumber(scheme, code), MAGIC[code]);
}

/** What a card does; all other numbers of a scheme that takes part are authenticated without a question. */
export function behaviourOf(number: string): Behaviour {
  return BY_NUMBER.get(number) ?? { answer: schemeOf(number) === "unknown" ? 305 : "Y" };
}

/**
 * The electronic commerce indicator that a scheme's directory gives for an outcome; `exempted` where the
 * issuer took an exemption.
 */
export function eciOf(scheme: string, status: FinalStatus): string | null {
  const mastercard: Readonly<Record<FinalStatus, string | null>> = {
    Y: "02",
    A: "01",
    N: "00",
    U: "00",
    R: "00",
    I: "06",
  };
  const others: Readonly<Record<FinalStatus, string | null>> = {
    Y: "05",
    A: "06",
    N: "07",
    U: "07",
    R: null,
    I: "07",
  };
  return (scheme === "mastercard" ? mastercard : others)[status];
}
