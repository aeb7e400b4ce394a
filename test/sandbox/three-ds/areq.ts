/**
 * Reading an AReq as a directory server does: by the specification's table of fields (EMV 3-D Secure Protocol
 * and Core Functions Specification 2.2, table B.1). What is wrong is answered with an Erro that names the
 * fields.
 */

import { passesLuhn } from "../kit/cards.ts";
import { type Erro, erro } from "./messages.ts";

export type AReq = {
  readonly version: string;
  readonly serverTransaction: string;
  readonly resultsUrl: string;
  readonly channel: "browser" | "requestor";
  readonly number: string;
  readonly expiry: string;
  /** threeDSRequestorChallengeInd. */
  readonly challengeIndicator: string;
  /** Minutes for a decoupled authentication, or null where none is wanted. */
  readonly decoupledMinutes: number | null;
  readonly completion: string | null;
  readonly notificationUrl: string | null;
  readonly amount: string;
  readonly exponent: number;
  /** ISO 4217, digits. */
  readonly currency: string;
  readonly merchantName: string;
  readonly language: string;
  readonly recurring: boolean;
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const URL_TEXT = /^https?:\/\/\S{1,2040}$/;
const upTo = (most: number): RegExp => new RegExp(`^[\\s\\S]{1,${most}}$`);

type Fields = Readonly<Record<string, RegExp | "boolean">>;

const REQUIRED: Fields = {
  messageCategory: /^0[12]$/,
  deviceChannel: /^0[23]$/,
  threeDSServerTransID: UUID,
  threeDSServerRefNumber: upTo(32),
  threeDSServerOperatorID: upTo(32),
  threeDSServerURL: URL_TEXT,
  threeDSRequestorID: upTo(35),
  threeDSRequestorName: upTo(40),
  threeDSRequestorURL: URL_TEXT,
  threeDSRequestorAuthenticationInd: /^0[1-6]$/,
  acctNumber: /^\d{13,19}$/,
  cardExpiryDate: /^\d{2}(0[1-9]|1[0-2])$/,
  acquirerBIN: upTo(11),
  acquirerMerchantID: upTo(35),
  mcc: /^\d{4}$/,
  merchantName: upTo(40),
  merchantCountryCode: /^\d{3}$/,
  purchaseAmount: /^\d{1,48}$/,
  purchaseCurrency: /^\d{3}$/,
  purchaseExponent: /^\d$/,
  purchaseDate: /^20\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d$/,
};

const BROWSER: Fields = {
  threeDSCompInd: /^[YNU]$/,
  notificationURL: URL_TEXT,
  browserAcceptHeader: upTo(2048),
  browserUserAgent: upTo(2048),
  browserLanguage: /^[A-Za-z0-9-]{1,35}$/,
  browserJavascriptEnabled: "boolean",
  browserJavaEnabled: "boolean",
  browserColorDepth: /^(1|4|8|15|16|24|32|48)$/,
  browserScreenHeight: /^\d{1,6}$/,
  browserScreenWidth: /^\d{1,6}$/,
  browserTZ: /^-?\d{1,3}$/,
};

const REQUESTOR: Fields = { threeRIInd: /^(0[1-9]|1[0-9])$/ };
const SERIES: Fields = { recurringExpiry: /^\d{8}$/, recurringFrequency: /^\d{1,4}$/ };
const INSTALMENTS: Fields = { ...SERIES, purchaseInstalData: /^\d{1,3}$/ };

const OPTIONAL: Fields = {
  threeDSRequestorChallengeInd: /^(0[1-9]|1[0-3])$/,
  threeDSRequestorDecReqInd: /^[YN]$/,
  threeDSRequestorDecMaxTime: /^\d{5}$/,
  browserIP: /^[0-9A-Fa-f:.]{2,45}$/,
  email: /^\S+@\S+$/,
  transType: /^(01|03|10|11|28)$/,
};

const VERSIONS = ["2.1.0", "2.2.0", "2.3.1"];
/** What came with 2.3. */
const NEW_INDICATORS = ["10", "11", "12", "13"];
/** Currencies and countries that exist nowhere are enough to find a mistake. */
const NO_CODE = "000";

/** What the specification does not let pass, and the Erro that says so. */
export class Unread extends Error {
  readonly erro: Erro;

  constructor(message: Erro) {
    super(message.errorDetail);
    this.erro = message;
  }
}

/** Throws `Unread` for what the specification does not let pass. */
export function readAReq(body: string): AReq {
  const json = parse(body);
  const refuse = (code: number, detail: string): never => {
    throw new Unread(erro(code, detail, json));
  };
  if (json["messageType"] !== "AReq") refuse(101, "messageType");
  if (!VERSIONS.includes(String(json["messageVersion"]))) refuse(102, "messageVersion");
  const required = requiredFields(json);
  const absent = Object.keys(required).filter((name) => json[name] === undefined);
  if (absent.length > 0) refuse(201, absent.join(","));
  const wrong = Object.entries({ ...required, ...OPTIONAL })
    .filter(([name, form]) => json[name] !== undefined && !fits(json[name], form))
    .map(([name]) => name);
  if (
    json["messageVersion"] !== "2.3.1" &&
    NEW_INDICATORS.includes(String(json["threeDSRequestorChallengeInd"]))
  )
    wrong.push("threeDSRequestorChallengeInd");
  if (wrong.length > 0) refuse(203, wrong.join(","));
  const text = (name: string): string => String(json[name]);
  const isoCodes = ["purchaseCurrency", "merchantCountryCode"].filter((name) => text(name) === NO_CODE);
  if (isoCodes.length > 0) refuse(304, isoCodes.join(","));
  if (!passesLuhn(text("acctNumber"))) refuse(305, "acctNumber");
  return {
    version: text("messageVersion"),
    serverTransaction: text("threeDSServerTransID").toLowerCase(),
    resultsUrl: text("threeDSServerURL"),
    channel: json["deviceChannel"] === "02" ? "browser" : "requestor",
    number: text("acctNumber"),
    expiry: text("cardExpiryDate"),
    challengeIndicator: String(json["threeDSRequestorChallengeInd"] ?? "01"),
    decoupledMinutes:
      json["threeDSRequestorDecReqInd"] === "Y"
        ? Number(json["threeDSRequestorDecMaxTime"] ?? "00005")
        : null,
    completion: (json["threeDSCompInd"] as string | undefined) ?? null,
    notificationUrl: (json["notificationURL"] as string | undefined) ?? null,
    amount: text("purchaseAmount"),
    exponent: Number(json["purchaseExponent"]),
    currency: text("purchaseCurrency"),
    merchantName: text("merchantName"),
    language: String(json["browserLanguage"] ?? "en"),
    recurring: ["02", "03"].includes(text("threeDSRequestorAuthenticationInd")),
  };
}

type Json = Readonly<Record<string, unknown>>;

function parse(body: string): Json {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Json;
  } catch {
    // Answered below, as anything else that is no message.
  }
  throw new Unread(erro(101, "not a message", {}));
}

function requiredFields(json: Json): Fields {
  const series = { "02": SERIES, "03": INSTALMENTS }[String(json["threeDSRequestorAuthenticationInd"])];
  const device = { "02": BROWSER, "03": REQUESTOR }[String(json["deviceChannel"])];
  const decoupled =
    json["threeDSRequestorDecReqInd"] === "Y" ? { threeDSRequestorDecMaxTime: /^\d{5}$/ } : {};
  return { ...REQUIRED, ...device, ...series, ...decoupled };
}

function fits(value: unknown, form: RegExp | "boolean"): boolean {
  if (form === "boolean") return typeof value === "boolean";
  return typeof value === "string" && form.test(value);
}
