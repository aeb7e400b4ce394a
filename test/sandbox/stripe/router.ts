/**
 * Finds the endpoint for a method and a path.
 */

import { Router } from "../kit/router.ts";
import { balanceRoutes } from "./balance.ts";
import { capturingRoutes } from "./capturing.ts";
import { customerRoutes } from "./customers.ts";
import { incrementingRoutes } from "./incrementing.ts";
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
  ...incrementingRoutes,
  ...refundRoutes,
  ...customerRoutes,
  ...paymentMethodRoutes,
  ...balanceRoutes,
];

const router = new Router(ROUTES.map((route) => [route.method, route.path, route] as const));

/** The endpoint and the id in the path (empty where it has none), or undefined. */
export function findRoute(method: string, path: string): { route: Route; id: string } | undefined {
  const found = router.find(method, path);
  return found && { route: found.value, id: found.ids[0] ?? "" };
}
