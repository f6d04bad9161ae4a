/** Filters and values in words, for explanations. */
import { canonicalJson } from "../../canonical-json.ts";
import type { Json } from "../../json.ts";
import { namesShownMax } from "../../limits.ts";
import type { Where, WhereFault, WhereLeaf, WherePath, WhereScalar, WhereTime } from "./where.ts";

/** More of a value helps nobody and may be megabytes. */
const charactersShown = 120;

/** `data.customer.id`. */
export function formatWherePath(path: WherePath): string {
  return path
    .map((step, at) => {
      if (at === 0) return step;
      return /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join("");
}

export function describeValue(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return shorten(canonicalJson(value));
}

function shorten(text: string): string {
  return text.length <= charactersShown ? text : `${text.slice(0, charactersShown)}…`;
}

/** The filter as a reader would say it: `data.amount >= 100 and data.tags has "x"`. */
export function describeWhere(where: Where): string {
  switch (where.op) {
    case "and":
      return where.of.length === 0 ? "anything" : where.of.map(describePart).join(" and ");
    case "or":
      return where.of.map(describePart).join(" or ");
    case "not":
      return `not (${describeWhere(where.of)})`;
    case "cel":
      return shorten(where.text.trim());
    case "exists":
      return `${formatWherePath(where.path)} ${where.value ? "exists" : "is absent"}`;
    default:
      return `${formatWherePath(where.path)} ${signs[where.op]} ${describeOperand(where)}`;
  }
}

function describePart(where: Where): string {
  const isGroup = (where.op === "and" || where.op === "or") && where.of.length > 1;
  return isGroup || where.op === "cel" ? `(${describeWhere(where)})` : describeWhere(where);
}

const signs: { readonly [Op in Exclude<WhereLeaf["op"], "exists">]: string } = {
  eq: "==",
  ne: "!=",
  lt: "<",
  lte: "<=",
  gt: ">",
  gte: ">=",
  prefix: "starts with",
  suffix: "ends with",
  contains: "contains",
  glob: "is like",
  matches: "matches",
  in: "in",
  has: "has",
};

const expectations: { readonly [Op in Exclude<WhereLeaf["op"], "exists" | "eq">]: string } = {
  ne: "anything but",
  lt: "less than",
  lte: "at most",
  gt: "more than",
  gte: "at least",
  prefix: "a text that starts with",
  suffix: "a text that ends with",
  contains: "a text that contains",
  glob: "a text like",
  matches: "a text that matches",
  in: "one of",
  has: "a list that has",
};

function describeOperand(leaf: WhereLeaf): string {
  if (leaf.op === "exists") return "";
  if (leaf.op !== "in") return describeScalar(leaf.value);
  const shown = leaf.value.slice(0, namesShownMax).map(describeScalar);
  return `[${shown.join(", ")}${leaf.value.length > shown.length ? ", …" : ""}]`;
}

function describeScalar(value: WhereScalar | WhereTime): string {
  return value !== null && typeof value === "object" ? `time ${value.time}` : describeValue(value);
}

/** Why `leaf` does not hold for `found`. */
export function leafFault(leaf: WhereLeaf, found: Json | undefined): WhereFault {
  return {
    part: describeWhere(leaf),
    path: leaf.path,
    expected: expectation(leaf),
    found: leaf.path[0] === "time" && typeof found === "number" ? describeTime(found) : describeValue(found),
  };
}

function describeTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

function expectation(leaf: WhereLeaf): string {
  if (leaf.op === "exists") return leaf.value ? "any value" : "nothing";
  const operand = describeOperand(leaf);
  return leaf.op === "eq" ? operand : `${expectations[leaf.op]} ${operand}`;
}

/** One line for people: `data.country is "FR", expected "DE"`. */
export function formatFault(fault: WhereFault): string {
  const subject = fault.path ? formatWherePath(fault.path) : `\`${fault.part}\``;
  const line = `${subject} is ${fault.found}, expected ${fault.expected}`;
  if (!fault.alternatives) return line;
  const inner = fault.alternatives.map((faults) => faults.map(formatFault).join(" and "));
  return inner.length === 0 ? line : `${inner.join("; ")}: none of ${inner.length} alternatives holds`;
}
