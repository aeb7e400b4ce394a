import { Hono } from "hono";
import type { ApiApp, ApiStep } from "./app.ts";
import { findOwner, keepSecretKeysOnServers, readKey } from "./auth/authenticate.ts";
import { allowAnyOrigin, preflight } from "./auth/cors.ts";
import { refusal } from "./errors.ts";
import { forwardToRegion } from "./forward/forward.ts";
import { forwardInbound, say } from "./forward/inbound.ts";
import { logFault } from "./http/log.ts";
import { nameRequest } from "./http/request-id.ts";
import { secureHeaders } from "./http/security-headers.ts";
import { checkoutLoader, explorer, publicConfig, toExplorer } from "./http/static-routes.ts";
import { limitBody, onlyJson } from "./limits/request.ts";
import { apiSettings } from "./settings/api-settings.ts";
import { challengePage, pageFile, returnPage } from "./three-ds/routes.ts";

export { ApiKeys } from "./auth/api-keys.ts";

/** Reads the settings; an edge that is not fully configured serves nothing. */
const readyToServe: ApiStep = async (c, next) => {
  try {
    c.set("settings", await apiSettings(c.env));
  } catch (error) {
    // Its message names bindings only, and without it nobody could mend the configuration.
    const reason = error instanceof Error ? error.message : "unknown";
    console.error(JSON.stringify({ level: "error", event: "edge.misconfigured", reason }));
    return refusal(c, "INTERNAL");
  }
  return next();
};

/**
 * The api worker: every request of the platform but those to the vault comes in here. The path of a payment's
 * request is the list of steps at `POST /graphql`, top to bottom.
 */
const api = new Hono<ApiApp>();

api.use(nameRequest, secureHeaders, readyToServe);

api.get("/healthz", (c) => c.json({ status: "ok" }));
api.get("/v1/config", publicConfig);
api.get("/v1/checkout.js", checkoutLoader);
api.get("/3ds/challenge", challengePage);
api.on(["GET", "POST"], "/3ds/return", returnPage);
api.get("/3ds/:file{(challenge|return|page)\\.(js|css)}", pageFile);
api.get("/explorer", toExplorer);
api.get("/explorer/*", explorer);

api.use("/graphql", allowAnyOrigin);
api.options("/graphql", preflight);
api.post("/graphql", onlyJson, readKey, keepSecretKeysOnServers, findOwner, limitBody, forwardToRegion);
api.all("/graphql", (c) => refusal(c, "METHOD_NOT_ALLOWED"));

// Providers' messages: no key of ours, no browser.
api.post("/webhooks/:provider", forwardInbound);
api.post("/webhooks/:provider/:endpoint", forwardInbound);
api.all("/webhooks/*", (c) =>
  c.req.method === "POST" ? say(404, "No such address.") : say(405, "Use POST."),
);

api.notFound((c) => refusal(c, "NOT_FOUND"));
api.onError((error, c) => {
  logFault("edge.unexpected", error, { requestId: c.get("requestId") });
  return refusal(c, "INTERNAL");
});

export default api;
