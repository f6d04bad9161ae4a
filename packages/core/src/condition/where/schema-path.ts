/** Whether a schema knows what a path leads to: a filter on a field that no event can have is a mistake. */
import type { JsonSchema } from "../../graph/definition.ts";
import type { Json } from "../../json.ts";
import { nearestName } from "../../nearest-name.ts";
import type { WherePath } from "./where.ts";

export interface SchemaLack {
  /** The path up to the step that the schema does not know. */
  readonly path: WherePath;
  /** The name that was probably meant. */
  readonly nearest?: string;
}

interface SchemaObject {
  readonly [key: string]: Json;
}

/** Schemas may refer to themselves: no path needs more. */
const referencesMax = 100;

/**
 * The first step of `path` (below the event's data) that `schema` does not declare, or `undefined` when it declares all
 * or leaves open what there is. Properties that are not declared count as lacking, although JSON Schema allows them,
 * unless it says so by `additionalProperties` or `patternProperties`.
 */
export function findSchemaLack(schema: JsonSchema, path: WherePath): SchemaLack | undefined {
  let current = variantsOf(schema, schema);
  for (const [at, step] of path.entries()) {
    if (current.some((variant) => isOpen(variant, step))) return undefined;
    const next = current.flatMap((variant) => variantsBelow(variant, step, schema));
    if (next.length === 0) {
      const names = current.flatMap((variant) => Object.keys(objectOf(variant["properties"]) ?? {}));
      const nearest = nearestName(step, names);
      return { path: path.slice(0, at + 1), ...(nearest === undefined ? {} : { nearest }) };
    }
    current = next;
  }
  return undefined;
}

/** What is said of the value at `path`; nothing where the schema leaves open what there is. */
export function schemasAt(schema: JsonSchema, path: WherePath): readonly (Json | undefined)[] | undefined {
  let schemas: readonly (Json | undefined)[] = [schema];
  for (const step of path) {
    const current = schemas.flatMap((one) => variantsOf(one, schema));
    if (current.some((variant) => isOpen(variant, step))) return undefined;
    schemas = current.flatMap((variant) => below(variant, step));
  }
  return schemas;
}

/** The schemas that a value may have to fit, with references and combinations taken apart. */
function variantsOf(schema: Json | undefined, root: JsonSchema): SchemaObject[] {
  const variants: SchemaObject[] = [];
  const open: (Json | undefined)[] = [schema];
  for (let count = 0; open.length > 0 && count < referencesMax; count += 1) {
    const next = open.pop();
    if (next === true) variants.push({});
    const object = objectOf(next);
    if (!object) continue;
    const inner = combined(object, root);
    if (inner.length === 0 || object["properties"] !== undefined || object["items"] !== undefined)
      variants.push(object);
    open.push(...inner);
  }
  return variants;
}

function combined(schema: SchemaObject, root: JsonSchema): (Json | undefined)[] {
  const inner: (Json | undefined)[] = [];
  for (const key of ["allOf", "anyOf", "oneOf"]) {
    const list = schema[key];
    if (Array.isArray(list)) inner.push(...(list as readonly Json[]));
  }
  for (const key of ["then", "else"]) if (schema[key] !== undefined) inner.push(schema[key]);
  // What can't be followed is left open.
  if (typeof schema["$ref"] === "string") inner.push(referred(schema["$ref"], root) ?? true);
  return inner;
}

export function referred(reference: string, root: JsonSchema): Json | undefined {
  if (!reference.startsWith("#")) return undefined;
  let current: Json | undefined = root;
  for (const part of reference.split("/").slice(1)) {
    const step = decodePointer(part);
    const object: SchemaObject | undefined = Array.isArray(current)
      ? (current as unknown as SchemaObject)
      : objectOf(current);
    if (!object || !Object.hasOwn(object, step)) return undefined;
    current = object[step];
  }
  return current;
}

/** JSON Pointer in a URI; what is wrongly written names nothing. */
function decodePointer(part: string): string {
  let plain = part;
  try {
    plain = decodeURIComponent(part);
  } catch {
    // A stray per cent sign stands for itself.
  }
  return plain.replaceAll("~1", "/").replaceAll("~0", "~");
}

function isOpen(variant: SchemaObject, step: string): boolean {
  const mayBe = (type: string) =>
    variant["type"] === undefined ||
    variant["type"] === type ||
    (Array.isArray(variant["type"]) && (variant["type"] as readonly Json[]).includes(type));
  const isIndex = /^\d+$/.test(step);
  const { additionalProperties, patternProperties, properties, items, prefixItems } = variant;
  const openList = isIndex && mayBe("array") && items === undefined && prefixItems === undefined;
  const isEnumerated = variant["const"] !== undefined || variant["enum"] !== undefined;
  const openObject =
    mayBe("object") &&
    !isEnumerated &&
    (patternProperties !== undefined ||
      additionalProperties === true ||
      (properties === undefined && additionalProperties === undefined && items === undefined));
  return (openList && variant["type"] !== undefined) || openObject;
}

function variantsBelow(variant: SchemaObject, step: string, root: JsonSchema): SchemaObject[] {
  return below(variant, step).flatMap((one) => variantsOf(one, root));
}

function below(variant: SchemaObject, step: string): (Json | undefined)[] {
  const properties = objectOf(variant["properties"]);
  if (properties && Object.hasOwn(properties, step)) return [properties[step]];
  const { additionalProperties, prefixItems, items } = variant;
  const found: (Json | undefined)[] = objectOf(additionalProperties) ? [additionalProperties] : [];
  if (/^\d+$/.test(step)) {
    const first = Array.isArray(prefixItems) ? (prefixItems as readonly Json[])[Number(step)] : undefined;
    if (first !== undefined || items !== undefined) found.push(first ?? items);
  }
  return found;
}

export function objectOf(value: Json | undefined): SchemaObject | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as SchemaObject)
    : undefined;
}
