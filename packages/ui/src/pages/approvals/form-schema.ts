/** What a form's JSON Schema says, read for people: through references, without null, with bounds in words. */
import type { Json, JsonSchema } from "@millrace/core";

export type Schema = { readonly [member: string]: Json | undefined };

const referencesMax = 8;

export interface Resolved {
  readonly schema: Schema;
  /** Null is one of its values. */
  readonly isNullable: boolean;
}

/** Through `$ref` within the form; of two alternatives of which one is null, the other. */
export function resolved(given: Json | undefined, root: JsonSchema): Resolved {
  let schema: Schema = isObject(given) ? given : {};
  let isNullable = false;
  for (let steps = 0; steps < referencesMax; steps += 1) {
    const reference = schema["$ref"];
    if (typeof reference === "string") {
      const { $ref: _ref, ...beside } = schema;
      schema = { ...targetOf(reference, root), ...beside };
      continue;
    }
    const { type } = schema;
    if (Array.isArray(type) && type.length === 2 && type.includes("null")) {
      schema = { ...schema, type: type.find((one) => one !== "null") };
      isNullable = true;
      continue;
    }
    const alternatives = schema["anyOf"] ?? schema["oneOf"];
    if (!Array.isArray(alternatives)) break;
    const others = alternatives.filter((one) => !isObject(one) || one["type"] !== "null");
    const [only] = others;
    if (others.length !== 1 || others.length === alternatives.length || !isObject(only)) break;
    const { anyOf: _any, oneOf: _one, ...beside } = schema;
    schema = { ...only, ...beside };
    isNullable = true;
  }
  return { schema, isNullable };
}

function targetOf(reference: string, root: JsonSchema): Schema {
  let place: Json | undefined = root;
  for (const part of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    if (!isObject(place)) return {};
    place = place[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return isObject(place) ? place : {};
}

/** The values that it lists: by `enum`, `const`, or as alternatives that are constants. */
export function choicesOf(schema: Schema): readonly Json[] {
  if (Array.isArray(schema["enum"])) return schema["enum"];
  if (schema["const"] !== undefined) return [schema["const"]];
  const alternatives = schema["anyOf"] ?? schema["oneOf"];
  if (!Array.isArray(alternatives)) return [];
  const constants = alternatives.flatMap((one) =>
    isObject(one) && one["const"] !== undefined ? [one["const"]] : [],
  );
  return constants.length === alternatives.length ? constants : [];
}

/** Bounds besides the least and the most that are allowed themselves. */
export function limitsOf(schema: Schema): string[] {
  const number = (name: string): number | undefined => numberOf(schema[name]);
  const above = number("exclusiveMinimum");
  const below = number("exclusiveMaximum");
  const step = number("multipleOf");
  const { pattern, format } = schema;
  return [
    above === undefined ? undefined : `more than ${above}`,
    below === undefined ? undefined : `less than ${below}`,
    step === undefined ? undefined : `a multiple of ${step}`,
    spanText(number("minLength"), number("maxLength"), "characters"),
    spanText(number("minItems"), number("maxItems"), "of them"),
    typeof pattern === "string" && format === undefined ? `like ${pattern}` : undefined,
    typeof format === "string" ? formats[format] : undefined,
  ].filter((text) => text !== undefined);
}

const formats: { readonly [format: string]: string } = {
  email: "a mail address",
  uri: "an address of the web",
  uuid: "a UUID",
  time: "a time of day",
  duration: "a duration as ISO 8601 has it",
  ipv4: "an address of IPv4",
};

function spanText(least: number | undefined, most: number | undefined, what: string): string | undefined {
  if (least !== undefined && least > 0 && most !== undefined) return `${least} to ${most} ${what}`;
  if (least !== undefined && least > 0) return `${least} ${what} at least`;
  return most === undefined ? undefined : `${most} ${what} at most`;
}

export function isObject(value: Json | undefined): value is { readonly [member: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Bounds of the numbers that a computer has are none. */
export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
}
