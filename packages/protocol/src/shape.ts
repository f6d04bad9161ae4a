/**
 * Shapes of messages: each is a JSON Schema (2020-12), for documents and other languages, a check of the same meaning, ready
 * without compiling, and a type of TypeScript (`TypeOf`). A general validator costs 100–200 ms at the start of every worker
 * and server; a test holds the two against each other.
 */
import type { Json } from "@millrace/core";

export interface Fault {
  /** JSON pointer. */
  readonly path: string;
  readonly expected: string;
}

export interface Shape<T = unknown> {
  readonly schema: { readonly [keyword: string]: unknown };
  /** The first place where `value` is not of this shape. */
  check(this: void, value: unknown): Fault | undefined;
  /** Never there: what is of this shape, for the compiler. */
  readonly type?: T;
}
export type TypeOf<S> = S extends Shape<infer T> ? T : never;

function leaf<T>(schema: Shape["schema"], expected: string, holds: (value: unknown) => boolean): Shape<T> {
  const fault: Fault = { path: "", expected };
  return { schema, check: (value) => (holds(value) ? undefined : fault) };
}

/** A shape that documents name: they refer to it in place of telling it again. */
export function named<S extends Shape>(title: string, shape: S): S {
  return { ...shape, schema: { ...shape.schema, title } };
}

/** With a sentence about what it means where it stands. */
export function about<S extends Shape>(description: string, shape: S): S {
  return { ...shape, schema: { ...shape.schema, description } };
}

/** What a shape says of values whose type the compiler knows better, such as a definition that the core judges. */
export function typed<T>(shape: Shape): Shape<T> {
  return { schema: shape.schema, check: shape.check };
}

/** A named shape within itself. */
export function recursive<T>(title: string, shape: () => Shape<T>): Shape<T> {
  return { schema: { title }, check: (value) => shape().check(value) };
}

export const text = leaf<string>({ type: "string" }, "a string", (value) => typeof value === "string");
/** Text that a column of PostgreSQL can hold: no U+0000 and no half of a surrogate pair. */
// oxlint-disable-next-line eslint/no-control-regex -- it is the one that is looked for
const storableText = /^[^\u0000\ud800-\udfff]*$/u;
export const storable = leaf<string>(
  { type: "string", pattern: storableText.source },
  "a string without U+0000 and halves of surrogate pairs",
  (value) => typeof value === "string" && isStorable(value),
);
export function isStorable(value: string): boolean {
  return storableText.test(value);
}

/** RFC 3339 in UTC, as all times in answers. */
export const time = leaf<string>(
  { type: "string", format: "date-time" },
  "a time as RFC 3339 has it, in UTC",
  (value) => typeof value === "string" && /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value),
);
/** So many characters of it. */
export function sized(shape: Shape<string>, minLength: number, maxLength: number): Shape<string> {
  const expected = `${minLength} to ${maxLength} characters`;
  return {
    schema: { ...shape.schema, minLength, maxLength },
    check: (value) => {
      const fault = shape.check(value);
      if (fault) return fault;
      const { length } = value as string;
      return length >= minLength && length <= maxLength ? undefined : { path: "", expected };
    },
  };
}

export const flag = leaf<boolean>({ type: "boolean" }, "a boolean", (value) => typeof value === "boolean");
/** There when it is so. */
export const yes = leaf<true>({ const: true }, "true", (value) => value === true);
export const anObject = leaf<{ readonly [name: string]: Json }>({ type: "object" }, "an object", isObject);
export const jsonSchema = leaf<{ readonly [key: string]: Json } | boolean>(
  { type: ["object", "boolean"] },
  "a JSON Schema",
  (value) => typeof value === "boolean" || isObject(value),
);
export const sha256 = leaf<string>(
  { type: "string", pattern: "^[0-9a-f]{64}$" },
  "a sha256 in hexadecimal",
  (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
);

/** `maximum`: for what is kept in a column of PostgreSQL. */
export function integer(minimum: number, maximum?: number): Shape<number> {
  const holds = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= minimum && (value as number) <= (maximum ?? Infinity);
  return maximum === undefined
    ? leaf({ type: "integer", minimum }, `an integer from ${minimum}`, holds)
    : leaf({ type: "integer", minimum, maximum }, `an integer from ${minimum} to ${maximum}`, holds);
}

export function number(minimum?: number, maximum?: number): Shape<number> {
  const bounds = {
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
  const expected = minimum === undefined ? "a number" : `a number from ${minimum} to ${maximum ?? "any"}`;
  const holds = (value: unknown): boolean =>
    typeof value === "number" && !(value < (minimum ?? -Infinity)) && !(value > (maximum ?? Infinity));
  return leaf({ type: "number", ...bounds }, expected, holds);
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Shape<Value> {
  return leaf({ enum: values }, `one of ${values.join(", ")}`, (value) => values.includes(value as Value));
}

export function list<T>(items: Shape<T>): Shape<readonly T[]> {
  return {
    schema: { type: "array", items: items.schema },
    check: (value) => {
      if (!Array.isArray(value)) return { path: "", expected: "a list" };
      for (let index = 0; index < value.length; index += 1) {
        const fault = items.check(value[index]);
        if (fault) return below(index, fault);
      }
      return undefined;
    },
  };
}

/** Any names, or names of one shape; values of one shape. */
export function mapOf<T>(values: Shape<T>, names?: Shape): Shape<{ readonly [name: string]: T }> {
  return {
    schema: {
      type: "object",
      ...(names ? { propertyNames: names.schema } : {}),
      additionalProperties: values.schema,
    },
    check: (value) => {
      if (!isObject(value)) return { path: "", expected: "an object" };
      for (const name of Object.keys(value)) {
        const fault = names?.check(name) ?? values.check(value[name]);
        if (fault) return below(name, fault);
      }
      return undefined;
    },
  };
}

interface Members {
  readonly [name: string]: Shape;
}

type ObjectOf<Required, Optional> = {
  readonly [Name in keyof (MembersOf<Required> & Partial<MembersOf<Optional>>)]: (MembersOf<Required> &
    Partial<MembersOf<Optional>>)[Name];
};
type MembersOf<All> = { readonly [Name in keyof All]: TypeOf<All[Name]> };

/** What an object is made of, so that others can have it and more. */
export interface ObjectShape<Required, Optional> extends Shape<ObjectOf<Required, Optional>> {
  readonly required: Required;
  readonly optional: Optional;
}

/** All of `required` are there; those of `optional` have their shape when they are. Others pass. */
export function object<const Required extends Members, const Optional extends Members = {}>(
  required: Required,
  optional: Optional = {} as Optional,
): ObjectShape<Required, Optional> {
  const must = Object.entries(required);
  const may = Object.entries(optional);
  const properties = Object.fromEntries([...must, ...may].map(([name, shape]) => [name, shape.schema]));
  return {
    required,
    optional,
    schema: { type: "object", properties, required: Object.keys(required) },
    check: (value) => {
      if (!isObject(value)) return { path: "", expected: "an object" };
      for (const [name, shape] of must) {
        const fault = shape.check(value[name]);
        if (fault) return below(name, fault);
      }
      for (const [name, shape] of may) {
        const fault = value[name] === undefined ? undefined : shape.check(value[name]);
        if (fault) return below(name, fault);
      }
      return undefined;
    },
  };
}

/** Members that are not named are refused: what a person writes may be misspelt. */
export function closed<T>(shape: Shape<T>): Shape<T> {
  const names = Object.keys((shape.schema["properties"] as object | undefined) ?? {});
  return {
    schema: { ...shape.schema, additionalProperties: false },
    check: (value) => {
      const fault = shape.check(value);
      if (fault || !isObject(value)) return fault;
      const unknown = Object.keys(value).find((name) => !names.includes(name));
      return unknown === undefined
        ? undefined
        : below(unknown, { path: "", expected: `no such member, but only ${names.join(", ")}` });
    },
  };
}

/** Anything that JSON can carry. */
export const anyJson = leaf<Json>({}, "a JSON value", (value) => value !== undefined);

/** That, or nothing at all. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return {
    schema: { anyOf: [shape.schema, { type: "null" }] },
    check: (value) => (value === null ? undefined : shape.check(value)),
  };
}

/** The first of these that it is. */
export function either<A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> {
  return {
    schema: { anyOf: [first.schema, second.schema] },
    check: (value) => (first.check(value) === undefined ? undefined : second.check(value)),
  };
}

/** `present`, or `other` when that member is absent. */
export function memberOr(present: string, other: Shape): Shape {
  return {
    schema: { type: "object", anyOf: [{ required: [present] }, other.schema] },
    check: (value) => (isObject(value) && value[present] !== undefined ? undefined : other.check(value)),
  };
}

/** One of several objects, told apart by their member `kind`. */
export function byKind<const Kinds extends Members>(
  kinds: Kinds,
): Shape<{ [Kind in keyof Kinds]: { readonly kind: Kind } & TypeOf<Kinds[Kind]> }[keyof Kinds]> {
  const schemas = Object.entries(kinds).map(([kind, shape]) => withKind(kind, shape).schema);
  return {
    schema: { type: "object", required: ["kind"], oneOf: schemas },
    check: (value) => {
      const kind = isObject(value) ? value["kind"] : undefined;
      const shape = typeof kind === "string" && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
      return shape
        ? shape.check(value)
        : { path: "/kind", expected: `one of ${Object.keys(kinds).join(", ")}` };
    },
  };
}

/** An object that also says its kind. */
export function withKind<const Kind extends string, T>(
  kind: Kind,
  shape: Shape<T>,
): Shape<{ readonly kind: Kind } & T> {
  const properties = { kind: { const: kind }, ...(shape.schema["properties"] as object | undefined) };
  const required = ["kind", ...((shape.schema["required"] as readonly string[] | undefined) ?? [])];
  return { schema: { ...shape.schema, properties, required }, check: shape.check };
}

function below(step: string | number, fault: Fault): Fault {
  return { path: `/${step}${fault.path}`, expected: fault.expected };
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
