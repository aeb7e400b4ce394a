import { GraphQLError, GraphQLScalarType, Kind } from "graphql";
import { formatMoney, MAX_API_MINOR, type Money } from "../kernel/money.ts";

const notWhole = () =>
  new GraphQLError("An amount is a whole number of minor units, such as 1000 for 10.00 EUR.", {
    extensions: { code: "BAD_USER_INPUT" },
  });

/** Any whole number is read; whether it is a payable amount is judged where it is used, in words. */
function readWhole(value: unknown): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw notWhole();
}

function serializeWhole(value: unknown): number {
  const whole = typeof value === "bigint" ? value : readWhole(value);
  if (whole > MAX_API_MINOR || whole < -MAX_API_MINOR)
    throw new Error("an amount is beyond what JSON carries exactly");
  return Number(whole);
}

const wholeNumber = (name: string) =>
  new GraphQLScalarType<bigint, number>({
    name,
    serialize: serializeWhole,
    parseValue: readWhole,
    parseLiteral(node) {
      if (node.kind !== Kind.INT) throw notWhole();
      return BigInt(node.value);
    },
  });

const text = (name: string, serialize: (value: unknown) => string) =>
  new GraphQLScalarType({ name, serialize });

/** The custom scalars of all subgraphs; each takes those that its schema names. */
export const scalars = {
  MinorUnits: wholeNumber("MinorUnits"),
  SignedMinorUnits: wholeNumber("SignedMinorUnits"),
  CurrencyCode: text("CurrencyCode", String),
  DateTime: text("DateTime", (value) => (value as Date).toISOString()),
  Date: text("Date", String),
};

/** How money looks in the API. */
export const moneyFields = (money: Money) => ({
  amount: money.minor,
  currency: money.currency,
  formatted: formatMoney(money),
});

/** An enum value of the API from our own lower-case word: `partially_captured` to PARTIALLY_CAPTURED. */
export const enumOf = (word: string): string => word.toUpperCase();
