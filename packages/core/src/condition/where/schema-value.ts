/** Whether a schema lets a value, or a value of some kind, stand where a path leads: a filter that asks for another one never matches. */
import { canonicalJson } from "../../canonical-json.ts";
import type { JsonSchema } from "../../graph/definition.ts";
import type { Json } from "../../json.ts";
import { objectOf, referred, schemasAt } from "./schema-path.ts";
import type { WhereLeaf, WherePath, WhereScalar, WhereTime } from "./where.ts";

/** What JSON Schema calls the types of values, without `integer`. */
type Kind = "null" | "boolean" | "number" | "string" | "array" | "object";

/** Schemas may refer to themselves. */
const depthMax = 50;

/**
 * Whether an event of this schema can fit the part of a filter, as far as the schema's `type`, `enum`, `const` and combinations of them
 * say. Whatever else it says is left open, and so are parts that ask for no value.
 */
export function canFit(schema: JsonSchema, leaf: WhereLeaf, path: WherePath): boolean {
  const schemas = schemasAt(schema, path);
  if (!schemas) return true;
  const isIn = (fits: Fits): boolean => schemas.some((one) => admits(one, schema, fits, 0));
  switch (leaf.op) {
    case "eq":
      return isTime(leaf.value) ? isIn(ofKind("string")) : isIn(valued(leaf.value));
    case "in":
      return leaf.value.some((value) => isIn(valued(value)));
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return isIn(ofKind(typeof leaf.value === "number" ? "number" : "string"));
    case "prefix":
    case "suffix":
    case "contains":
    case "glob":
    case "matches":
      return isIn(ofKind("string"));
    case "has":
      return isIn(ofKind("array"));
    default:
      return true;
  }
}

/** Whether a text or number may stand there, or true or false: what a key is made of, and, without the last, a time. */
export function canBeScalar(schema: JsonSchema, path: WherePath, isBooleanOne: boolean): boolean {
  const kinds: readonly Kind[] = isBooleanOne ? ["string", "number", "boolean"] : ["string", "number"];
  const schemas = schemasAt(schema, path);
  return !schemas || schemas.some((one) => kinds.some((kind) => admits(one, schema, ofKind(kind), 0)));
}

/** What the schema lets stand there, where that is a short list of values. */
export function valuesListed(schema: JsonSchema, path: WherePath): readonly Json[] {
  return (schemasAt(schema, path) ?? []).flatMap((one) => {
    const { const: only, enum: list } = objectOf(one) ?? {};
    if (only !== undefined) return [only];
    return Array.isArray(list) ? (list as readonly Json[]) : [];
  });
}

interface Fits {
  readonly kind: Kind;
  /** Whether `value`, of this kind, is what is asked for. */
  readonly is: (value: Json) => boolean;
  /** A number that is asked for is no whole one. */
  readonly isFraction: boolean;
}

function valued(value: WhereScalar): Fits {
  const text = canonicalJson(value);
  return {
    kind: kindOf(value),
    is: (other) => canonicalJson(other) === text,
    isFraction: typeof value === "number" && !Number.isInteger(value),
  };
}

function ofKind(kind: Kind): Fits {
  return { kind, is: () => true, isFraction: false };
}

function admits(schema: Json | undefined, root: JsonSchema, fits: Fits, depth: number): boolean {
  if (schema === false) return false;
  const object = objectOf(schema);
  if (!object || depth > depthMax) return true;
  const inner = (one: Json | undefined): boolean => admits(one, root, fits, depth + 1);
  const { type, const: only, enum: listed, anyOf, oneOf, allOf, $ref } = object;
  if (only !== undefined && !isAsked(only, fits)) return false;
  if (Array.isArray(listed) && !(listed as readonly Json[]).some((one) => isAsked(one, fits))) return false;
  if (type !== undefined && !(Array.isArray(type) ? (type as readonly Json[]) : [type]).some(isOfType))
    return false;
  if (typeof $ref === "string" && !inner(referred($ref, root))) return false;
  for (const one of [anyOf, oneOf])
    if (Array.isArray(one) && !(one as readonly Json[]).some(inner)) return false;
  return !Array.isArray(allOf) || (allOf as readonly Json[]).every(inner);

  function isOfType(name: Json): boolean {
    return name === fits.kind || (name === "integer" && fits.kind === "number" && !fits.isFraction);
  }
}

function isAsked(value: Json, { kind, is }: Fits): boolean {
  return kindOf(value) === kind && is(value);
}

function kindOf(value: Json): Kind {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : (typeof value as Kind);
}

function isTime(value: WhereScalar | WhereTime): value is WhereTime {
  return value !== null && typeof value === "object";
}
