import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestEdge, type TestEdge } from "../testing/harness.ts";

/** The pages of a 3-D Secure challenge, as the worker serves them. */
let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(() => edge.close());

const policyOf = (answer: { headers: { get(name: string): string | null } }) =>
  new Map(
    (answer.headers.get("content-security-policy") ?? "").split("; ").map((rule) => {
      const [name = "", ...values] = rule.split(" ");
      return [name, values.join(" ")] as const;
    }),
  );

const CRES = "eyJtZXNzYWdlVHlwZSI6IkNSZXMiLCJ0cmFuc1N0YXR1cyI6IlkifQ";
const MARK = "<script>alert(1)</script>";
const post = (body: string, type = "application/x-www-form-urlencoded") =>
  edge.api.fetch(`/3ds/return?${MARK}`, { method: "POST", headers: { "content-type": type }, body });

describe("the return page", () => {
  it("is one and the same, whatever is brought", async () => {
    const expected = await (await edge.api.fetch("/3ds/return")).text();
    expect(expected).toContain("sent you back");
    const bodies = [
      ["", "application/x-www-form-urlencoded"],
      [`cres=${CRES}&threeDSSessionData=${encodeURIComponent(MARK)}`, "application/x-www-form-urlencoded"],
      [MARK, "text/plain"],
      ["x".repeat(300_000), "multipart/form-data; boundary=x"],
    ] as const;
    for (const [body, type] of bodies) {
      const answer = await post(body, type);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe(expected);
      expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
      for (const [name, value] of answer.headers)
        expect(`${name}: ${value}`).not.toMatch(/alert|eyJtZXNz|set-cookie/);
    }
    // Nothing of it goes on to the region.
    expect(edge.region.requests).toHaveLength(0);
    expect(edge.region.inbound).toHaveLength(0);
  });

  it("may be framed by any shop, and runs our own script only", async () => {
    const answer = await post(`cres=${CRES}`);
    const policy = policyOf(answer);
    expect(policy.get("frame-ancestors")).toBe("*");
    expect(policy.get("default-src")).toBe("'none'");
    expect(policy.get("script-src")).toBe("'self'");
    expect(policy.get("form-action")).toBe("'none'");
    expect(policy.get("base-uri")).toBe("'none'");
    expect(policy.has("frame-src")).toBe(false);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  });

  it.each(["PUT", "DELETE", "PATCH"])("knows no %s", async (method) => {
    expect((await edge.api.fetch("/3ds/return", { method })).status).toBe(404);
  });
});

describe("the challenge page", () => {
  it("may frame and post to https, and in development to this machine", async () => {
    const policy = policyOf(await edge.api.fetch("/3ds/challenge"));
    expect(policy.get("frame-src")).toBe("'self' https: http://127.0.0.1:* http://localhost:*");
    expect(policy.get("form-action")).toBe("https: http://127.0.0.1:* http://localhost:*");
    expect(policy.get("frame-ancestors")).toBe("*");
    expect(policy.get("script-src")).toBe("'self'");
  });

  it("lets the issuer ask for a passkey or a payment confirmation, and for no camera", async () => {
    const permissions = (await edge.api.fetch("/3ds/challenge")).headers.get("permissions-policy");
    expect(permissions).toContain("publickey-credentials-get=*");
    expect(permissions).toContain("camera=()");
  });

  it("takes nothing: it is told by its parent", async () => {
    const bare = await (await edge.api.fetch("/3ds/challenge")).text();
    expect(await (await edge.api.fetch("/3ds/challenge?acsUrl=https://evil.example")).text()).toBe(bare);
    expect((await edge.api.fetch("/3ds/challenge", { method: "POST", body: "creq=x" })).status).toBe(404);
  });
});

it("serves the pages' files, and nothing beside them", async () => {
  for (const file of ["challenge.js", "return.js", "page.css"]) {
    const answer = await edge.api.fetch(`/3ds/${file}`);
    expect([file, answer.status]).toEqual([file, 200]);
    expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin");
  }
  for (const path of ["/3ds", "/3ds/", "/3ds/challenge.html", "/3ds/return.html", "/3ds/other.js"])
    expect([path, (await edge.api.fetch(path)).status]).toEqual([path, 404]);
});
