/**
 * Parameter schemas. Every library that speaks Standard Schema validates; for JSON Schema it must also speak Standard
 * JSON Schema (zod ≥ 4.2 and arktype ≥ 2.1.28 do; valibot does through `toStandardJsonSchema` of
 * `@valibot/to-json-schema`), or have a `toJSONSchema` or `toJsonSchema` method.
 */
import { findJsonFault, MillraceError, type JsonSchema, type SourceLocation } from "@millrace/core";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";

export type ParamsSchema<Input = unknown, Output = unknown> = StandardSchemaV1<Input, Output>;

export interface ParamsIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type ParamsResult = { readonly value: unknown } | { readonly issues: readonly ParamsIssue[] };

interface MaybeExporting {
  readonly "~standard": ParamsSchema["~standard"] & Partial<StandardJSONSchemaV1.Props>;
  readonly toJSONSchema?: (options: object) => unknown;
  readonly toJsonSchema?: () => unknown;
}

/** True for a value of any library that speaks Standard Schema. */
export function isParamsSchema(value: unknown): value is ParamsSchema {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  const standard: unknown = (value as { readonly "~standard"?: unknown })["~standard"];
  return (
    standard !== null &&
    typeof standard === "object" &&
    "validate" in standard &&
    typeof standard.validate === "function"
  );
}

/** Whose schema it is. */
export interface SchemaOwner {
  readonly what: string;
  readonly of: string;
  readonly option: string;
  readonly fields?: { readonly [name: string]: string };
  readonly source?: SourceLocation | undefined;
}

/** The JSON Schema 2020-12 of what a caller may give; what can't be exported is an error that says what to do. */
export function exportJsonSchema(schema: ParamsSchema, owner: SchemaOwner): JsonSchema {
  const { vendor } = schema["~standard"];
  let cause: unknown;
  try {
    const exported = exportWith(schema);
    if (isJsonSchema(exported)) return exported;
  } catch (error) {
    cause = error;
  }
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  throw new MillraceError("MILLRACE_LOAD_FAILED", {
    message: `${owner.what}: the ${vendor} schema of ${owner.of} can't be written as JSON Schema${reason}.`,
    advice:
      cause === undefined
        ? howToExport(vendor, owner.option)
        : "Use only types that JSON has: for a date, a text in ISO 8601.",
    fields: owner.fields ?? {},
    ...(owner.source ? { source: owner.source } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Runs the author's own validator, with its refinements and transforms. */
export async function validateWith(schema: ParamsSchema, value: unknown): Promise<ParamsResult> {
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return { value: result.value };
  return {
    issues: result.issues.map((issue) => ({
      message: issue.message,
      path: Array.from(issue.path ?? [], pathStep),
    })),
  };
}

function exportWith(schema: MaybeExporting): unknown {
  const target = "draft-2020-12";
  const { vendor, jsonSchema: standard } = schema["~standard"];
  // Arktype's own method writes defaults, which its standard one leaves out; it refuses a schema with transforms.
  if (vendor === "arktype" && typeof schema.toJsonSchema === "function") {
    try {
      return schema.toJsonSchema();
    } catch (error) {
      if (!standard) throw error;
    }
  }
  if (standard) return standard.input({ target });
  if (typeof schema.toJSONSchema === "function") return schema.toJSONSchema({ target, io: "input" });
  if (typeof schema.toJsonSchema === "function") return schema.toJsonSchema();
  return undefined;
}

function isJsonSchema(exported: unknown): exported is JsonSchema {
  if (typeof exported === "boolean") return true;
  return (
    exported !== null && typeof exported === "object" && !Array.isArray(exported) && !findJsonFault(exported)
  );
}

function howToExport(vendor: string, option: string): string {
  if (vendor === "valibot") {
    return `Wrap it: \`${option}: toStandardJsonSchema(schema)\`, from "@valibot/to-json-schema".`;
  }
  if (vendor === "zod") return "Use zod 4.2 or later.";
  if (vendor === "arktype") return "Use arktype 2.1.28 or later.";
  return "Use a library that speaks Standard JSON Schema (standardschema.dev/json-schema).";
}

function pathStep(step: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof step === "object" ? step.key : step;
  return typeof key === "symbol" ? String(key) : key;
}
