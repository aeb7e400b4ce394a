/**
 * Adyen's ServiceError and the refusals that the sandbox makes of it.
 *
 * Source: the `ServiceError` schema of the Checkout API's description and docs.adyen.com/development-resources/error-codes.
 * Codes, types and statuses are Adyen's; the messages are in our own words where they are not the code's title.
 */

import { randomText } from "../kit/ids.ts";
import { Refusal, type Reply } from "../kit/world.ts";

export type ErrorType = "validation" | "security" | "configuration" | "internal";

/** Sixteen letters and digits, in upper case; all that Adyen publishes end in digits. */
export const newPspReference = (): string => `${randomText(14).toUpperCase()}82`;

export function serviceError(
  status: number,
  errorCode: string,
  message: string,
  errorType: ErrorType = "validation",
): Reply {
  return { status, body: { status, errorCode, message, errorType, pspReference: newPspReference() } };
}

/** Says that the same request may be sent again under its key. */
export const transient = (reply: Reply): Reply => ({ ...reply, headers: { "transient-error": "true" } });

/** 422 with a code: the request was understood, and is not acceptable. */
export const invalid = (errorCode: string, message: string): Refusal =>
  new Refusal(serviceError(422, errorCode, message));

/** 400 702: the request could not be read. */
export const unreadable = (message: string): Refusal => new Refusal(serviceError(400, "702", message));

export const unauthorised = (): Refusal =>
  new Refusal(serviceError(401, "000", "HTTP Status Response - Unauthorized", "security"));

export const wrongMerchantAccount = (): Refusal =>
  new Refusal(serviceError(403, "901", "Invalid Merchant Account", "security"));
