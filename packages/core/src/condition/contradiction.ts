/** Conditions that no event can ever satisfy: a trigger with one would wait for good, and say nothing. */
import { MillraceError } from "../error/millrace-error.ts";
import { isOwnType, ownEventTypes } from "../event/own.ts";
import type { JsonSchema } from "../graph/definition.ts";
import type { Json } from "../json.ts";
import { nearestName } from "../nearest-name.ts";
import { operandsOf, type Condition, type EventAtom } from "./condition.ts";
import { compileFilterCel } from "./where/cel.ts";
import { compileWhere } from "./where/compile.ts";
import type { SchemaOf } from "./undeclared.ts";
import { canFit, valuesListed } from "./where/schema-value.ts";
import { compareText, parseTime } from "./where/order.ts";
import type { Where, WhereEvent, WhereLeaf, WherePath, WhereScalar, WhereTime } from "./where/where.ts";
import { describeWhere, formatWherePath } from "./where/words.ts";

/**
 * Throws MILLRACE_CONDITION_INVALID where an event atom asks for a type of Millrace's own that there is none of, where its filter
 * contradicts itself, and where it asks for a value that the type's schema does not have. What it does not find may still never
 * hold: `not`, and what CEL computes or compares otherwise than with a value, are taken as they are.
 */
export function requireSatisfiable(condition: Condition, schemaOf: SchemaOf = () => undefined): void {
  if (condition.kind === "event") requireSatisfiableAtom(condition, schemaOf);
  for (const operand of operandsOf(condition)) requireSatisfiable(operand, schemaOf);
}

function requireSatisfiableAtom({ type, where }: EventAtom, schemaOf: SchemaOf): void {
  requireOwnType(type);
  if (where === undefined) return;
  const schema = schemaOf(type);
  if (schema !== undefined) requireFitting(type, where, schema);
  const ofType: WhereLeaf = type.endsWith("*")
    ? { op: "prefix", path: ["type"], value: type.slice(0, -1) }
    : { op: "eq", path: ["type"], value: type };
  const clash = findContradiction({ op: "and", of: [ofType, where] });
  if (!clash) return;
  throw new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `No event can fit the filter of "${type}": ${clash.map(describeWhere).join(" and ")} never hold together.`,
    advice: "Use `anyOf` where one of several parts is enough.",
    fields: { type },
  });
}

/** Types of Millrace's own have no other sender. */
function requireOwnType(type: string): void {
  if (!isOwnType(type)) return;
  const stem = type.endsWith("*") ? type.slice(0, -1) : undefined;
  if (ownEventTypes.some((own) => (stem === undefined ? own === type : own.startsWith(stem)))) return;
  const near = nearestName(type, ownEventTypes);
  throw new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `Millrace has no events of type "${type}", and nobody else may send one.${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    advice: "The pages on events, assets, probes and approvals name those that there are.",
    fields: { type },
  });
}

function requireFitting(type: string, where: Where, schema: JsonSchema): void {
  const misfit = findMisfit(where, schema);
  if (!misfit) return;
  const listed = valuesListed(schema, misfit.path.slice(1)).map((value) => JSON.stringify(value));
  const among = listed.length === 0 || listed.length > valuesToldMax ? "" : `: it has ${listed.join(", ")}`;
  throw new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `No event can fit the filter of "${type}": ${describeWhere(misfit)} does not fit the type's schema${among}.`,
    advice: "Ask for a value that the schema has, or add it to the schema.",
    fields: { type, path: formatWherePath(misfit.path) },
  });
}

const valuesToldMax = 20;

/** A part that must hold, and asks for a value that the data of no event has. */
function findMisfit(where: Where, schema: JsonSchema): WhereLeaf | undefined {
  for (const part of conjuncts(where)) {
    if (part.op === "or") {
      const inner = part.of.map((one) => findMisfit(one, schema));
      if (inner.every((one) => one !== undefined)) return inner[0];
    } else if ("path" in part && part.path[0] === "data" && !canFit(schema, part, part.path.slice(1)))
      return part;
  }
  return undefined;
}

/** Parts that can't hold together. */
function findContradiction(where: Where): readonly Where[] | undefined {
  const leaves: WhereLeaf[] = [];
  for (const part of conjuncts(where)) {
    if (part.op === "or") {
      const inner = part.of.map(findContradiction);
      if (part.of.length > 0 && inner.every((one) => one !== undefined)) return [part];
    } else if ("path" in part) leaves.push(part);
  }
  const byPath = Map.groupBy(leaves, ({ path }) => JSON.stringify(path));
  for (const together of byPath.values()) if (isImpossible(together)) return together;
  return undefined;
}

function conjuncts(where: Where): readonly Where[] {
  if (where.op === "and") return where.of.flatMap(conjuncts);
  if (where.op !== "cel") return [where];
  return compileFilterCel(where.text).conjuncts.flatMap(({ implied }) => implied ?? []);
}

/** Whether no value at their path satisfies all of them. */
function isImpossible(leaves: readonly WhereLeaf[]): boolean {
  const values = leaves.map(valuesOf).find((of) => of !== undefined);
  if (values) {
    const all = compileWhere({ op: "and", of: leaves });
    return !values.some((value) => all.matches(eventWith(leaves[0]!.path, value)));
  }
  const needsNone = leaves.some((leaf) => leaf.op === "exists" && !leaf.value);
  if (needsNone) return leaves.some((leaf) => leaf.op !== "ne" && !(leaf.op === "exists" && !leaf.value));
  const kinds = new Set(leaves.flatMap(kindOf));
  return kinds.size > 1 || isEmptyRange(leaves);
}

/** The only values that a leaf leaves possible. */
function valuesOf(leaf: WhereLeaf): readonly WhereScalar[] | undefined {
  if (leaf.op === "in") return leaf.value;
  return leaf.op === "eq" && !isTime(leaf.value) ? [leaf.value] : undefined;
}

/** What a value must be for a leaf to hold; a time may be a text, or the event's own. */
function kindOf(leaf: WhereLeaf): string[] {
  switch (leaf.op) {
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return isTime(leaf.value) ? [] : [typeof leaf.value];
    case "prefix":
    case "suffix":
    case "contains":
    case "glob":
    case "matches":
      return ["string"];
    case "has":
      return ["list"];
    default:
      return [];
  }
}

type Bound = number | string;

function isEmptyRange(leaves: readonly WhereLeaf[]): boolean {
  const low: { readonly at: Bound; readonly isOpen: boolean }[] = [];
  const high: typeof low = [];
  for (const leaf of leaves) {
    if (leaf.op === "gt" || leaf.op === "gte")
      low.push({ at: boundOf(leaf.value), isOpen: leaf.op === "gt" });
    if (leaf.op === "lt" || leaf.op === "lte")
      high.push({ at: boundOf(leaf.value), isOpen: leaf.op === "lt" });
    if (leaf.op === "eq" && isTime(leaf.value)) {
      low.push({ at: boundOf(leaf.value), isOpen: false });
      high.push({ at: boundOf(leaf.value), isOpen: false });
    }
  }
  return low.some((from) =>
    high.some((to) => {
      const order = compare(from.at, to.at);
      return order !== undefined && (order > 0 || (order === 0 && (from.isOpen || to.isOpen)));
    }),
  );
}

function boundOf(value: WhereScalar | WhereTime): Bound {
  if (isTime(value)) return parseTime(value.time) ?? Number.NaN;
  return typeof value === "number" ? value : String(value);
}

/** A time and a text are in no order. */
function compare(a: Bound, b: Bound): number | undefined {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return typeof a === "string" && typeof b === "string" ? compareText(a, b) : undefined;
}

function isTime(value: WhereScalar | WhereTime): value is WhereTime {
  return value !== null && typeof value === "object";
}

/** An event with this value at the path, and nothing else of note. */
function eventWith([root = "data", ...steps]: WherePath, value: WhereScalar): WhereEvent {
  const nested = steps.reduceRight<Json>((inner, step) => ({ [step]: inner }), value);
  return { source: "", id: "", type: "", time: 0, data: null, [root]: nested };
}
