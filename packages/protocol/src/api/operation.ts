/**
 * Operations of `/api/v1` as data: the server checks requests by them, documents are made of them, and clients take their types
 * from them. What is not told here does not exist.
 */
import { parseEventTime } from "@millrace/core";
import { isStorable, type Shape, type TypeOf } from "../shape.ts";

/** A page, when the request does not say. */
export const pageSize = 100;
export const pageSizeMax = 1_000;

/** One name in a query. `Given` is what clients write, `Read` what the server has of it. */
export interface Parameter<Given = unknown, Read = unknown> {
  readonly description: string;
  readonly schema: Shape["schema"];
  readonly isRequired?: boolean;
  /** What stands in its place when it is absent. */
  readonly absent?: Read;
  /** The value, or what was expected. */
  read(this: void, text: string): { readonly value: Read } | { readonly expected: string };
  /** Never there: for the compiler. */
  readonly given?: Given;
}

export interface Parameters {
  readonly [name: string]: Parameter;
}

export interface Operation {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  /** Below `/api/v1`, with `:name` for its parts. */
  readonly path: string;
  readonly summary: string;
  /** Schemas of the path's parts that are not any text. */
  readonly parts?: { readonly [name: string]: Shape["schema"] };
  readonly query?: Parameters;
  readonly body?: Shape;
  /** Bodies that the server reads itself, as bytes, by their media types: in place of `body`. */
  readonly rawBodies?: { readonly [mediaType: string]: Shape };
  /** JSON; absent of what answers otherwise. */
  readonly answer?: Shape;
  /** JSON, too, where the body has `preview: true`: what it would do. Then nothing is done. */
  readonly preview?: Shape;
  /** The media types of an answer that is no JSON. */
  readonly answersWith?: readonly string[];
  /** Other statuses with which it answers when all is well, with what they mean. */
  readonly also?: { readonly [status: number]: string };
}

/** Keeps what an operation says, to the letter, for the compiler. */
export function operation<const Told extends Operation>(told: Told): Told {
  return told;
}

export type AnswerOf<Told extends Operation> = Told extends { readonly answer: infer S } ? TypeOf<S> : void;
export type PreviewOf<Told extends Operation> = Told extends { readonly preview: infer S }
  ? TypeOf<S>
  : never;
export type BodyOf<Told extends Operation> = Told extends { readonly body: infer S }
  ? TypeOf<S>
  : Told extends { readonly rawBodies: object }
    ? unknown
    : undefined;
/** What clients write into the query. */
export type GivenQuery<Told extends Operation> = Told extends { readonly query: infer All }
  ? { readonly [Name in keyof All]?: (All[Name] extends Parameter<infer Given> ? Given : never) | undefined }
  : { readonly [name: string]: never };
/** What the server has of the query. */
export type ReadQuery<Told extends Operation> = Told extends { readonly query: infer All }
  ? {
      readonly [Name in keyof All]: All[Name] extends Parameter<unknown, infer Read>
        ? All[Name] extends { readonly isRequired: true } | { readonly absent: Read }
          ? Read
          : Read | undefined
        : never;
    }
  : { readonly [name: string]: never };
/** What `fields` may name: members of the items of a list, or of the answer itself; none where an answer is of several kinds. */
export function fieldsOf({ method, answer }: Operation): readonly string[] {
  if (method !== "GET" || !answer) return [];
  const own = answer.schema["properties"] as Properties | undefined;
  const items = (own?.["items"] as { readonly items?: Shape["schema"] } | undefined)?.items;
  return Object.keys((items ? (items["properties"] as Properties | undefined) : own) ?? {});
}
type Properties = { readonly [name: string]: unknown };

/** Names of a path's parts. */
export type PartsOf<Path extends string> = Path extends `${infer First}/${infer Rest}`
  ? PartsOf<First> | PartsOf<Rest>
  : Path extends `:${infer Name}`
    ? Name
    : never;

export function textParameter(description: string): Parameter<string, string> {
  return {
    description,
    schema: { type: "string" },
    read: (value) =>
      isStorable(value) ? { value } : { expected: "text without U+0000 and halves of surrogate pairs" },
  };
}

export function patternParameter(description: string, pattern: string): Parameter<string, string> {
  return { ...textParameter(description), schema: { type: "string", pattern } };
}

/** A required one. */
export function needed<Given, Read>(
  parameter: Parameter<Given, Read>,
): Parameter<Given, Read> & { readonly isRequired: true } {
  return { ...parameter, isRequired: true };
}

export function numberParameter(
  description: string,
  minimum: number,
  maximum: number,
): Parameter<number | string, number> {
  return {
    description,
    schema: { type: "integer", minimum, maximum },
    read: (text) => {
      const value = Number(text);
      return /^\d{1,16}$/.test(text) && value >= minimum && value <= maximum
        ? { value }
        : { expected: `a whole number from ${minimum} to ${maximum}` };
    },
  };
}

/** Read as ms since 1970. */
export function timeParameter(description: string): Parameter<string, number> {
  return {
    description,
    schema: { type: "string", format: "date-time" },
    read: (text) => {
      const value = parseEventTime(text);
      return value === undefined
        ? { expected: "a time as RFC 3339 has it, such as 2026-01-31T06:00:00Z" }
        : { value };
    },
  };
}

/** Its name alone is as good as `true`. */
export function flagParameter(
  description: string,
  absent = false,
): Parameter<boolean | "true" | "false", boolean> & { readonly absent: boolean } {
  return {
    description,
    absent,
    schema: { type: "boolean" },
    read: (text) =>
      text === "true" || text === ""
        ? { value: true }
        : text === "false"
          ? { value: false }
          : { expected: "true or false" },
  };
}

/** `values` stand in the parameter's schema, by which a wrong one gets its nearest. */
export function choiceParameter<const Value extends string>(
  description: string,
  values: readonly Value[],
): Parameter<Value, Value> {
  return {
    description,
    schema: { type: "string", enum: values },
    read: (text) => {
      const value = values.find((known) => known === text);
      return value === undefined ? { expected: `one of ${values.join(", ")}` } : { value };
    },
  };
}

export const eventStream = ["text/event-stream"] as const;
export const bytes = ["application/octet-stream"] as const;

/** Where a page goes on, and how much of it. */
export const cursor = textParameter("`nextCursor` of the page before");
export function limit(
  description = "how many at most",
  maximum = pageSizeMax,
  absent = Math.min(maximum, pageSize),
): Parameter<number | string, number> & { readonly absent: number } {
  return { ...numberParameter(description, 1, maximum), absent };
}
export const paging = { cursor, limit: limit() };
