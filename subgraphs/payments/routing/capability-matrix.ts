import type { Capabilities } from "../connectors/connector.ts";
import type { Providers } from "./router.ts";

/** What can be asked of a provider for a method. */
export const CAPABLE_OPERATIONS = [
  "authorize",
  "authorize_without_payer",
  "authenticate",
  "increment",
  "capture",
  "capture_partially",
  "capture_repeatedly",
  "capture_more",
  "void",
  "void_after_partial_capture",
  "refund",
  "refund_partially",
  "refund_repeatedly",
] as const;
export type CapableOperation = (typeof CAPABLE_OPERATIONS)[number];

/** One provider's row of the matrix for one method: it stands for each combination of what it lists. */
export type CapabilityRow = {
  readonly provider: string;
  /** A card brand as the vault names it. */
  readonly method: string;
  /** ISO 4217; null: all. */
  readonly currencies: readonly string[] | null;
  /** Countries of cards, ISO 3166-1 alpha-2; null: all. */
  readonly countries: readonly string[] | null;
  readonly operations: readonly CapableOperation[];
  /** How far a last capture may exceed the authorization, in basis points of it. */
  readonly overCaptureBps: number;
};

/** What to look for; null or absent: any. */
export type CapabilityQuery = {
  readonly method?: string | null;
  readonly country?: string | null;
  readonly currency?: string | null;
  readonly operation?: CapableOperation | null;
};

export type CapabilityMatrix = (query: CapabilityQuery) => readonly CapabilityRow[];

/** Who can do what, from what the connectors declare, in the order in which they are configured. */
export function capabilityMatrix(providers: Providers): CapabilityMatrix {
  const rows = providers.all.flatMap(({ name, capabilities }) =>
    capabilities.brands.map(
      (brand): CapabilityRow => ({
        provider: name,
        method: brand,
        currencies: capabilities.currencies,
        countries: capabilities.countries,
        operations: CAPABLE_OPERATIONS.filter((operation) => CAN[operation](capabilities, brand)),
        overCaptureBps: capabilities.overCaptureBps[brand] ?? 0,
      }),
    ),
  );
  return ({ method, country, currency, operation }) =>
    rows.filter(
      (row) =>
        (method ?? row.method) === row.method &&
        includes(row.countries, country) &&
        includes(row.currencies, currency) &&
        (operation === null || operation === undefined || row.operations.includes(operation)),
    );
}

const includes = (all: readonly string[] | null, one: string | null | undefined): boolean =>
  all === null || one === null || one === undefined || all.includes(one);

const CAN: Record<CapableOperation, (capabilities: Capabilities, brand: string) => boolean> = {
  authorize: () => true,
  authorize_without_payer: ({ merchantInitiated }) => merchantInitiated,
  authenticate: ({ externalAuthentication, ownAuthentication }) =>
    externalAuthentication || ownAuthentication,
  increment: ({ increment }, brand) => increment.includes(brand),
  capture: ({ manualCapture }) => manualCapture,
  capture_partially: ({ manualCapture, partialCapture }) => manualCapture && partialCapture,
  capture_repeatedly: ({ manualCapture, multipleCaptures }) => manualCapture && multipleCaptures,
  capture_more: ({ manualCapture, overCaptureBps }, brand) =>
    manualCapture && (overCaptureBps[brand] ?? 0) > 0,
  void: ({ manualCapture }) => manualCapture,
  void_after_partial_capture: ({ voidAfterPartialCapture }) => voidAfterPartialCapture,
  refund: () => true,
  refund_partially: ({ partialRefund }) => partialRefund,
  refund_repeatedly: ({ multipleRefunds }) => multipleRefunds,
};
