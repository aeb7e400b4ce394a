import { comparable, isNumber } from "./check-operators.ts";
import { type Checking, unknownValue } from "./checking.ts";
import { constantOf, order } from "./constants.ts";
import { suggestion } from "./nearest.ts";
import { type Collection, isLiteral, type Literal, type Membership } from "./syntax.ts";
import { nameOf, type Type } from "./values.ts";

export function checkMembership({ item, collection }: Membership, checking: Checking): void {
  const { environment, typeOf, refuse } = checking;
  const type = typeOf(item);
  switch (collection.kind) {
    case "list":
      if (type !== null) checkItems(type, item.at, collection.items, checking);
      return;
    case "range":
      checkRange(type, collection, checking);
      return;
    case "named list":
      if (!environment.lists.has(collection.name)) {
        const near = suggestion(collection.name, environment.lists.keys());
        refuse("UNKNOWN_LIST", `there is no list "@${collection.name}"${near}`, collection.at);
      } else if (type !== null && type.kind !== "text")
        refuse("TYPES_DIFFER", `named lists hold texts, and this is ${nameOf(type)}`, item.at);
      return;
    case "field list": {
      const list = typeOf(collection.list);
      if (list !== null && list.kind !== "texts") {
        const message = `after "in" comes a list or a range, and this is ${nameOf(list)}`;
        refuse("TYPES_DIFFER", message, collection.at);
      } else if (type !== null && type.kind !== "text")
        refuse("TYPES_DIFFER", `the list holds texts, and this is ${nameOf(type)}`, item.at);
      else if (list !== null) unknownValue(item, list, checking);
    }
  }
}

function checkItems(type: Type, at: Literal["at"], items: readonly Literal[], checking: Checking): void {
  if (type.kind !== "text" && !isNumber(type)) {
    const message = `lists hold texts and numbers, and this is ${nameOf(type)}; write == or a range`;
    checking.refuse("NOT_POSSIBLE", message, at);
    return;
  }
  for (const item of items) {
    const itemType = checking.typeOf(item);
    if (itemType !== null && comparable(type, itemType, item.at, checking))
      unknownValue(item, type, checking);
  }
}

type Range = Extract<Collection, { kind: "range" }>;

function checkRange(type: Type | null, { from, to, at }: Range, checking: Checking): void {
  const [first, last] = [checking.typeOf(from), checking.typeOf(to)];
  if (type === null || first === null || last === null) return;
  if (!comparable(type, first, at, checking) || !comparable(type, last, at, checking)) return;
  if (!comparable(first, last, at, checking)) return;
  if (type.kind === "boolean") {
    checking.refuse("NOT_POSSIBLE", "conditions have no order", at);
    return;
  }
  if (type.kind === "text" && (from.kind !== "text" || to.kind !== "text")) {
    checking.refuse("LITERAL_NEEDED", 'a range of texts is written as it is: "400000".."499999"', at);
    return;
  }
  if (from.kind === "text" && to.kind === "text" && from.value.length !== to.value.length) {
    checking.refuse("EMPTY_RANGE", "both ends of a range of texts have the same length", at);
    return;
  }
  if (!isLiteral(from) || !isLiteral(to)) return;
  const sign = order(constantOf(from), constantOf(to));
  if (sign !== undefined && sign > 0)
    checking.refuse("EMPTY_RANGE", "nothing is in this range: its ends are the wrong way round", at);
}
