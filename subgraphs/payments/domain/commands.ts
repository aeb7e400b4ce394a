import { z } from "zod";
import type { CheckoutSessionId, MerchantId, PaymentId } from "../../kernel/ids.ts";
import { type Money, type MoneyError, parseAmount } from "../../kernel/money.ts";
import { err, ok, type Result } from "../../kernel/result.ts";
import { type InputIssue, issue } from "./input-issue.ts";
import type { CaptureMethod } from "./payment.ts";

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
  readonly token: string;
  readonly captureMethod: CaptureMethod;
  readonly description: string | null;
  readonly reference: string | null;
  readonly payer: Payer;
};

export type FollowUpCommand = {
  readonly merchant: MerchantId;
  readonly key: string;
  readonly payment: PaymentId;
  /** Null: all that is left. */
  readonly amount: Money | null;
  readonly final: boolean;
};

export type OpenCheckoutCommand = {
  readonly merchant: MerchantId;
  readonly key: string;
  readonly amount: Money;
  readonly captureMethod: CaptureMethod;
  readonly description: string | null;
  readonly reference: string | null;
};

export type ConfirmCheckoutCommand = {
  readonly merchant: MerchantId;
  readonly session: CheckoutSessionId;
  readonly token: string;
  readonly attempt: number;
  readonly payer: Payer;
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
    if (email !== null && (email.length > 320 || !/^[^@\s]+@[^@\s]+$/.test(email))) {
      this.found.push(
        issue(["payer", "email"], "INVALID_EMAIL", "Give an e-mail address of at most 320 characters."),
      );
    }
    return { ip: ipAddress, country, email };
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
  readonly token: string;
  readonly captureMethod: CaptureMethod;
  readonly description?: Optional<string>;
  readonly reference?: Optional<string>;
  readonly payer?: Parameters<Issues["payer"]>[0];
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
    token: input.token,
    captureMethod: input.captureMethod,
    description: issues.text(["description"], input.description, MAX_TEXT),
    reference: issues.text(["reference"], input.reference, MAX_REFERENCE),
    payer: issues.payer(input.payer),
  });
}

export type FollowUpInput = {
  readonly idempotencyKey: string;
  readonly amount?: Optional<MoneyInput>;
  readonly final?: Optional<boolean>;
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
  });
}

export type OpenCheckoutInput = Omit<AuthorizeInput, "token" | "payer">;

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
  });
}
