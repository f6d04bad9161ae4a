/**
 * What is given by name on the command line: a run's parameters, an approval's form. It is converted by a JSON Schema; the server
 * judges the result.
 */
import { readFileSync } from "node:fs";
import { formatPath, MillraceError, nearestName, type Json, type JsonSchema } from "@millrace/core";

export interface ParamOptions {
  /** `--params`: JSON, or `@file`. */
  readonly params?: string;
  /** `--param name=value`, in order. */
  readonly param?: { readonly [name: string]: string };
}

/** How the two options are called, and what they hold. */
export interface ParamWords {
  readonly one: string;
  readonly whole: string;
  readonly owner: string;
  readonly thing: string;
  readonly code: "MILLRACE_PARAMS_INVALID" | "MILLRACE_FORM_INVALID";
}

export const paramWords: ParamWords = {
  one: "--param",
  whole: "--params",
  owner: "The pipeline",
  thing: "parameter",
  code: "MILLRACE_PARAMS_INVALID",
};

/** `undefined` when none were given. Single values win over the JSON. */
export function readParams(
  options: ParamOptions,
  schema: JsonSchema | undefined,
  pathOf: (name: string) => string,
  words: ParamWords = paramWords,
): Json | undefined {
  const whole = options.params === undefined ? undefined : readJson(options.params, pathOf, words);
  const single = Object.entries(options.param ?? {});
  if (single.length === 0) return whole;
  if (whole !== undefined && (whole === null || typeof whole !== "object" || Array.isArray(whole))) {
    throw invalid(
      words,
      `\`${words.one}\` adds to an object, and \`${words.whole}\` is none.`,
      "Use one of the two.",
    );
  }
  const properties = propertiesOf(schema);
  const converted: { [name: string]: Json } = { ...(whole as { [name: string]: Json } | undefined) };
  for (const [name, text] of single) {
    if (properties.known && !Object.hasOwn(properties.of, name) && properties.closed)
      refuseName(name, properties.of, words);
    converted[name] = convert(name, text, typesOf(properties.of[name], schema), words);
  }
  return converted;
}

const combinators = ["anyOf", "oneOf", "allOf"];

interface Properties {
  readonly of: { readonly [name: string]: JsonSchema };
  readonly known: boolean;
  /** Nothing else may be given, or it would be without effect. */
  readonly closed: boolean;
}

/** What the schema says of names: its own properties, and those of what it refers to or combines. */
function propertiesOf(schema: JsonSchema | undefined): Properties {
  if (schema === undefined || typeof schema === "boolean") return { of: {}, known: false, closed: false };
  const of: { [name: string]: JsonSchema } = {};
  let isOpen = false;
  for (const part of partsOf(schema, schema)) {
    const { additionalProperties } = part;
    if (additionalProperties !== undefined && additionalProperties !== false) isOpen = true;
    for (const [name, property] of Object.entries((part["properties"] ?? {}) as typeof of)) {
      of[name] = of[name] === undefined ? property : { anyOf: [of[name], property] };
    }
  }
  return { of, known: true, closed: !isOpen };
}

/** The schema and all that it refers to or combines, for the same value. */
function partsOf(
  schema: JsonSchema | undefined,
  root: JsonSchema,
  depth = 0,
): readonly { readonly [key: string]: Json }[] {
  if (schema === undefined || typeof schema === "boolean" || depth > 8) return [];
  const reference = schema["$ref"];
  const referred = typeof reference === "string" ? [resolve(reference, root)] : [];
  const combined = combinators.flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []));
  return [
    schema,
    ...[...referred, ...(combined as JsonSchema[])].flatMap((part) => partsOf(part, root, depth + 1)),
  ];
}

/** One value as the property's schema has it. Throws what `words` says when it can't be one. */
export function convertOne(name: string, text: string, schema: JsonSchema, words: ParamWords): Json {
  return convert(name, text, typesOf(propertiesOf(schema).of[name], schema), words);
}

function refuseName(name: string, properties: Properties["of"], words: ParamWords): never {
  const names = Object.keys(properties);
  const near = nearestName(name, names);
  const all = names.length === 0 ? `${words.owner} takes none.` : `It takes: ${names.join(", ")}.`;
  throw invalid(
    words,
    `${words.owner} has no ${words.thing} \`${name}\`.`,
    near === undefined ? all : `Did you mean \`${near}\`? ${all}`,
  );
}

/** The JSON types that a schema allows, through `$ref` and alternatives; empty when it does not say. */
function typesOf(schema: JsonSchema | undefined, root: JsonSchema | undefined): ReadonlySet<string> {
  const types = new Set<string>();
  for (const part of root === undefined ? [] : partsOf(schema, root)) {
    const { type } = part;
    const named = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string");
    const values = [
      ...(Array.isArray(part["enum"]) ? part["enum"] : []),
      ...("const" in part ? [part["const"]] : []),
    ].map((value) => (value === null ? "null" : typeof value));
    for (const one of named.length > 0 ? named : values) types.add(one);
  }
  return types;
}

function resolve(reference: string, root: JsonSchema | undefined): JsonSchema | undefined {
  let place: Json | undefined = root;
  for (const step of reference
    .replace(/^#\/?/, "")
    .split("/")
    .filter((part) => part !== "")) {
    if (place === null || typeof place !== "object" || Array.isArray(place)) return undefined;
    place = (place as { readonly [key: string]: Json })[step.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return place as JsonSchema | undefined;
}

function convert(name: string, text: string, types: ReadonlySet<string>, words: ParamWords): Json {
  if ((types.has("number") || types.has("integer")) && text.trim() !== "" && Number.isFinite(Number(text))) {
    return Number(text);
  }
  if (types.has("boolean") && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (types.has("null") && text === "null") return null;
  if ((types.has("array") || types.has("object")) && /^\s*[[{]/.test(text))
    return parse(text, `\`${words.one} ${name}\``, words);
  if (types.has("string")) return text;
  if (types.size === 0) return lenient(text);
  const wanted = [...types].map((type) => (type === "integer" ? "a whole number" : `a ${type}`)).join(" or ");
  const fault = `must be ${wanted.replace(/\ba ([ao])/g, "an $1")}, found ${JSON.stringify(text)}`;
  const issues = [{ path: formatPath([name]), message: fault }];
  throw invalid(words, `\`${name}\` ${fault}.`, undefined, { issues });
}

/** Without a schema: JSON when it is a number, a boolean, null, a list or an object; else text. */
function lenient(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function readJson(given: string, pathOf: (name: string) => string, words: ParamWords): Json {
  const what = `\`${words.whole}\``;
  if (!given.startsWith("@")) return parse(given, what, words);
  const path = given === "@-" ? 0 : pathOf(given.slice(1));
  try {
    return parse(readFileSync(path, "utf8"), `${what} (${given.slice(1)})`, words);
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw invalid(words, `${what} names a file that can't be read: ${(cause as Error).message}.`);
  }
}

function parse(text: string, what: string, words: ParamWords): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw invalid(
      words,
      `${what} is not JSON: ${(cause as Error).message}.`,
      'Quote it for the shell: \'{"day": "2026-01-01"}\'.',
    );
  }
}

function invalid(
  { code }: ParamWords,
  message: string,
  advice?: string,
  fields: { readonly [name: string]: unknown } = {},
): MillraceError {
  return new MillraceError(code, {
    message,
    fields,
    ...(advice === undefined ? {} : { advice }),
  });
}
