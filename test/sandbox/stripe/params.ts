/**
 * Reads the parameters of one request, refusing what Stripe refuses before a request begins to execute:
 * unknown and missing names, bad integers, bad booleans, values outside an enumeration, oversized metadata.
 *
 * Everything thrown here is a validation failure, which an idempotency key does not remember
 * (docs.stripe.com/api/idempotent_requests: results are kept only once execution has begun).
 */

import { invalidRequest } from "./errors.ts";
import type { FormFields, FormValue } from "./form.ts";

/** Metadata as sent: an empty value asks for the key to be removed; `"clear"` asks for all to be. */
export type MetadataChange = Readonly<Record<string, string>> | "clear";

const MAX_METADATA_KEYS = 50;
const MAX_METADATA_KEY_LENGTH = 40;
const MAX_METADATA_VALUE_LENGTH = 500;
const MAX_STRING_LENGTH = 5_000;

export class Params {
  readonly #fields: FormFields;
  readonly #prefix: string;

  constructor(fields: FormFields, prefix = "") {
    this.#fields = fields;
    this.#prefix = prefix;
  }

  /** The full name of a parameter, as errors name it: `card[number]` inside `payment_method_data`. */
  name(name: string): string {
    return this.#prefix === "" ? name : `${this.#prefix}[${name}]`;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  names(): string[] {
    return Object.keys(this.#fields);
  }

  /**
   * Refuses names that are not parameters at all (`parameter_unknown`), and, loudly, those that Stripe has
   * but this sandbox does not play: ignoring them would be a silent difference.
   */
  expectOnly(known: readonly string[], notPlayed: readonly string[] = []): void {
    for (const name of Object.keys(this.#fields)) {
      if (known.includes(name)) continue;
      const param = this.name(name);
      if (notPlayed.includes(name)) {
        throw invalidRequest(`The sandbox does not play the parameter ${param}.`, { param });
      }
      throw invalidRequest(`Received unknown parameter: ${param}`, { code: "parameter_unknown", param });
    }
  }

  missing(name: string): Error {
    const param = this.name(name);
    return invalidRequest(`Missing required param: ${param}.`, { code: "parameter_missing", param });
  }

  string(name: string, maxLength = MAX_STRING_LENGTH): string | undefined {
    const value = this.#scalar(name);
    if (value !== undefined && value.length > maxLength) {
      throw invalidRequest(`${this.name(name)} may have at most ${maxLength} characters.`, {
        param: this.name(name),
      });
    }
    return value;
  }

  requiredString(name: string): string {
    const value = this.string(name);
    if (value === undefined) throw this.missing(name);
    if (value === "") {
      throw invalidRequest(`${this.name(name)} is empty.`, {
        code: "parameter_invalid_empty",
        param: this.name(name),
      });
    }
    return value;
  }

  /** An integer in JavaScript's safe range; `parameter_invalid_integer` otherwise. */
  integer(name: string): number | undefined {
    const value = this.#scalar(name);
    if (value === undefined) return undefined;
    const number = /^-?\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number)) {
      throw invalidRequest(`Invalid integer: ${value.slice(0, 40)}`, {
        code: "parameter_invalid_integer",
        param: this.name(name),
      });
    }
    return number;
  }

  requiredInteger(name: string): number {
    const value = this.integer(name);
    if (value === undefined) throw this.missing(name);
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.#scalar(name);
    if (value === undefined) return undefined;
    if (value === "true") return true;
    if (value === "false") return false;
    throw invalidRequest(`Invalid boolean: ${value.slice(0, 40)}`, { param: this.name(name) });
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.#scalar(name);
    if (value === undefined) return undefined;
    const found = values.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    throw invalidRequest(`Invalid ${this.name(name)}: must be one of ${values.join(", ")}.`, {
      param: this.name(name),
    });
  }

  /** A nested object. An empty string stands for an absent one, as Stripe reads it. */
  child(name: string): Params | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === "") return undefined;
    if (typeof value === "string" || Array.isArray(value)) {
      throw invalidRequest(`Invalid object: ${this.name(name)}.`, { param: this.name(name) });
    }
    return new Params(value, this.name(name));
  }

  /** A list of strings, sent as `name[]=…` or `name[0]=…`. */
  strings(name: string): string[] | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    const items = Array.isArray(value) ? value : typeof value === "string" ? undefined : indexed(value);
    if (items === undefined || items.some((item) => typeof item !== "string")) {
      throw invalidRequest(`Invalid array: ${this.name(name)}.`, { param: this.name(name) });
    }
    return items as string[];
  }

  /** Reads `metadata` within its documented limits (docs.stripe.com/api/metadata). */
  metadata(): MetadataChange | undefined {
    const value = this.#fields["metadata"];
    if (value === undefined) return undefined;
    if (value === "") return "clear";
    if (typeof value === "string" || Array.isArray(value)) {
      throw invalidRequest("Metadata must be a hash.", { param: "metadata" });
    }
    const entries = Object.entries(value);
    if (entries.length > MAX_METADATA_KEYS) {
      throw invalidRequest(`Metadata may have at most ${MAX_METADATA_KEYS} keys.`, { param: "metadata" });
    }
    const change: Record<string, string> = {};
    for (const [key, item] of entries) {
      if (typeof item !== "string") throw invalidRequest("Metadata may not nest.", { param: "metadata" });
      if (key.length > MAX_METADATA_KEY_LENGTH || item.length > MAX_METADATA_VALUE_LENGTH) {
        throw invalidRequest(
          `Metadata keys may have ${MAX_METADATA_KEY_LENGTH} characters, values ${MAX_METADATA_VALUE_LENGTH}.`,
          { param: `metadata[${key.slice(0, MAX_METADATA_KEY_LENGTH)}]` },
        );
      }
      change[key] = item;
    }
    return change;
  }

  #scalar(name: string): string | undefined {
    const value = this.#fields[name];
    if (value === undefined || typeof value === "string") return value;
    throw invalidRequest(`Invalid string: ${this.name(name)}.`, { param: this.name(name) });
  }
}

function indexed(value: FormFields): FormValue[] | undefined {
  const keys = Object.keys(value);
  if (!keys.every((key) => /^\d{1,4}$/.test(key))) return undefined;
  return keys.sort((a, b) => Number(a) - Number(b)).map((key) => value[key] ?? "");
}

/** Applies a change to metadata: given keys are set, empty values remove, `"clear"` removes all. */
export function applyMetadata(
  current: Readonly<Record<string, string>>,
  change: MetadataChange | undefined,
): Record<string, string> {
  if (change === undefined) return { ...current };
  if (change === "clear") return {};
  const next: Record<string, string> = { ...current };
  for (const [key, value] of Object.entries(change)) {
    if (value === "") delete next[key];
    else next[key] = value;
  }
  return next;
}
