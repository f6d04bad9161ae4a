/**
 * CEL expressions over an event or over other named JSON values. Compiling tells what is wrong and where; evaluating
 * never throws: what can't be computed is a fault in words, and for a filter that is "no match".
 */
import { unreachable } from "../../assert.ts";
import { MillraceError } from "../../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../../json.ts";
import { expressionCharactersMax, expressionStepsMax } from "../../limits.ts";
import { boundCel, type CelBounds } from "./cel-bounds.ts";
import { conjunctsOf, type CelConjunct } from "./cel-conjuncts.ts";
import { withReadableObjects } from "./cel-readable.ts";
import { failureOf, parseCel, type CelFailure, type CelType, type ParsedCel } from "./cel-library.ts";
import { celPathsOf } from "./cel-paths.ts";
import type { Pattern } from "./pattern.ts";
import type { WhereEvent, WherePath } from "./where.ts";

/** What an expression must give; `json` is anything that JSON has. */
export type CelResult = "bool" | "scalar" | "json";

export interface CelShape {
  /** `filter`, `key`, `mapping`: names the expression in messages. */
  readonly what: string;
  readonly result: CelResult;
  readonly variables: { readonly [name: string]: CelType };
}

export type CelOutcome = { readonly value: unknown } | { readonly fault: string };

export interface CompiledCel {
  /** What stands between the outermost `&&`. */
  readonly conjuncts: readonly CelConjunct[];
  readonly paths: readonly WherePath[];
  evaluate(variables: { readonly [name: string]: unknown }): CelOutcome;
}

export const eventVariables: { readonly [name: string]: CelType } = {
  source: "string",
  id: "string",
  type: "string",
  subject: "dyn",
  time: "timestamp",
  data: "dyn",
  attributes: "map",
};

const filterShape: CelShape = { what: "filter", result: "bool", variables: eventVariables };

/** The event's parts as CEL sees them: a subject that is absent is null, and `time` is a timestamp. */
export function celVariablesOf(event: WhereEvent): { readonly [name: string]: unknown } {
  return {
    source: event.source,
    id: event.id,
    type: event.type,
    subject: event.subject ?? null,
    time: new Date(event.time),
    data: event.data,
    attributes: event.attributes ?? {},
  };
}

/** Validates the text of a filter's expression, which stands at `path`. */
export function parseWhereExpression(text: unknown, path: Path): string {
  if (typeof text !== "string")
    throw invalid(filterShape, text, { message: `expected a text at ${formatPath(path)}` }, path);
  compileCel(text, filterShape, path);
  return text;
}

export function compileFilterCel(text: string): CompiledCel {
  return compileCel(text, filterShape);
}

export function compileCel(text: string, shape: CelShape, path: Path = []): CompiledCel {
  if (text.length > expressionCharactersMax)
    throw invalid(
      shape,
      "",
      { message: `it has ${text.length} characters, and ${expressionCharactersMax} are allowed` },
      path,
    );
  const patterns = new Map<string, Pattern>();
  const parsed = parseCel(text, shape.variables, patterns);
  if ("failure" in parsed) throw invalid(shape, text, parsed.failure, path);
  const { tree } = parsed;
  const conjuncts = conjunctsOf(tree);
  const names = Object.keys(shape.variables);
  const paths = celPathsOf(tree, names);
  const bounds = boundCel(tree, names, patterns);
  if ("fault" in bounds) throw invalid(shape, text, { message: bounds.fault, at: bounds.at }, path);
  const checked = parsed.check();
  if ("failure" in checked) throw invalid(shape, text, checked.failure, path);
  if (!fits(checked.type, shape.result))
    throw invalid(
      shape,
      text,
      { message: `it gives ${withArticle(checked.type)}, and ${wanted[shape.result]} is needed` },
      path,
    );
  return {
    conjuncts,
    paths,
    evaluate: (variables) => {
      if (isTooCostly(bounds, variables))
        return {
          fault: "it costs too much for an event of this size: it walks the event within a walk of the event",
        };
      const outcome = attempt(parsed, bounds.optional ? withReadableObjects(variables) : variables);
      if ("value" in outcome || bounds.optional) return outcome;
      const readable = withReadableObjects(variables);
      return readable === variables ? outcome : attempt(parsed, readable);
    },
  };
}

function attempt(parsed: ParsedCel, variables: { readonly [name: string]: unknown }): CelOutcome {
  try {
    return { value: parsed.evaluate(variables) };
  } catch (error) {
    return { fault: failureOf(error).message };
  }
}

const wanted: { readonly [Result in CelResult]: string } = {
  bool: "true or false",
  scalar: "a text, a number, true or false",
  json: "a value that JSON has",
};

const scalarTypes = ["string", "int", "double", "bool", "dyn"];
const foreignTypes = ["bytes", "type", "uint", "google.protobuf.Duration"];

function fits(type: string, result: CelResult): boolean {
  switch (result) {
    case "bool":
      return type === "bool" || type === "dyn";
    case "scalar":
      return scalarTypes.includes(type);
    case "json":
      return !foreignTypes.includes(type);
    default:
      return unreachable(result);
  }
}

function withArticle(type: string): string {
  return `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
}

function isTooCostly({ degree, size }: CelBounds, variables: { readonly [name: string]: unknown }): boolean {
  if (degree < 2) return false;
  const weightMax = Math.pow(expressionStepsMax / size, 1 / degree);
  return weigh(variables as Json, weightMax) > weightMax;
}

/** Characters of a text that cost as much to look through as one value. */
const charactersPerStep = 16;

/** About how many steps it takes to walk `value`; counts on only until `enough` is passed. */
function weigh(value: Json, enough: number): number {
  let weight = 0;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined && weight <= enough; next = open.pop()) {
    weight += 1;
    if (typeof next === "string") weight += next.length / charactersPerStep;
    else if (next instanceof Date) continue;
    else if (next !== null && typeof next === "object") {
      for (const member of Object.values(next)) open.push(member);
    }
  }
  return weight;
}

function invalid(shape: CelShape, text: unknown, failure: CelFailure, path: Path): MillraceError {
  const place = typeof text === "string" && failure.at !== undefined ? position(text, failure.at) : undefined;
  const where = place ? ` at line ${place.line}, column ${place.column}` : "";
  const end = /[.?]$/.test(failure.message) ? "" : ".";
  const stands = path.length === 0 ? "" : ` at ${formatPath(path)}`;
  return new MillraceError("MILLRACE_EXPRESSION_INVALID", {
    message: `The CEL expression of the ${shape.what}${stands} is wrong${where}: ${failure.message}${end}`,
    fields: { path, ...place },
  });
}

/** Lines and columns count from 1. */
function position(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}
