/**
 * The fields of a form, from its JSON Schema: text, numbers, yes or no, choices, dates, lists, and those of objects within it. What
 * is none of these is entered as JSON.
 */
import type { Json, JsonSchema } from "@millrace/core";
import { choicesOf, isObject, limitsOf, numberOf, resolved, type Schema } from "./form-schema.ts";

export type FieldKind =
  | "text"
  | "long"
  | "number"
  | "integer"
  | "flag"
  | "choice"
  | "date"
  | "time"
  | "texts"
  | "numbers"
  | "picks"
  | "json";

export interface FormField {
  /** Absent: the form as a whole is one value. */
  readonly name: string | undefined;
  /** Names of the objects that it stands in, and its own; none for the form as a whole. */
  readonly path: readonly string[];
  /** Titles of the objects that it stands in. */
  readonly groups: readonly string[];
  readonly label: string;
  readonly help: string | undefined;
  readonly kind: FieldKind;
  readonly isRequired: boolean;
  /** Left empty, it is null. */
  readonly isNullable: boolean;
  /** How many of the objects that it stands in may be left out: their lengths as paths. */
  readonly optionalAt: readonly number[];
  /** What stands there at first. */
  readonly initial: string;
  /** Of a choice, and of what is picked from. */
  readonly choices: readonly Json[];
  readonly least: number | undefined;
  readonly most: number | undefined;
  /** Other bounds, in words. */
  readonly limits: readonly string[];
  /** What JSON might look like. */
  readonly example: string | undefined;
}

/** What was entered, by the names of fields; the empty name stands for the whole form. */
export type Entered = { readonly [name: string]: string };

const longText = 200;
/** Objects in objects are entered as JSON from there on. */
const depthMax = 4;
/** No name has it. */
const between = "\u001F";

export function fieldsOf(form: JsonSchema): readonly FormField[] {
  if (typeof form === "boolean") return [fieldOf({}, { path: [], groups: [], optionalAt: [] }, true, false)];
  const { schema } = "$ref" in form ? resolved(form, form) : { schema: form as Schema };
  if (schema["type"] !== "object" || !isObject(schema["properties"]))
    return [fieldOf(schema, { path: [], groups: [], optionalAt: [] }, true, false)];
  return within(schema, { path: [], groups: [], optionalAt: [] }, form);
}

type Place = Pick<FormField, "path" | "groups" | "optionalAt">;

function within(object: Schema, { path, groups, optionalAt }: Place, root: JsonSchema): FormField[] {
  const required = object["required"];
  return Object.entries(object["properties"] as Schema).flatMap(([name, property]) => {
    const { schema, isNullable } = resolved(property, root);
    const isRequired = Array.isArray(required) && required.includes(name);
    const place = { path: [...path, name], groups, optionalAt };
    const { properties, title, default: preset } = schema;
    const isNested =
      schema["type"] === "object" && isObject(properties) && Object.keys(properties).length > 0;
    if (!isNested || preset !== undefined || place.path.length >= depthMax)
      return [fieldOf(schema, place, isRequired, isNullable)];
    return within(
      schema,
      {
        path: place.path,
        groups: [...groups, typeof title === "string" ? title : name],
        optionalAt: isRequired && !isNullable ? optionalAt : [...optionalAt, place.path.length],
      },
      root,
    );
  });
}

function fieldOf(schema: Schema, place: Place, isRequired: boolean, isNullable: boolean): FormField {
  const { title, description, default: preset } = schema;
  const kind = kindOf(schema);
  const choices = kind === "picks" ? choicesOf(schema["items"] as Schema) : choicesOf(schema);
  const name = place.path.at(-1);
  return {
    ...place,
    name,
    label: typeof title === "string" ? title : (name ?? "The form, as JSON"),
    help: typeof description === "string" ? description : undefined,
    kind,
    isRequired: isRequired && !isNullable && preset === undefined,
    isNullable: isNullable && isRequired && preset === undefined,
    initial: preset === undefined ? "" : textOf(kind, preset, choices),
    choices,
    least: numberOf(schema["minimum"]),
    most: numberOf(schema["maximum"]),
    limits: limitsOf(schema),
    example: kind === "json" ? exampleOf(schema) : undefined,
  };
}

function kindOf(schema: Schema): FieldKind {
  const { type, format, items, maxLength } = schema;
  if (choicesOf(schema).length > 0) return "choice";
  switch (type) {
    case "string":
      if (format === "date") return "date";
      if (format === "date-time") return "time";
      return format === undefined && typeof maxLength === "number" && maxLength > longText ? "long" : "text";
    case "number":
      return "number";
    case "integer":
      return "integer";
    case "boolean":
      return "flag";
    case "array":
      return listKindOf(isObject(items) ? items : {});
    default:
      return "json";
  }
}

function listKindOf(items: Schema): FieldKind {
  if (choicesOf(items).length > 0) return "picks";
  if (items["type"] === "string") return "texts";
  if (items["type"] === "number" || items["type"] === "integer") return "numbers";
  return "json";
}

/** Its members, empty. */
function exampleOf(schema: Schema): string | undefined {
  const { type, items, properties } = schema;
  const object = (of: Json | undefined): string =>
    isObject(of)
      ? `{ ${Object.keys(of)
          .map((name) => `${JSON.stringify(name)}: …`)
          .join(", ")} }`
      : "{ … }";
  if (type === "array")
    return isObject(items) && isObject(items["properties"]) ? `[${object(items["properties"])}]` : "[ … ]";
  return type === "object" && isObject(properties) && Object.keys(properties).length > 0
    ? object(properties)
    : undefined;
}

function textOf(kind: FieldKind, value: Json, choices: readonly Json[]): string {
  switch (kind) {
    case "texts":
    case "numbers":
      return Array.isArray(value) ? value.join("\n") : "";
    case "picks":
      return Array.isArray(value) ? value.map((one) => indexOf(choices, one)).join(",") : "";
    case "json":
      return JSON.stringify(value, null, 2);
    case "choice":
      return String(indexOf(choices, value));
    default:
      return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}

function indexOf(choices: readonly Json[], value: Json): number {
  return choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value));
}

export function keyOf({ path }: Pick<FormField, "path">): string {
  return path.join(between);
}

export function initially(fields: readonly FormField[]): Entered {
  return Object.fromEntries(fields.map((field) => [keyOf(field), field.initial]));
}

/** What is sent: fields that are empty and need not be filled are left out. What can't be read is told by its field. */
export function read(
  fields: readonly FormField[],
  entered: Entered,
): { readonly value: Json } | { readonly faults: Entered } {
  const faults: { [name: string]: string } = {};
  const values: Values = {};
  const begun = new Set(
    fields
      .filter((field) => (entered[keyOf(field)] ?? "") !== field.initial)
      .flatMap(({ path, optionalAt }) => optionalAt.map((length) => path.slice(0, length).join(between))),
  );
  for (const field of fields) {
    // Of an object that may be left out nothing is asked for until something of it was entered.
    const { path, optionalAt } = field;
    if (optionalAt.some((length) => !begun.has(path.slice(0, length).join(between)))) continue;
    const found = readOne(field, entered[keyOf(field)] ?? "");
    if (found === undefined) continue;
    if ("fault" in found) faults[keyOf(field)] = found.fault;
    else put(values, path, found.value);
  }
  if (Object.keys(faults).length > 0) return { faults };
  return { value: fields[0]?.name === undefined && fields.length === 1 ? (values[""] ?? null) : values };
}

interface Values {
  [name: string]: Json;
}

function put(values: Values, path: readonly string[], value: Json): void {
  let place = values;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(place, name)) set(place, name, {});
    place = place[name] as Values;
  }
  set(place, path.at(-1) ?? "", value);
}

/** `__proto__` is a name like any other. */
function set(place: Values, name: string, value: Json): void {
  Object.defineProperty(place, name, { value, enumerable: true });
}

type Read = { readonly value: Json } | { readonly fault: string } | undefined;

function readOne(field: FormField, text: string): Read {
  const { kind, isRequired, isNullable, choices } = field;
  if (kind === "flag") return { value: text === "true" };
  if (text.trim() === "" && !(text !== "" && (kind === "text" || kind === "long"))) {
    if (isNullable) return { value: null };
    return isRequired ? { fault: "This is needed." } : undefined;
  }
  switch (kind) {
    case "text":
    case "long":
    case "date":
      return { value: text };
    case "time": {
      const at = new Date(text);
      return Number.isNaN(at.getTime()) ? { fault: "This is no time." } : { value: at.toISOString() };
    }
    case "number":
    case "integer":
      return numberIn(text, kind === "integer");
    case "choice":
      return { value: choices[Number(text)] ?? null };
    case "picks":
      return { value: text.split(",").map((at) => choices[Number(at)] ?? null) };
    case "texts":
      return { value: linesOf(text) };
    case "numbers":
      return numbersIn(text);
    default:
      try {
        return { value: JSON.parse(text) as Json };
      } catch (error) {
        return { fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
      }
  }
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function numberIn(text: string, isWhole: boolean): { readonly value: number } | { readonly fault: string } {
  const value = Number(text);
  if (!Number.isFinite(value)) return { fault: "This is no number." };
  return isWhole && !Number.isInteger(value) ? { fault: "This must be a whole number." } : { value };
}

function numbersIn(text: string): Read {
  const values = linesOf(text).map(Number);
  return values.every(Number.isFinite) ? { value: values } : { fault: "These are not numbers, one a line." };
}

/** Paths as the server tells them: `$.copies`, `$.lines[0]`, `$.address.zip`. What is missing in an object stands by its first field. */
export function faultsOf(
  fields: readonly FormField[],
  issues: readonly { readonly path: string; readonly message: string }[],
) {
  const faults: { [name: string]: string } = {};
  const others: string[] = [];
  for (const { path, message } of issues) {
    const field =
      fields
        .filter((one) => one.path.length > 0 && isBelow(path, one.path))
        .toSorted((a, b) => b.path.length - a.path.length)[0] ??
      fields.find(({ name }) => name === undefined);
    if (field)
      faults[keyOf(field)] =
        faults[keyOf(field)] === undefined ? message : `${faults[keyOf(field)]}; ${message}`;
    else others.push(message);
  }
  return { faults, others };
}

function isBelow(path: string, names: readonly string[]): boolean {
  let rest = path.slice(1);
  for (const name of names) {
    const step = [`.${name}`, `[${JSON.stringify(name)}]`].find((text) => rest.startsWith(text));
    if (step === undefined) return false;
    rest = rest.slice(step.length);
    if (rest !== "" && !rest.startsWith(".") && !rest.startsWith("[")) return false;
  }
  return true;
}
