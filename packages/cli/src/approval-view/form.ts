/** An approval's form: what was given with the command, and what is asked for at a terminal. */
import { MillraceError, type Json, type JsonSchema } from "@millrace/core";
import { convertOne, readParams, type ParamWords } from "../run-view/params.ts";
import { harmless } from "../terminal/format.ts";

export interface FormOptions {
  /** `--form name=value`, in order. */
  readonly form?: { readonly [name: string]: string };
  /** `--form-json`: JSON, or `@file`. */
  readonly formJson?: string;
}

const formWords: ParamWords = {
  one: "--form",
  whole: "--form-json",
  owner: "The form",
  thing: "field",
  code: "MILLRACE_FORM_INVALID",
};

/** `undefined` when nothing was given. */
export function readForm(
  options: FormOptions,
  schema: JsonSchema | undefined,
  pathOf: (name: string) => string,
): Json | undefined {
  const given = {
    ...(options.form === undefined ? {} : { param: options.form }),
    ...(options.formJson === undefined ? {} : { params: options.formJson }),
  };
  return readParams(given, schema, pathOf, formWords);
}

export interface Field {
  readonly name: string;
  readonly isRequired: boolean;
  /** What stands before the place where it is entered. */
  readonly question: string;
}

/** What the form asks for and was not given. */
export function missingFields(schema: JsonSchema | undefined, given: Json | undefined): Field[] {
  if (schema === undefined || typeof schema === "boolean") return [];
  const properties = (schema["properties"] ?? {}) as { readonly [name: string]: JsonSchema };
  const required = (schema["required"] ?? []) as readonly string[];
  return Object.entries(properties)
    .filter(([name]) => !Object.hasOwn((given ?? {}) as object, name))
    .map(([name, property]) => {
      const hasDefault = typeof property === "object" && property["default"] !== undefined;
      const isRequired = required.includes(name) && !hasDefault;
      return { name, isRequired, question: `${harmless(questionOf(name, property, isRequired))}: ` };
    });
}

function questionOf(name: string, property: JsonSchema, isRequired: boolean): string {
  if (typeof property === "boolean") return name;
  const { description, title, type, enum: values, default: preset } = property;
  const told = description ?? title;
  const kind = Array.isArray(values)
    ? values.map(String).join(" | ")
    : typeof type === "string" && type !== "string"
      ? type
      : undefined;
  const notes = [
    kind,
    preset === undefined ? (isRequired ? undefined : "may be empty") : `Enter: ${JSON.stringify(preset)}`,
  ].filter((note) => note !== undefined);
  return `${name}${typeof told === "string" ? `, ${told}` : ""}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
}

/** Asks for each until it can be read; `undefined` when the person leaves. */
export async function askForm(
  schema: JsonSchema,
  given: Json | undefined,
  {
    ask,
    tell,
  }: {
    readonly ask: (question: string) => Promise<string | undefined>;
    readonly tell: (text: string) => void;
  },
): Promise<Json | undefined> {
  const entered: { [name: string]: Json } = { ...(given as { readonly [name: string]: Json } | undefined) };
  for (const field of missingFields(schema, given)) {
    for (let isOpen = true; isOpen;) {
      const text = await ask(field.question);
      if (text === undefined) return undefined;
      isOpen = text === "" && field.isRequired;
      if (text === "") continue;
      try {
        entered[field.name] = convertOne(field.name, text, schema, formWords);
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        tell(error.message);
        isOpen = true;
      }
    }
  }
  return entered;
}
