import { Dice } from "./dice.ts";
import type { PlannedPayer, PlannedPayment, Step, Twist } from "./plan.ts";

/** One payment's whole life, as far as merchant and payer decide it. Much of it is refused: that is part of it. */

/** Card numbers as docs.stripe.com/testing has them; the sandboxes know them all. */
const CARDS: readonly (readonly [number: string, weight: number])[] = [
  ["4242424242424242", 30],
  ["4000056655665556", 8],
  ["5555555555554444", 20],
  ["2223003122003222", 6],
  ["378282246310005", 6],
  ["4000000000000002", 2],
  ["4000000000009995", 3],
  ["4000000000009987", 1],
  ["4000000000000069", 1],
  ["4000000000000127", 1],
  // Another provider is asked.
  ["4000000000000119", 3],
  ["4100000000000019", 1],
  // Refunds take their time, or come back.
  ["4000000000007726", 4],
  ["4000000000005126", 4],
  // The bank asks the payer.
  ["4000002760003184", 4],
];

/** Cards whose issuer says no to everything, at every provider that can tell them. */
export const DECLINED_CARDS: ReadonlySet<string> = new Set([
  "4000000000000002",
  "4000000000009995",
  "4000000000009987",
  "4000000000000069",
  "4000000000000127",
  "4100000000000019",
]);

const CURRENCIES = [
  ["EUR", 6],
  ["USD", 3],
  ["GBP", 2],
  ["JPY", 1],
] as const;

const TWISTS: readonly (readonly [Twist, number])[] = [
  ["none", 74],
  ["repeated", 8],
  ["at_once", 6],
  ["rivals", 6],
  ["other_arguments", 4],
  ["beside_next", 8],
];

type Shape = Pick<Step, "does" | "amount"> & { readonly final?: boolean };

export function plannedPayment(seed: number, index: number, merchants: number): PlannedPayment {
  const dice = new Dice(seed, `payment ${index}`);
  const amount = dice.whole(600, 50_000);
  const captureMethod = dice.chance(0.35) ? "automatic" : "manual";
  const shapes: Shape[] = [{ does: "authorize", amount }];
  shapes.push(...(captureMethod === "automatic" ? refunds(dice, amount) : afterAuthorization(dice, amount)));
  return {
    index,
    merchant: dice.whole(0, merchants - 1),
    card: dice.weighted(CARDS),
    currency: dice.weighted(CURRENCIES),
    amount,
    captureMethod,
    payer: plannedPayer(dice),
    steps: shapes.map((shape, step): Step => {
      const twist = dice.weighted(TWISTS);
      return {
        ...shape,
        final: shape.final ?? false,
        key: `s${seed}-p${index}-${step}-${shape.does}`,
        twist: fits(twist, shape) ? twist : "none",
        pauseMs: dice.chance(0.3) ? dice.whole(1, 300) : 0,
      };
    }),
  };
}

/**
 * Nothing can follow an authorization that nobody has waited for, and one under two keys is two payments; and a void has no
 * other arguments.
 */
const fits = (twist: Twist, { does }: Shape): boolean =>
  !(does === "authorize" && (twist === "beside_next" || twist === "rivals")) &&
  !(does === "void" && twist === "other_arguments");

function plannedPayer(dice: Dice): PlannedPayer {
  return {
    does: dice.weighted([
      ["pays", 80],
      ["fails", 10],
      ["abandons", 10],
    ] as const),
    afterMs: dice.chance(0.1) ? dice.whole(2_000, 4_000) : dice.whole(0, 400),
    comesBack: dice.chance(0.7),
  };
}

function afterAuthorization(dice: Dice, amount: number): Shape[] {
  const shapes: Shape[] = [];
  let authorized = amount;
  if (dice.chance(0.2)) {
    const more = dice.whole(100, 3_000);
    shapes.push({ does: "increment", amount: more });
    authorized += more;
  }
  const ending = dice.weighted([
    ["whole", 35],
    ["parts", 25],
    ["part", 12],
    ["void", 18],
    ["too_much", 5],
    ["nothing", 5],
  ] as const);
  if (ending === "nothing") return shapes;
  if (ending === "void") return [...shapes, { does: "void", amount: null }];
  if (ending === "too_much") shapes.push({ does: "capture", amount: authorized * 2, final: true });
  if (ending === "whole" || ending === "too_much") {
    shapes.push({ does: "capture", amount: null, final: true });
    return [...shapes, ...refunds(dice, authorized)];
  }
  const first = dice.whole(100, Math.floor(authorized / 2));
  shapes.push({ does: "capture", amount: first, final: ending === "part" });
  if (ending === "part") return [...shapes, ...refunds(dice, first)];
  if (dice.chance(0.4)) shapes.push({ does: "capture", amount: dice.whole(100, Math.floor(authorized / 3)) });
  shapes.push(
    dice.chance(0.3) ? { does: "void", amount: null } : { does: "capture", amount: null, final: true },
  );
  return [...shapes, ...refunds(dice, first)];
}

function refunds(dice: Dice, captured: number): Shape[] {
  const how = dice.weighted([
    ["none", 50],
    ["whole", 20],
    ["parts", 25],
    ["too_much", 5],
  ] as const);
  if (how === "none") return [];
  if (how === "whole") return [{ does: "refund", amount: null }];
  if (how === "too_much")
    return [
      { does: "refund", amount: captured * 3 },
      { does: "refund", amount: null },
    ];
  const part = (): Shape => ({
    does: "refund",
    amount: dice.whole(1, Math.max(1, Math.floor(captured / 3))),
  });
  return Array.from({ length: dice.whole(1, 3) }, part);
}
