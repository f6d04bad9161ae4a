/** Parameters of runs against their pipeline's JSON Schema: the same words wherever they are checked. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { formatPath, memberName, MillraceError, type Json, type JsonSchema, type Path } from "@millrace/core";

export type { ValidateFunction };

/** Issues listed in one answer: more help nobody. */
const issuesMax = 50;

export interface ParamsIssue {
  readonly path: string;
  readonly message: string;
}

/** The parameters with the schema's defaults. Throws MILLRACE_PARAMS_INVALID with all issues. */
export function checkParams(validate: ValidateFunction, pipeline: string, params: Json): Json {
  const issues = findIssues(validate, params);
  if (issues.length === 0) return params;
  throw new MillraceError("MILLRACE_PARAMS_INVALID", {
    message: tellIssues(issues, "the parameters"),
    fields: { pipeline, issues },
  });
}

/** As a sentence: `` `copies` must be a whole number, found "x"; `note` is missing ``. `whole` names the value itself. */
export function tellIssues(issues: readonly ParamsIssue[], whole: string): string {
  const told = issues.map(
    ({ path, message }) => `${path === "$" ? whole : `\`${memberName(path)}\``} ${message}`,
  );
  const text = `${told.join("; ")}.`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** What is wrong with a value; nothing: it fits, and has the schema's defaults. */
export function findIssues(validate: ValidateFunction, value: Json): ParamsIssue[] {
  if (validate(value)) return [];
  const issues = schemaIssuesOf(validate.errors ?? [], "is not a parameter");
  return issues.map(({ path, message }) => ({ path: formatPath(path), message }));
}

/** An instance per schema: schemas of different pipelines may have one `$id`. Throws what Ajv throws of a faulty one. */
export function compileSchema(
  schema: JsonSchema,
  use: SchemaUse = { useDefaults: true, allErrors: true },
): ValidateFunction {
  const ajv = new Ajv2020({ ...use, strict: false, validateFormats: false, verbose: true });
  return ajv.compile(schema);
}

export interface SchemaUse {
  /** Puts the schema's defaults into what is validated. */
  readonly useDefaults: boolean;
  /** False stops at the first fault: what comes from strangers may have any number of them. */
  readonly allErrors: boolean;
}

export interface SchemaIssue {
  readonly path: Path;
  readonly message: string;
}

/** At most `issuesMax`. `undeclared`: what is said of a property that the schema does not have. */
export function schemaIssuesOf(errors: readonly ErrorObject[], undeclared: string): SchemaIssue[] {
  // That no alternative fits is said by what is wrong with each of them.
  const told = errors.filter(({ keyword }) => keyword !== "anyOf" && keyword !== "oneOf");
  const issues = (told.length > 0 ? told : errors).map((error) => {
    const missing: unknown = error.params["missingProperty"] ?? error.params["additionalProperty"];
    const path = pathOf(error.instancePath);
    return {
      path: typeof missing === "string" ? [...path, missing] : path,
      message: messageOf(error, undeclared),
    };
  });
  const different = new Map(issues.map((issue) => [`${formatPath(issue.path)} ${issue.message}`, issue]));
  return [...different.values()].slice(0, issuesMax);
}

/** What a value must be, and is; other words than Ajv's only where those are a schema's and not a person's. */
function messageOf(error: ErrorObject, undeclared: string): string {
  const { keyword, params, data, parentSchema } = error;
  const format: unknown = parentSchema?.["format"];
  switch (keyword) {
    case "required":
      return "is missing";
    case "additionalProperties":
      return undeclared;
    case "enum":
      return `must be one of ${JSON.stringify(params["allowedValues"])}, found ${show(data)}`;
    case "const":
      return `must be ${JSON.stringify(params["allowedValue"])}, found ${show(data)}`;
    case "type":
      return `must be ${typeNames(params["type"])}, found ${show(data)}`;
    case "pattern":
      // Libraries write the pattern of a format beside its name.
      return typeof format === "string"
        ? `must be a ${format} (${formatExamples[format] ?? format}), found ${show(data)}`
        : `must match ${String(params["pattern"])}, found ${show(data)}`;
    case "minLength":
      return `must have at least ${String(params["limit"])} characters, found ${show(data)}`;
    case "maxLength":
      return `must have at most ${String(params["limit"])} characters`;
    case "minItems":
      return `must have at least ${String(params["limit"])} items`;
    case "maxItems":
      return `must have at most ${String(params["limit"])} items`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `must be ${String(params["comparison"])} ${String(params["limit"])}, found ${show(data)}`;
    default:
      return error.message ?? "is not valid";
  }
}

const formatExamples: { readonly [format: string]: string } = {
  date: "2026-01-31",
  "date-time": "2026-01-31T12:00:00Z",
  time: "12:00:00",
  duration: "P1DT12H",
  email: "me@example.com",
  uuid: "123e4567-e89b-42d3-a456-426614174000",
};

const typeWords: { readonly [type: string]: string } = {
  string: "a text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};

function typeNames(type: unknown): string {
  return [type]
    .flat()
    .map((one) => typeWords[String(one)] ?? String(one))
    .join(" or ");
}

const shownMax = 60;

function show(data: unknown): string {
  const text = JSON.stringify(data) ?? "nothing";
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}

/** Reads a JSON pointer; a step of digits is an index. */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
