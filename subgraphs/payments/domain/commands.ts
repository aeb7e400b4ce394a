import { z } from "zod";
import {
  type CheckoutSessionId,
  type CustomerId,
  type MerchantId,
  type PaymentId,
  type PaymentMethodId,
  parseId,
} from "../../kernel/ids.ts";
import { type Money, type MoneyError, parseAmount } from "../../kernel/money.ts";
import { err, ok, type Result } from "../../kernel/result.ts";
import { type InputIssue, issue } from "./input-issue.ts";
import type { CaptureMethod } from "./payment.ts";
import type { StoredCredential } from "./stored-credential.ts";
import { type Browser, browserSchema } from "./three-ds/browser.ts";

/** What callers ask for, parsed: everything in a command is within its limits. */
export type Payer = {
  readonly ip: string | null;
  readonly country: string | null;
  readonly email: string | null;
};

export type AuthorizeCommand = {
  readonly merchant: MerchantId;
  readonly key: string;
  readonly amount: Money;
  readonly source: CardSource;
  readonly captureMethod: CaptureMethod;
  readonly description: string | null;
  readonly reference: string | null;
  readonly payer: Payer;
  /** Where a provider's or a bank's page sends the payer back to; null: the payer can be sent nowhere. */
  readonly returnUrl: string | null;
  /** The payer's browser, for 3-D Secure; null if there is none. */
  readonly browser: Browser | null;
};

/** What pays: a card that was just tokenized, maybe to be stored, or one that is stored. */
export type CardSource =
  | {
      readonly type: "token";
      readonly token: string;
      readonly customer: CustomerId | null;
      /** What the card is stored for, if the payer has agreed to it. */
      readonly store: StoredCredential["reason"] | null;
    }
  | {
      readonly type: "stored";
      readonly method: PaymentMethodId;
      /** `merchant`: without the payer, as agreed when the card was stored. */
      readonly initiator: StoredCredential["initiator"];
    };

export type FollowUpCommand = {
  readonly merchant: MerchantId;
  readonly key: string;
  readonly payment: PaymentId;
  /** Null: all that is left. */
  readonly amount: Money | null;
  readonly final: boolean;
  /** A final capture may take more than is authorized, within the scheme's tolerance. */
  readonly over?: boolean;
};

export type OpenCheckoutCommand = {
  readonly merchant: MerchantId;
  readonly key: string;
  readonly amount: Money;
  readonly captureMethod: CaptureMethod;
  readonly description: string | null;
  readonly reference: string | null;
  readonly returnUrl: string | null;
};

export type ConfirmCheckoutCommand = {
  readonly merchant: MerchantId;
  readonly session: CheckoutSessionId;
  /** Null: to go on with an attempt that waited for the payer. */
  readonly token: string | null;
  readonly attempt: number;
  readonly payer: Payer;
  readonly browser: Browser | null;
};

export type MoneyInput = { readonly amount: bigint; readonly currency: string };
type Optional<T> = T | null | undefined;

const MONEY_MESSAGES: Record<MoneyError["code"], { path: string; message: string }> = {
  UNKNOWN_CURRENCY: {
    path: "currency",
    message: "The currency must be an active ISO 4217 code in upper case, such as EUR.",
  },
  AMOUNT_NOT_POSITIVE: { path: "amount", message: "The amount must be at least 1 minor unit." },
  AMOUNT_TOO_LARGE: {
    path: "amount",
    message: "The amount must be at most 9007199254740991 (2^53 - 1) minor units.",
  },
};

const ipAddressFormat = z.union([z.ipv4(), z.ipv6()]);

const MAX_URL = 2_048;

/** Collects what is wrong instead of stopping at the first thing. */
class Issues {
  readonly found: InputIssue[] = [];

  money(path: string, input: MoneyInput): Money | null {
    const parsed = parseAmount(input.amount, input.currency);
    if (parsed.ok) return parsed.value;
    const { path: field, message } = MONEY_MESSAGES[parsed.error.code];
    this.found.push(issue([path, field], parsed.error.code, message));
    return null;
  }

  text(path: readonly string[], value: Optional<string>, max: number): string | null {
    if (value === null || value === undefined) return null;
    if (value.length > max)
      this.found.push(issue(path, "TOO_LONG", `At most ${max} characters are kept here.`));
    if (value.includes("\u0000"))
      this.found.push(issue(path, "REQUIRED", "The character U+0000 cannot be kept."));
    return value;
  }

  /** An address of the merchant's: https, or http on this machine. */
  returnUrl(value: Optional<string>): string | null {
    if (value === null || value === undefined) return null;
    const url = value.length <= MAX_URL ? URL.parse(value) : null;
    const local = url?.hostname === "localhost" || url?.hostname === "127.0.0.1";
    if (url === null || (url.protocol !== "https:" && !(url.protocol === "http:" && local))) {
      const message = `Give an https address of at most ${MAX_URL} characters.`;
      this.found.push(issue(["returnUrl"], "INVALID_URL", message));
    }
    return value;
  }

  /** 1 to 255 printable ASCII characters: what every provider takes as a key. */
  key(value: string): string {
    if (!/^[\x21-\x7e]{1,255}$/.test(value)) {
      const message =
        "An idempotency key is 1 to 255 printable ASCII characters without spaces, such as a UUID.";
      this.found.push(issue(["idempotencyKey"], "INVALID_KEY", message));
    } else if (value.startsWith("checkout:")) {
      const message = 'Keys that begin with "checkout:" are made by the platform: choose another.';
      this.found.push(issue(["idempotencyKey"], "INVALID_KEY", message));
    }
    return value;
  }

  payer(
    input: Optional<{ ipAddress?: Optional<string>; country?: Optional<string>; email?: Optional<string> }>,
  ): Payer {
    const { ipAddress = null, country = null, email = null } = input ?? {};
    if (ipAddress !== null && !ipAddressFormat.safeParse(ipAddress).success) {
      this.found.push(issue(["payer", "ipAddress"], "INVALID_IP_ADDRESS", "Give an IPv4 or IPv6 address."));
    }
    if (country !== null && !/^[A-Z]{2}$/.test(country)) {
      this.found.push(
        issue(["payer", "country"], "INVALID_COUNTRY", "Give an ISO 3166-1 alpha-2 code such as DE."),
      );
    }
    return { ip: ipAddress, country, email: this.email(["payer", "email"], email) };
  }

  email(path: readonly string[], email: string | null): string | null {
    if (email !== null && (email.length > 320 || !/^[^@\s]+@[^@\s]+$/.test(email))) {
      this.found.push(issue(path, "INVALID_EMAIL", "Give an e-mail address of at most 320 characters."));
    }
    return email;
  }

  result<T>(command: T): Result<T, readonly InputIssue[]> {
    return this.found.length === 0 ? ok(command) : err(this.found);
  }
}

const MAX_TEXT = 500;
const MAX_REFERENCE = 100;

export type AuthorizeInput = {
  readonly idempotencyKey: string;
  readonly amount: MoneyInput;
  readonly token?: Optional<string>;
  readonly paymentMethod?: Optional<string>;
  readonly customer?: Optional<string>;
  readonly storeFor?: Optional<StoredCredential["reason"]>;
  readonly initiator?: Optional<StoredCredential["initiator"]>;
  readonly captureMethod: CaptureMethod;
  readonly description?: Optional<string>;
  readonly reference?: Optional<string>;
  readonly payer?: Parameters<Issues["payer"]>[0];
  readonly returnUrl?: Optional<string>;
};

export function parseAuthorize(
  merchant: MerchantId,
  input: AuthorizeInput,
): Result<AuthorizeCommand, readonly InputIssue[]> {
  const issues = new Issues();
  const amount = issues.money("amount", input.amount);
  return issues.result({
    merchant,
    key: issues.key(input.idempotencyKey),
    amount: amount as Money,
    source: cardSource(issues, input),
    captureMethod: input.captureMethod,
    description: issues.text(["description"], input.description, MAX_TEXT),
    reference: issues.text(["reference"], input.reference, MAX_REFERENCE),
    payer: issues.payer(input.payer),
    returnUrl: issues.returnUrl(input.returnUrl),
    browser: null,
  });
}

const NO_CARD = { type: "token", token: "", customer: null, store: null } as const;

function cardSource(issues: Issues, input: AuthorizeInput): CardSource {
  const { token = null, paymentMethod = null, customer = null, storeFor = null, initiator = null } = input;
  const wrong = (path: string, message: string): CardSource => {
    issues.found.push(issue([path], "INVALID_CARD_SOURCE", message));
    return NO_CARD;
  };
  if ((token === null) === (paymentMethod === null))
    return wrong("token", "Give either a card token or a stored payment method.");
  if (paymentMethod !== null) {
    const method = parseId("pm", paymentMethod);
    if (!method.ok) return wrong("paymentMethod", "A payment method's id begins with pm_.");
    if (storeFor !== null || customer !== null)
      return wrong("storeFor", "A stored payment method has its customer, and is stored already.");
    return { type: "stored", method: method.value, initiator: initiator ?? "customer" };
  }
  if (initiator === "merchant")
    return wrong("initiator", "A payment without the payer needs a stored payment method.");
  const owner = customer === null ? null : parseId("cus", customer);
  if (owner !== null && !owner.ok) return wrong("customer", "A customer's id begins with cus_.");
  if (storeFor !== null && owner === null) return wrong("customer", "Say whose card is to be stored.");
  return { type: "token", token: token as string, customer: owner?.value ?? null, store: storeFor };
}

export type FollowUpInput = {
  readonly idempotencyKey: string;
  readonly amount?: Optional<MoneyInput>;
  readonly final?: Optional<boolean>;
  readonly allowOverCapture?: Optional<boolean>;
};

export function parseFollowUp(
  merchant: MerchantId,
  payment: PaymentId,
  input: FollowUpInput,
): Result<FollowUpCommand, readonly InputIssue[]> {
  const issues = new Issues();
  const amount = input.amount ? issues.money("amount", input.amount) : null;
  return issues.result({
    merchant,
    key: issues.key(input.idempotencyKey),
    payment,
    amount,
    final: input.final ?? true,
    over: input.allowOverCapture ?? false,
  });
}

export type OpenCheckoutInput = Pick<
  AuthorizeInput,
  "idempotencyKey" | "amount" | "captureMethod" | "description" | "reference" | "returnUrl"
>;

export function parseOpenCheckout(
  merchant: MerchantId,
  input: OpenCheckoutInput,
): Result<OpenCheckoutCommand, readonly InputIssue[]> {
  const issues = new Issues();
  const amount = issues.money("amount", input.amount);
  return issues.result({
    merchant,
    key: issues.key(input.idempotencyKey),
    amount: amount as Money,
    captureMethod: input.captureMethod,
    description: issues.text(["description"], input.description, MAX_TEXT),
    reference: issues.text(["reference"], input.reference, MAX_REFERENCE),
    returnUrl: issues.returnUrl(input.returnUrl),
  });
}

export type CreateCustomerCommand = {
  readonly merchant: MerchantId;
  readonly key: string;
  readonly reference: string | null;
  readonly email: string | null;
  readonly name: string | null;
};

export type CreateCustomerInput = {
  readonly idempotencyKey: string;
  readonly reference?: Optional<string>;
  readonly email?: Optional<string>;
  readonly name?: Optional<string>;
};

const MAX_NAME = 200;

export function parseCreateCustomer(
  merchant: MerchantId,
  input: CreateCustomerInput,
): Result<CreateCustomerCommand, readonly InputIssue[]> {
  const issues = new Issues();
  return issues.result({
    merchant,
    key: issues.key(input.idempotencyKey),
    reference: issues.text(["reference"], input.reference, MAX_REFERENCE),
    email: issues.email(["email"], input.email ?? null),
    name: issues.text(["name"], input.name, MAX_NAME),
  });
}

/** What a browser tells of itself, with what the edge saw of it; null if it told nothing. */
export function parseBrowser(
  told: unknown,
  { ip }: { readonly ip: string | null },
): Result<Browser | null, readonly InputIssue[]> {
  if (told === null) return ok(null);
  const parsed = browserSchema.safeParse(told);
  if (parsed.success) return ok({ ...parsed.data, accept: "*/*", ip });
  return err(
    parsed.error.issues.map(({ path, message }) =>
      issue(
        ["browser", ...path.map(String)],
        "INVALID_BROWSER",
        `What the browser tells is not right: ${message}.`,
      ),
    ),
  );
}
