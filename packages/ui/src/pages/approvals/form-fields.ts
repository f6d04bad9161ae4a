/**
 * The fields of a form, from its JSON Schema: text, numbers, yes or no, choices, dates, lists of text. What is none of these is
 * entered as JSON.
 */
import type { Json, JsonSchema } from "@millrace/core";

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
  | "json";

export interface FormField {
  /** Absent: the form as a whole is one value. */
  readonly name: string | undefined;
  readonly label: string;
  readonly help: string | undefined;
  readonly kind: FieldKind;
  readonly isRequired: boolean;
  /** What stands there at first. */
  readonly initial: string;
  /** Of a choice. */
  readonly choices: readonly Json[];
  readonly least: number | undefined;
  readonly most: number | undefined;
}

/** What was entered, by the names of fields; the empty name stands for the whole form. */
export type Entered = { readonly [name: string]: string };

type Schema = { readonly [member: string]: Json | undefined };

const longText = 200;

export function fieldsOf(schema: JsonSchema): readonly FormField[] {
  if (typeof schema === "boolean") return [fieldOf(undefined, {}, true)];
  const { type, properties } = schema as Schema;
  if (type !== "object" || !isObject(properties)) return [fieldOf(undefined, schema, true)];
  const required = (schema as Schema)["required"];
  return Object.entries(properties).map(([name, property]) =>
    fieldOf(name, isObject(property) ? property : {}, Array.isArray(required) && required.includes(name)),
  );
}

function fieldOf(name: string | undefined, schema: Schema, isRequired: boolean): FormField {
  const { title, description, default: preset } = schema;
  const kind = kindOf(schema);
  const choices = Array.isArray(schema["enum"]) ? schema["enum"] : [];
  return {
    name,
    label: typeof title === "string" ? title : (name ?? "The form, as JSON"),
    help: typeof description === "string" ? description : undefined,
    kind,
    isRequired: isRequired && preset === undefined,
    initial: preset === undefined ? "" : textOf(kind, preset, choices),
    choices,
    least: numberOf(schema["minimum"]),
    most: numberOf(schema["maximum"]),
  };
}

function kindOf({ type, enum: choices, format, items, maxLength }: Schema): FieldKind {
  if (Array.isArray(choices) && choices.length > 0) return "choice";
  switch (type) {
    case "string":
      if (format === "date") return "date";
      if (format === "date-time") return "time";
      return typeof maxLength === "number" && maxLength <= longText
        ? "text"
        : isLong(format, maxLength)
          ? "long"
          : "text";
    case "number":
      return "number";
    case "integer":
      return "integer";
    case "boolean":
      return "flag";
    case "array":
      return isObject(items) && items["type"] === "string" && !Array.isArray(items["enum"])
        ? "texts"
        : "json";
    default:
      return "json";
  }
}

function isLong(format: Json | undefined, maxLength: Json | undefined): boolean {
  return format === undefined && typeof maxLength === "number" && maxLength > longText;
}

function textOf(kind: FieldKind, value: Json, choices: readonly Json[]): string {
  switch (kind) {
    case "texts":
      return Array.isArray(value) ? value.join("\n") : "";
    case "json":
      return JSON.stringify(value, null, 2);
    case "choice":
      return String(choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value)));
    default:
      return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}

export function keyOf({ name }: FormField): string {
  return name ?? "";
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
  const values: { [name: string]: Json } = {};
  for (const field of fields) {
    const text = entered[keyOf(field)] ?? "";
    const found = readOne(field, text);
    if (found === undefined) continue;
    if ("fault" in found) faults[keyOf(field)] = found.fault;
    // `__proto__` is a name like any other.
    else Object.defineProperty(values, keyOf(field), { value: found.value, enumerable: true });
  }
  if (Object.keys(faults).length > 0) return { faults };
  return { value: fields[0]?.name === undefined && fields.length === 1 ? (values[""] ?? null) : values };
}

function readOne(
  { kind, isRequired, choices }: FormField,
  text: string,
): { readonly value: Json } | { readonly fault: string } | undefined {
  if (kind === "flag") return { value: text === "true" };
  if (text.trim() === "" && kind !== "text" && kind !== "long")
    return isRequired ? { fault: "This is needed." } : undefined;
  switch (kind) {
    case "text":
    case "long":
      if (text !== "") return { value: text };
      return isRequired ? { fault: "This is needed." } : undefined;
    case "date":
      return { value: text };
    case "time": {
      const at = new Date(text);
      return Number.isNaN(at.getTime()) ? { fault: "This is no time." } : { value: at.toISOString() };
    }
    case "number":
    case "integer": {
      const number = Number(text);
      if (!Number.isFinite(number)) return { fault: "This is no number." };
      if (kind === "integer" && !Number.isInteger(number)) return { fault: "This must be a whole number." };
      return { value: number };
    }
    case "choice":
      return { value: choices[Number(text)] ?? null };
    case "texts":
      return {
        value: text
          .split("\n")
          .map((line) => line.trim())
          .filter((line) => line !== ""),
      };
    default:
      try {
        return { value: JSON.parse(text) as Json };
      } catch (error) {
        return { fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
      }
  }
}

/** Paths as the server tells them: `$.copies`, `$.lines[0]`. */
export function faultsOf(
  fields: readonly FormField[],
  issues: readonly { readonly path: string; readonly message: string }[],
) {
  const faults: { [name: string]: string } = {};
  const others: string[] = [];
  for (const { path, message } of issues) {
    const field =
      fields.find(({ name }) => name !== undefined && isBelow(path, name)) ??
      fields.find(({ name }) => name === undefined);
    if (field)
      faults[keyOf(field)] =
        faults[keyOf(field)] === undefined ? message : `${faults[keyOf(field)]}; ${message}`;
    else others.push(message);
  }
  return { faults, others };
}

function isBelow(path: string, name: string): boolean {
  const at = `$.${name}`;
  const quoted = `$[${JSON.stringify(name)}]`;
  return [at, quoted].some(
    (start) => path === start || path.startsWith(`${start}.`) || path.startsWith(`${start}[`),
  );
}

function isObject(value: Json | undefined): value is { readonly [member: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
