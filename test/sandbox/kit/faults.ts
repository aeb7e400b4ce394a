/**
 * Fault rules: which requests go wrong, how, and how often.
 */

import { randomText } from "./ids.ts";
import type { SeededRandom } from "./random.ts";

export type FaultMatch<O extends string = string> = {
  readonly method?: string;
  /** A prefix of the path, or a pattern in which `*` stands for any characters. */
  readonly path?: string;
  /** One of the provider's operations. */
  readonly operation?: O;
  /** Pairs that the request's metadata, or its payment's, must have. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly cardNumber?: string;
  /** Minor units: the request's amount, or else its payment's. */
  readonly amount?: number;
};

export type Fault =
  /** Does the work, then closes the connection without an answer. */
  | { readonly kind: "lose_response" }
  /** Closes the connection (or says nothing) now, and executes the request `afterMs` later. */
  | { readonly kind: "land_late"; readonly afterMs: number; readonly hang?: boolean }
  /** Executes the request `ms` later, and answers then. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Never answers, never executes. */
  | { readonly kind: "hang" }
  /** Answers this status instead of executing. */
  | { readonly kind: "status"; readonly status: number; readonly body?: unknown }
  /**
   * Executes, then answers this status. What the idempotency key remembers is that failed answer; with
   * `stored: "result"` it is the result, as if a proxy had failed on the way back.
   */
  | { readonly kind: "status_after"; readonly status: number; readonly stored?: "status" | "result" }
  /** Resets the connection before reading the request. */
  | { readonly kind: "reset" }
  /** The issuer declines, with a code in the provider's own words. */
  | { readonly kind: "decline"; readonly declineCode: string }
  /** Answers 200 with a body that cannot be read; the work is done or not. */
  | { readonly kind: "garbage"; readonly work: boolean }
  /** The payment is undecided at first, and is decided `afterMs` later. */
  | { readonly kind: "processing"; readonly afterMs: number }
  /** Something that only this provider does: one of its dialect's `quirks`, with what it needs. */
  | {
      readonly kind: "quirk";
      readonly quirk: string;
      readonly parameters?: Readonly<Record<string, unknown>>;
    };

export type FaultRule<O extends string = string> = {
  readonly match?: FaultMatch<O>;
  /** How often it fires; unlimited where not given. */
  readonly times?: number;
  /** Between 0 and 1; always where not given. */
  readonly probability?: number;
  readonly fault: Fault;
};

/** A rule in force, and how often it has fired. */
export type ActiveRule<O extends string = string> = FaultRule<O> & { readonly id: string; fired: number };

/** What rules look at. Amount, metadata and card may come from the payment that a request is about. */
export type FaultSubject = {
  readonly method: string;
  readonly path: string;
  readonly operation: string;
  readonly metadata: readonly Readonly<Record<string, string>>[];
  readonly cardFingerprint: string | null;
  readonly amount: number | null;
  /** What is the same for this request in a repeated run; chance is drawn under it. */
  readonly identity: string;
};

/** The names that a provider's rules may use. */
export type FaultNames = { readonly operations: readonly string[]; readonly quirks?: readonly string[] };

const KINDS: Readonly<Record<Fault["kind"], readonly (readonly [field: string, type: string])[]>> = {
  lose_response: [],
  land_late: [["afterMs", "number"]],
  delay: [["ms", "number"]],
  hang: [],
  status: [["status", "number"]],
  status_after: [["status", "number"]],
  reset: [],
  decline: [["declineCode", "string"]],
  garbage: [["work", "boolean"]],
  processing: [["afterMs", "number"]],
  quirk: [["quirk", "string"]],
};
const RULE_FIELDS = ["match", "times", "probability", "fault"];
const MATCH_FIELDS = ["method", "path", "operation", "metadata", "cardNumber", "amount"];
const MAX_RULES = 100;
const MAX_WAIT_MS = 24 * 60 * 60 * 1000;

/** Reads rules as a test sent them. Throws a `TypeError` that says what is wrong, so that a typo is not a pass. */
export function readRules(json: unknown, names: FaultNames): FaultRule[] {
  if (!Array.isArray(json)) throw new TypeError("faults must be a JSON array of rules");
  if (json.length > MAX_RULES) throw new TypeError(`at most ${MAX_RULES} rules`);
  return json.map((item: unknown) => readRule(item, names));
}

function readRule(item: unknown, names: FaultNames): FaultRule {
  const rule = fieldsOf(item, RULE_FIELDS, "rule");
  const match = fieldsOf(rule["match"] ?? {}, MATCH_FIELDS, "match");
  const operation = match["operation"];
  if (operation !== undefined && !names.operations.includes(String(operation))) {
    throw new TypeError(`unknown operation: ${String(operation)}`);
  }
  checkFault(rule["fault"] as Record<string, unknown> | undefined, names);
  const [times, probability] = [rule["times"], rule["probability"]];
  if (times !== undefined) checkNumber("times", times, [0, Number.MAX_SAFE_INTEGER]);
  if (probability !== undefined) checkNumber("probability", probability, [0, 1]);
  return rule as unknown as FaultRule;
}

function checkFault(fault: Record<string, unknown> | undefined, names: FaultNames): void {
  const needed = KINDS[fault?.["kind"] as Fault["kind"]];
  if (fault === undefined || needed === undefined)
    throw new TypeError(`unknown fault: ${JSON.stringify(fault)}`);
  for (const [field, type] of needed) {
    const value = fault[field];
    if (typeof value !== type) throw new TypeError(`fault ${String(fault["kind"])} needs ${field}: ${type}`);
    if (typeof value === "number")
      checkNumber(field, value, field === "status" ? [200, 599] : [0, MAX_WAIT_MS]);
  }
  const quirk = fault["quirk"];
  if (fault["kind"] === "quirk" && !names.quirks?.includes(String(quirk)))
    throw new TypeError(`unknown quirk: ${String(quirk)}`);
}

function checkNumber(field: string, value: unknown, [least, most]: readonly [number, number]): void {
  if (typeof value === "number" && value >= least && value <= most) return;
  throw new TypeError(`${field} must be a number from ${least} to ${most}`);
}

function fieldsOf(item: unknown, known: readonly string[], what: string): Record<string, unknown> {
  if (typeof item !== "object" || item === null) throw new TypeError(`a ${what} must be an object`);
  const unknown = Object.keys(item).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`unknown field of a ${what}: ${unknown}`);
  return item as Record<string, unknown>;
}

export class FaultRules {
  #rules: ActiveRule[] = [];
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get rules(): readonly ActiveRule[] {
    return this.#rules;
  }

  set(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ ...rule, id: `fault_${randomText(24)}`, fired: 0 }));
  }

  /**
   * The fault for a request of which only method, path and operation are known: a reset that asks for nothing
   * more. Counts as fired.
   */
  beforeReading(
    subject: Pick<FaultSubject, "method" | "path" | "operation" | "identity">,
  ): Fault | undefined {
    const bare = { ...subject, metadata: [], cardFingerprint: null, amount: null };
    return this.#fire(bare, fingerprintNothing, (rule) => rule.fault.kind === "reset" && !looksInside(rule));
  }

  /** The first rule that matches and fires, in the order they were given. */
  pick(subject: FaultSubject, fingerprintOf: (number: string) => string): Fault | undefined {
    // Resets that ask for nothing inside the request have had their chance.
    return this.#fire(subject, fingerprintOf, (rule) => rule.fault.kind !== "reset" || looksInside(rule));
  }

  #fire(
    subject: FaultSubject,
    fingerprintOf: (number: string) => string,
    considered: (rule: ActiveRule) => boolean,
  ): Fault | undefined {
    for (const [index, rule] of this.#rules.entries()) {
      if (!considered(rule) || rule.fired >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
      if (!matches(rule.match ?? {}, subject, fingerprintOf)) continue;
      if (rule.probability !== undefined) {
        if (this.#random.draw(`fault ${index} ${subject.identity}`) >= rule.probability) continue;
      }
      rule.fired++;
      return rule.fault;
    }
    return undefined;
  }
}

const fingerprintNothing = (): string => "";

function looksInside(rule: FaultRule): boolean {
  const { metadata, cardNumber, amount } = rule.match ?? {};
  return metadata !== undefined || cardNumber !== undefined || amount !== undefined;
}

function matches(
  match: FaultMatch,
  subject: FaultSubject,
  fingerprintOf: (number: string) => string,
): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== subject.method) return false;
  if (match.path !== undefined && !pathMatches(match.path, subject.path)) return false;
  if (match.operation !== undefined && match.operation !== subject.operation) return false;
  if (match.amount !== undefined && match.amount !== subject.amount) return false;
  if (match.cardNumber !== undefined && fingerprintOf(match.cardNumber) !== subject.cardFingerprint)
    return false;
  return Object.entries(match.metadata ?? {}).every(([key, value]) =>
    subject.metadata.some((metadata) => metadata[key] === value),
  );
}

function pathMatches(wanted: string, path: string): boolean {
  if (!wanted.includes("*")) return path.startsWith(wanted);
  const pattern = wanted.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`).test(path);
}
