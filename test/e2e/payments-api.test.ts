import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newApiKey } from "../../subgraphs/kernel/api-key.ts";
import { expectBooksToAgree } from "../support/agreement.ts";
import { AUTHORIZE, type Platform, payments, READ, startPlatform } from "../support/platform.ts";

/**
 * The API as a merchant's server uses it, through the edge: once with the subgraphs in the gateway's process,
 * once with each subgraph a process of its own behind HTTP.
 */
describe.each(["in_process", "http"] as const)("with subgraphs %s", (subgraphs) => {
  let platform: Platform;
  let api: ReturnType<typeof payments>;

  beforeAll(async () => {
    platform = await startPlatform({ subgraphs });
    api = payments(platform);
  });
  afterAll(() => platform?.stop());

  const ask = (query: string, variables: object = {}, key?: string) =>
    platform.request(query, variables, key);

  describe("a payment", () => {
    it("is authorized, captured in parts, and refunded", async () => {
      const authorized = await api.authorize();
      expect(authorized).toMatchObject({
        __typename: "Payment",
        state: "AUTHORIZED",
        amount: { amount: 10_000, currency: "EUR", formatted: "100.00 EUR" },
        capturableAmount: { amount: 10_000 },
        card: { brand: "visa", bin: "42424242", last4: "4242" },
      });
      const part = await api.capture(authorized.id, { amount: api.money(3_000), final: false });
      expect(part).toMatchObject({ state: "PARTIALLY_CAPTURED", capturedAmount: { amount: 3_000 } });
      const rest = await api.capture(authorized.id);
      expect(rest).toMatchObject({ state: "CAPTURED", capturedAmount: { amount: 10_000 } });
      const refunded = await api.refund(authorized.id, { amount: api.money(4_000) });
      expect(refunded).toMatchObject({ state: "PARTIALLY_REFUNDED", refundableAmount: { amount: 6_000 } });
    });

    it("is voided", async () => {
      const { id } = await api.authorize();
      expect(await api.void(id)).toMatchObject({ __typename: "Payment", state: "VOIDED" });
    });

    it("is declined with words for the payer", async () => {
      const token = await platform.token({ number: "4000000000009995" });
      expect(await api.authorize({ token })).toMatchObject({
        __typename: "PaymentDeclined",
        reason: { code: "INSUFFICIENT_FUNDS", advice: "USE_ANOTHER_CARD" },
        payment: { state: "DECLINED", decline: { code: "INSUFFICIENT_FUNDS" } },
      });
    });

    it.each([
      ["JPY", 500, "500 JPY"],
      ["KWD", 12_340, "12.340 KWD"],
    ])("in %s has that currency's decimals", async (currency, amount, formatted) => {
      const payment = await api.authorize({ amount: { amount, currency }, captureMethod: "AUTOMATIC" });
      expect(payment).toMatchObject({ state: "CAPTURED", amount: { formatted }, capturedAmount: { amount } });
    });

    it("has its story across the subgraphs", async () => {
      // A card that no other test pays with: it would be a duplicate.
      const token = await platform.token({ number: "2223003122003222" });
      const { id } = await api.authorize({ captureMethod: "AUTOMATIC", token });
      await api.refund(id, { amount: api.money(1_000) });
      const { data, errors } = await ask(
        `query ($id: ID!) { payment(id: $id) {
           operations { kind state amount { amount } }
           journals { cause transfers { kind amount { amount } debit { code book } credit { code book } } }
           risk { decision score degraded reasons { rule } }
         } }`,
        { id },
      );
      expect(errors).toBeUndefined();
      expect(data.payment.operations.map((operation: { kind: string }) => operation.kind)).toEqual([
        "AUTHORIZE",
        "REFUND",
      ]);
      expect(data.payment.journals.map((journal: { cause: string }) => journal.cause)).toEqual([
        "SALE",
        "REFUND_HOLD",
        "REFUND",
      ]);
      expect(data.payment.journals[0].transfers).toEqual([
        {
          kind: "SINGLE",
          amount: { amount: 10_000 },
          debit: { code: "PROVIDER_RECEIVABLE", book: "OPERATOR" },
          credit: { code: "MERCHANT_PAYABLE", book: "MERCHANT" },
        },
        {
          kind: "SINGLE",
          amount: { amount: 175 },
          debit: { code: "MERCHANT_PAYABLE", book: "MERCHANT" },
          credit: { code: "FEE_REVENUE", book: "OPERATOR" },
        },
      ]);
      expect(data.payment.risk).toEqual({ decision: "ALLOW", score: 0, degraded: false, reasons: [] });
    });

    it("is found by node(), and so are the merchant and a checkout session", async () => {
      const { id } = await api.authorize();
      const session = await ask(
        `mutation ($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { ... on CheckoutSession { id } } }`,
        { input: { idempotencyKey: randomUUID(), amount: api.money(100) } },
      );
      const query = `query ($id: ID!) { node(id: $id) { __typename id } }`;
      for (const [type, node] of [
        ["Payment", id],
        ["CheckoutSession", session.data.createCheckoutSession.id],
        ["Merchant", platform.stack.merchant.id],
      ]) {
        expect((await ask(query, { id: node })).data.node).toEqual({ __typename: type, id: node });
      }
      const stranger = await platform.merchant();
      for (const node of [
        id,
        session.data.createCheckoutSession.id,
        platform.stack.merchant.id,
        "nonsense",
      ]) {
        expect((await ask(query, { id: node }, stranger.secretKey)).data.node).toBeNull();
      }
    });
  });

  describe("the list of payments", () => {
    it("pages forwards and backwards without gaps", async () => {
      const merchant = await platform.merchant();
      const mine = payments(platform, merchant);
      const token = await platform.token({}, merchant);
      const made: string[] = [];
      for (let i = 0; i < 5; i++) made.unshift((await mine.authorize({ token })).id);
      const page = async (args: string) =>
        (
          await ask(
            `{ payments(${args}) { nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
            {},
            merchant.secretKey,
          )
        ).data.payments;
      const first = await page("first: 2");
      const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
      const third = await page(`first: 2, after: "${second.pageInfo.endCursor}"`);
      const ids = (connection: { nodes: { id: string }[] }) => connection.nodes.map(({ id }) => id);
      expect([...ids(first), ...ids(second), ...ids(third)]).toEqual(made);
      expect([first, second, third].map(({ pageInfo }) => pageInfo.hasNextPage)).toEqual([true, true, false]);
      const back = await page(`last: 2, before: "${third.pageInfo.startCursor}"`);
      expect(ids(back)).toEqual(ids(second));
      expect((await page("first: 10, filter: { states: [VOIDED] }")).nodes).toEqual([]);
    });

    it.each([
      ["first: 101", "1 to 100"],
      ["first: 0", "1 to 100"],
      ["first: 1, last: 1", "not both"],
      ['first: 1, after: "x"', "cursor"],
    ])("refuses %s", async (args, words) => {
      const { errors } = await ask(`{ payments(${args}) { nodes { id } } }`);
      expect(errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
      expect(errors?.[0]?.message).toContain(words);
    });
  });

  describe("bad input is a typed answer, and nothing is charged or half done:", () => {
    const issues = async (input: Record<string, unknown>) => {
      const before = (await platform.sandbox.book()).movements.length;
      const result = await api.authorize({ idempotencyKey: randomUUID(), ...input });
      expect(result.__typename).toBe("InvalidInput");
      expect((await platform.sandbox.book()).movements.length).toBe(before);
      return result.issues.map(
        ({ code, path, message }: { code: string; path: string[]; message: string }) => {
          expect(message.length).toBeGreaterThan(20);
          return `${path.join(".")} ${code}`;
        },
      );
    };

    it.each([
      ["amount 0", { amount: { amount: 0, currency: "EUR" } }, "amount.amount AMOUNT_NOT_POSITIVE"],
      ["a negative amount", { amount: { amount: -5, currency: "EUR" } }, "amount.amount AMOUNT_NOT_POSITIVE"],
      ["2^53", { amount: { amount: 2 ** 53, currency: "EUR" } }, "amount.amount AMOUNT_TOO_LARGE"],
      ["1e300", { amount: { amount: 1e300, currency: "EUR" } }, "amount.amount AMOUNT_TOO_LARGE"],
      ["an unknown currency", { amount: { amount: 5, currency: "EUX" } }, "amount.currency UNKNOWN_CURRENCY"],
      [
        "a currency in lower case",
        { amount: { amount: 5, currency: "eur" } },
        "amount.currency UNKNOWN_CURRENCY",
      ],
      [
        "a withdrawn currency",
        { amount: { amount: 5, currency: "HRK" } },
        "amount.currency UNKNOWN_CURRENCY",
      ],
      [
        "a KWD amount that the provider cannot count",
        { amount: { amount: 12_345, currency: "KWD" } },
        "amount AMOUNT_NOT_ACCEPTED",
      ],
      ["an unknown token", { token: `tok_01_${"0".repeat(32)}` }, "token UNKNOWN_TOKEN"],
      ["a card number in place of a token", { token: "4242424242424242" }, "token UNKNOWN_TOKEN"],
      ["an empty key", { idempotencyKey: "" }, "idempotencyKey INVALID_KEY"],
      ["a key of 256 characters", { idempotencyKey: "k".repeat(256) }, "idempotencyKey INVALID_KEY"],
      ["a key of the platform's own", { idempotencyKey: "checkout:x:0" }, "idempotencyKey INVALID_KEY"],
      ["a long description", { description: "x".repeat(501) }, "description TOO_LONG"],
      ["a payer from nowhere", { payer: { country: "Germany" } }, "payer.country INVALID_COUNTRY"],
      ["a payer's bad address", { payer: { ipAddress: "1.2.3" } }, "payer.ipAddress INVALID_IP_ADDRESS"],
    ])("%s", async (_, input, expected) => {
      expect(await issues(input)).toEqual([expected]);
    });

    it("2^53 + 1 written in the document", async () => {
      const query = `mutation { authorizePayment(input: { idempotencyKey: "${randomUUID()}", token: "tok_x", amount: { amount: 9007199254740993, currency: "EUR" } }) { ... on InvalidInput { issues { code } } } }`;
      expect((await ask(query)).data.authorizePayment.issues).toEqual([{ code: "AMOUNT_TOO_LARGE" }]);
    });

    it("an amount that is not whole", async () => {
      const input = {
        idempotencyKey: randomUUID(),
        token: "tok_x",
        amount: { amount: 10.5, currency: "EUR" },
      };
      const { status, errors } = await ask(AUTHORIZE, { input });
      expect([status < 500, errors?.[0]?.extensions.code]).toEqual([true, "BAD_USER_INPUT"]);
    });

    it("several things at once", async () => {
      const bad = { amount: { amount: 0, currency: "EUR" }, idempotencyKey: " ", payer: { email: "x" } };
      expect((await issues(bad)).sort()).toEqual([
        "amount.amount AMOUNT_NOT_POSITIVE",
        "idempotencyKey INVALID_KEY",
        "payer.email INVALID_EMAIL",
      ]);
    });

    it("a capture above the authorized amount, a refund above the captured", async () => {
      const { id } = await api.authorize();
      expect(await api.capture(id, { amount: api.money(10_001) })).toMatchObject({
        __typename: "AmountExceedsAvailable",
        available: { amount: 10_000, currency: "EUR" },
      });
      expect(await api.refund(id, { amount: api.money(1) })).toMatchObject({
        __typename: "PaymentStateConflict",
        state: "AUTHORIZED",
      });
      await api.capture(id, { amount: api.money(6_000) });
      expect(await api.refund(id, { amount: api.money(6_001) })).toMatchObject({
        __typename: "AmountExceedsAvailable",
        available: { amount: 6_000 },
      });
      expect(await api.capture(id)).toMatchObject({ __typename: "PaymentStateConflict", state: "CAPTURED" });
      expect(await api.void(id)).toMatchObject({ __typename: "PaymentStateConflict" });
    });

    it("the same key with another amount", async () => {
      const input = { idempotencyKey: randomUUID(), token: await platform.token() };
      const first = await api.authorize(input);
      expect(await api.authorize({ ...input, amount: api.money(10_001) })).toMatchObject({
        __typename: "IdempotencyKeyReused",
      });
      expect((await api.authorize(input)).id).toBe(first.id);
    });

    it("another merchant's payment answers exactly as one that does not exist", async () => {
      const { id } = await api.authorize();
      const stranger = await platform.merchant();
      const theirs = payments(platform, stranger);
      const missing = id.replace(/^pay_./, "pay_0");
      for (const kind of ["capture", "void", "refund"] as const) {
        expect(await theirs[kind](id)).toEqual(await theirs[kind](missing));
        expect((await theirs[kind](id)).__typename).toBe("PaymentNotFound");
      }
      expect((await ask(READ, { id }, stranger.secretKey)).data).toEqual({ payment: null });
      const token = await platform.token();
      expect(await theirs.authorize({ token })).toMatchObject({ issues: [{ code: "UNKNOWN_TOKEN" }] });
    });
  });

  describe("keys", () => {
    const viewer = "{ viewer { id } }";
    it.each([
      ["no key", ""],
      ["nonsense", "nonsense"],
      ["a key that was never issued", newApiKey("secret", { region: 1, shard: 7 })],
    ])("%s is 401", async (_, key) => {
      const { status, errors } = await ask(viewer, {}, key);
      expect([status, errors?.[0]?.extensions.code]).toEqual([401, "UNAUTHENTICATED"]);
    });

    it("a publishable key can do nothing but check out", async () => {
      const { id } = await api.authorize();
      const pk = platform.stack.merchant.publishableKey;
      for (const [query, variables] of [
        [viewer, {}],
        [READ, { id }],
        ["{ payments { nodes { id } } }", {}],
        ["query ($id: ID!) { node(id: $id) { id } }", { id }],
        [AUTHORIZE, { input: { idempotencyKey: "x", token: "tok_x", amount: api.money(1) } }],
        [
          'mutation ($p: ID!) { refundPayment(input: { idempotencyKey: "x", payment: $p }) { __typename } }',
          { p: id },
        ],
        [
          'mutation { createCheckoutSession(input: { idempotencyKey: "x", amount: { amount: 1, currency: "EUR" } }) { __typename } }',
          {},
        ],
      ] as const) {
        const { errors } = await ask(query, variables, pk);
        expect(
          errors?.map(({ extensions }) => extensions.code),
          query,
        ).toEqual(["FORBIDDEN"]);
      }
    });
  });

  describe("what no merchant should send", () => {
    it("a body of 1 MB is 413", async () => {
      const { status, errors } = await ask(`{ viewer { id } } #${"x".repeat(1_000_000)}`);
      expect([status, errors?.[0]?.extensions.code]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
    });

    it("a query 100 levels deep is refused, also when fragments hide it", async () => {
      const deep = `{ payments { nodes { ${"checkoutSession { payment { ".repeat(49)} id ${"} }".repeat(49)} } } }`;
      const hidden = `{ payments { nodes { ...F0 } } } ${Array.from({ length: 30 }, (_, i) => `fragment F${i} on Payment { checkoutSession { payment { ${i === 29 ? "id" : `...F${i + 1}`} } } }`).join(" ")}`;
      for (const query of [deep, hidden]) {
        const { status, errors } = await ask(query);
        expect([status, errors?.[0]?.extensions.code]).toEqual([400, "QUERY_TOO_DEEP"]);
      }
    });

    it("ten thousand fields are refused", async () => {
      const { status, errors } = await ask(`{ viewer { ${"id ".repeat(10_000)} } }`);
      expect([status, errors?.[0]?.extensions.code]).toEqual([400, "GRAPHQL_PARSE_FAILED"]);
    });

    it("an operation name that is not in the document is told", async () => {
      const response = await fetch(`${platform.stack.urls.edge}/graphql`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${platform.stack.merchant.secretKey}`,
        },
        body: JSON.stringify({ query: "query A { viewer { id } }", operationName: "B" }),
      });
      const { errors } = (await response.json()) as {
        errors: { message: string; extensions: { code: string } }[];
      };
      expect([response.status, errors[0]?.extensions.code, errors[0]?.message]).toEqual([
        400,
        "OPERATION_RESOLUTION_FAILURE",
        'Unknown operation named "B".',
      ]);
    });

    it("a mistyped field is told", async () => {
      const { status, errors } = await ask("{ viewer { nmae } }");
      expect([status, errors?.[0]?.extensions.code]).toEqual([400, "GRAPHQL_VALIDATION_FAILED"]);
    });
  });

  it("the region and its subgraphs answer nobody but the edge", async () => {
    const { gateway } = platform.stack.urls;
    const bare = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"query":"{ __typename }"}',
    };
    const doors = [`${gateway}/graphql`];
    if (subgraphs === "http") {
      const base = Number(new URL(gateway).port) - 2;
      doors.push(...[10, 11, 12, 13, 14].map((offset) => `http://127.0.0.1:${base + offset}/graphql`));
    }
    for (const door of doors) {
      expect((await fetch(door, bare)).status, door).toBe(401);
      const forged = { ...bare, headers: { ...bare.headers, "tessera-identity": "e30.e30.e30" } };
      expect((await fetch(door, forged)).status, door).toBe(401);
    }
  });

  it("settlement shows what is owed, and the balance agrees", async () => {
    const merchant = await platform.merchant();
    const mine = payments(platform, merchant);
    const { id } = await mine.authorize({ captureMethod: "AUTOMATIC" });
    await mine.refund(id, { amount: mine.money(1_000) });
    const query =
      "{ viewer { balances { code currency balance } settlement { currency pending available due { on amount } } } }";
    let viewer: {
      balances: unknown[];
      settlement: { pending: number; available: number; due: { amount: number }[] }[];
    };
    const deadline = Date.now() + 10_000;
    do {
      viewer = (await ask(query, {}, merchant.secretKey)).data.viewer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (viewer.settlement[0]?.available !== -1_000 && Date.now() < deadline);
    // 100.00 less 2.9 % and 0.30, due in two business days; the refund counts at once.
    expect(viewer.settlement).toEqual([
      {
        currency: "EUR",
        pending: 9_680,
        available: -1_000,
        due: [{ on: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), amount: 9_680 }],
      },
    ]);
    expect(viewer.balances).toEqual([{ code: "MERCHANT_PAYABLE", currency: "EUR", balance: 8_680 }]);
  });

  it("risk holds what looks unusual and refuses what is listed", async () => {
    const merchant = await platform.merchant();
    const mine = payments(platform, merchant);
    const story = async (id: string) =>
      (
        await ask(
          "query ($id: ID!) { payment(id: $id) { captureMethod risk { decision score reasons { rule message } } } }",
          { id },
          merchant.secretKey,
        )
      ).data.payment;
    const review = await mine.authorize({ captureMethod: "AUTOMATIC", payer: { country: "BR" } });
    expect(review.state).toBe("IN_REVIEW");
    expect(await story(review.id)).toEqual({
      captureMethod: "MANUAL",
      risk: {
        decision: "REVIEW",
        score: 35,
        reasons: [{ rule: "COUNTRY_MISMATCH", message: "The card was issued in US, the payer is in BR." }],
      },
    });
    await platform.owner`
      insert into risk.list_entry (shard, merchant, kind, value, list)
      select shard, id, 'email', 'mallory@example.com', 'block' from merchants.merchant
      where name = 'Test Shop' order by created_at desc limit 1`;
    const { received } = await platform.sandbox.requests();
    const blocked = await mine.authorize({ payer: { email: "Mallory@example.com" } });
    expect(blocked).toMatchObject({
      __typename: "PaymentDeclined",
      message: "The payment was declined.",
      reason: { code: "BLOCKED_BY_RISK" },
      payment: { state: "DECLINED" },
    });
    expect((await platform.sandbox.requests()).received).toBe(received);
    expect((await story(blocked.payment.id)).risk).toMatchObject({ decision: "BLOCK", score: 100 });
  });

  it("a lost answer is pending, then known", async () => {
    await platform.sandbox.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    const pending = await api.authorize({ captureMethod: "AUTOMATIC" });
    expect(pending).toMatchObject({ __typename: "PaymentPending", payment: { state: "PROCESSING" } });
    expect((await api.settled(pending.payment.id)).state).toBe("CAPTURED");
  });

  it("in the end provider, payments and ledger agree", async () => {
    expect(await expectBooksToAgree(platform)).toBeGreaterThan(10);
  });
});
