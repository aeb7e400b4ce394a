import { HeaderMap } from "@apollo/server";
import pino from "pino";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { newDevSecrets } from "../edge/dev-secrets.ts";
import {
  type SigningKey,
  signIdentity,
  signingKey,
  type VerifyingKeys,
  verifyingKeys,
} from "../subgraphs/kernel/identity.ts";
import { homeFor, type MerchantId, newId } from "../subgraphs/kernel/ids.ts";
import {
  type Admission,
  type AdmissionOptions,
  createAdmission,
} from "../subgraphs/payments/flow/admission.ts";
import { type GatewayRoutes, gatewayHandler, listen } from "./http.ts";
import { askingOf, claimedMerchant } from "./overload.ts";

describe("what a request is", () => {
  const CAPTURE = "mutation A($i: I!) { capturePayment(input: $i) { __typename } }";
  it.each<[string, unknown, string]>([
    ["a query", { query: "{ payment(id: 1) { id } }" }, "read"],
    ["a named query", { query: "query Q { payments { nodes { id } } }" }, "read"],
    ["a capture", { query: CAPTURE }, "follow_up"],
    [
      "a void, by another name",
      { query: "mutation { authorizePayment: voidPayment(input: {}) { __typename } }" },
      "follow_up",
    ],
    [
      "a refund and a capture",
      { query: "mutation { refundPayment { x } capturePayment { x } }" },
      "follow_up",
    ],
    [
      "an authorization",
      { query: "mutation { authorizePayment(input: {}) { __typename } }" },
      "authorization",
    ],
    [
      "one that hides behind a name",
      { query: "mutation { capturePayment: authorizePayment { x } }" },
      "authorization",
    ],
    [
      "one beside a capture",
      { query: "mutation { capturePayment { x } authorizePayment { x } }" },
      "authorization",
    ],
    [
      "one in a fragment",
      { query: "mutation { ...F capturePayment { x } } fragment F on Mutation { authorizePayment { x } }" },
      "authorization",
    ],
    ["a checkout's confirmation", { query: "mutation { confirmCheckoutSession { x } }" }, "authorization"],
    ["more to hold", { query: "mutation { incrementAuthorization { x } }" }, "authorization"],
    [
      "the one that is named",
      { query: `${CAPTURE} query B { __typename }`, operationName: "A" },
      "follow_up",
    ],
    ["the other that is named", { query: `${CAPTURE} query B { __typename }`, operationName: "B" }, "read"],
    ["one of several, nobody says which", { query: `${CAPTURE} query B { __typename }` }, "read"],
    ["nonsense", { query: "mutation { capturePayment" }, "read"],
    ["nothing", {}, "read"],
    ["endless", { query: `mutation { ${"capturePayment { x } ".repeat(5_000)} }` }, "read"],
  ])("%s", (_, body, expected) => {
    for (let time = 0; time < 2; time++)
      expect(askingOf(body, "mer_1")).toEqual({ class: expected, merchant: "mer_1" });
  });

  it("names the merchant that its word names, if it can be read", async () => {
    const signer = await signingKey(JSON.parse(newDevSecrets().api.EDGE_SIGNING_KEY));
    const merchant = newId("mer", homeFor(1, 7), new Date());
    const identity = { merchant, scope: "secret", requestId: "r", ip: null, country: null } as const;
    expect(claimedMerchant(await signIdentity(identity, signer, new Date()))).toBe(merchant);
    for (const token of [
      undefined,
      "",
      "a.b.c",
      `a.${Buffer.from("null").toString("base64url")}.c`,
      ["a"],
      "a.e30.c",
    ])
      expect(claimedMerchant(token)).toBe("");
  });
});

describe("the door", () => {
  const CAPTURE = "mutation { capturePayment { x } }";
  const AUTHORIZE = "mutation { authorizePayment { x } }";
  const log = pino({ level: "silent" });
  const ends: (() => unknown)[] = [];
  const [A, B] = [newId("mer", homeFor(1, 7), new Date()), newId("mer", homeFor(1, 8), new Date())];
  let signer: SigningKey;
  let keys: VerifyingKeys;
  beforeAll(async () => {
    const secrets = newDevSecrets();
    signer = await signingKey(JSON.parse(secrets.api.EDGE_SIGNING_KEY));
    keys = await verifyingKeys(JSON.parse(secrets.region.EDGE_VERIFYING_KEYS));
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  /** A region that carries out nothing until it is told to. */
  async function openRegion(limit: number, options: Partial<AdmissionOptions> = {}) {
    const admission: Admission = createAdmission(limit, {
      maxWaiting: 1,
      maxWaitMs: 10_000,
      random: () => 0.2,
      ...options,
    });
    const begun: string[] = [];
    const release: (() => void)[] = [];
    let verified = 0;
    const apollo = {
      async executeHTTPGraphQLRequest({
        httpGraphQLRequest,
      }: {
        httpGraphQLRequest: { body: { query: string } };
      }) {
        begun.push(httpGraphQLRequest.body.query);
        await new Promise<void>((resolve) => release.push(resolve));
        return { headers: new HeaderMap(), body: { kind: "complete", string: '{"data":{}}' } };
      },
    } as unknown as GatewayRoutes["apollo"];
    const routes: GatewayRoutes = {
      apollo,
      merchants: {} as GatewayRoutes["merchants"],
      regionNumber: 1,
      keys: { get: (kid: string) => (verified++, keys.get(kid)) } as unknown as VerifyingKeys,
      clock: { now: () => new Date() },
      ready: async () => {},
      showTiming: false,
      admission,
      figures: () => admission.figures(),
    };
    const server = await listen(gatewayHandler(routes, log), { host: "127.0.0.1", port: 0 });
    ends.push(
      () => server.close(0),
      () => release.forEach((resolve) => resolve()),
    );
    const url = `http://127.0.0.1:${server.port}`;
    const post = async (query: string, merchant: MerchantId = A) => {
      const identity = { merchant, scope: "secret", requestId: "req_1", ip: null, country: null } as const;
      const word = await signIdentity(identity, signer, new Date());
      return fetch(`${url}/graphql`, {
        method: "POST",
        headers: { "tessera-identity": word },
        body: JSON.stringify({ query }),
      });
    };
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    return { url, admission, begun, release, post, until, verified: () => verified };
  }

  it("answers 503 with Retry-After where there is no room, before anything is verified, planned or done", async () => {
    const { post, begun, release, admission, until, verified } = await openRegion(1);
    const first = post(AUTHORIZE);
    await until(() => begun.length === 1);
    const second = post(AUTHORIZE);
    await until(() => admission.crowded);
    const before = verified();
    const refused = await post(AUTHORIZE);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await refused.json()).toEqual({
      errors: [
        {
          message: expect.stringContaining("idempotencyKey"),
          extensions: { code: "OVERLOADED", retryAfterMs: 1_200 },
        },
      ],
    });
    expect(verified()).toBe(before);
    release[0]?.();
    await until(() => begun.length === 2);
    release[1]?.();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect([admission.inFlight, admission.crowded]).toEqual([0, false]);
  });

  it("answers 429 to a merchant who has more than a share", async () => {
    const { post, begun, until, admission } = await openRegion(4);
    for (let count = 1; count <= 4; count++) {
      void post(AUTHORIZE).catch(() => {});
      await until(() => begun.length === count);
    }
    void post(CAPTURE, B).catch(() => {});
    await until(() => admission.crowded);
    const refused = await post(AUTHORIZE);
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { errors: [{ extensions: { code: "OVERLOADED" } }] },
    ]);
    expect((await post(AUTHORIZE, B)).status).toBe(503);
  });

  it("lets a capture overtake an authorization, which is told to come again", async () => {
    const { post, begun, release, until, admission } = await openRegion(1);
    void post(AUTHORIZE);
    await until(() => begun.length === 1);
    const authorization = post(AUTHORIZE);
    await until(() => admission.crowded);
    const capture = post(CAPTURE);
    expect((await authorization).status).toBe(503);
    release[0]?.();
    await until(() => begun.length === 2);
    expect(begun[1]).toBe(CAPTURE);
    release[1]?.();
    expect((await capture).status).toBe(200);
  });

  it("says so at the latest after the longest wait", async () => {
    const { post, begun, until } = await openRegion(1, { maxWaitMs: 50 });
    void post(AUTHORIZE).catch(() => {});
    await until(() => begun.length === 1);
    const refused = await post(AUTHORIZE);
    expect([refused.status, refused.headers.get("tessera-request-id")]).toEqual([503, "req_1"]);
  });

  it("believes nobody's word for more than a refusal", async () => {
    const { url, begun, post, until, admission } = await openRegion(2);
    const forged = {
      method: "POST",
      headers: { "tessera-identity": "a.e30.c" },
      body: JSON.stringify({ query: CAPTURE }),
    };
    expect((await fetch(`${url}/graphql`, forged)).status).toBe(401);
    for (let count = 1; count <= 3; count++) void post(AUTHORIZE).catch(() => {});
    await until(() => admission.crowded && begun.length === 2);
    // It might wait, by its class: so it is looked at, and is nobody's.
    expect((await fetch(`${url}/graphql`, forged)).status).toBe(401);
    expect(begun).toHaveLength(2);
  });

  it("has its figures", async () => {
    const { url } = await openRegion(7);
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get("content-type")).toContain("text/plain");
    expect(await answer.text()).toContain('tessera_admission_admitted_total{class="follow_up"} 0\n');
  });
});
