/**
 * Finds the endpoint for a method and a path.
 */

import { balanceRoutes } from "./balance.ts";
import { capturingRoutes } from "./capturing.ts";
import { paymentIntentRoutes } from "./payment-intents.ts";
import { paymentMethodRoutes } from "./payment-methods.ts";
import { refundRoutes } from "./refunds.ts";
import type { Route } from "./route.ts";
import { searchRoutes } from "./search.ts";

/** Search comes first: its path would otherwise be read as the id of a payment intent. */
const ROUTES: readonly Route[] = [
  ...searchRoutes,
  ...paymentIntentRoutes,
  ...capturingRoutes,
  ...refundRoutes,
  ...paymentMethodRoutes,
  ...balanceRoutes,
];

type Entry = { readonly route: Route; readonly segments: readonly string[] };

const BY_SHAPE = new Map<string, Entry[]>();
for (const route of ROUTES) {
  const segments = route.path.split("/");
  const shape = `${route.method} ${segments.length}`;
  BY_SHAPE.set(shape, [...(BY_SHAPE.get(shape) ?? []), { route, segments }]);
}

/** The endpoint and the id in the path (empty where it has none), or undefined. */
export function findRoute(method: string, path: string): { route: Route; id: string } | undefined {
  const given = path.split("/");
  for (const { route, segments } of BY_SHAPE.get(`${method} ${given.length}`) ?? []) {
    let id = "";
    const matches = segments.every((segment, index) => {
      if (!segment.startsWith(":")) return segment === given[index];
      id = given[index] ?? "";
      return id !== "";
    });
    if (matches) return { route, id };
  }
  return undefined;
}
