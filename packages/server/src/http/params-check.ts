/** Parameters of runs against their pipeline's JSON Schema, compiled once per bundle and pipeline. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { formatPath, MillraceError, type Json, type JsonSchema } from "@millrace/core";
import type { ActivePipeline } from "../engine/definitions.ts";
import { issuesMax, validatorsMax } from "./limits.ts";

export interface ParamsIssue {
  readonly path: string;
  readonly message: string;
}

export class ParamsCheck {
  readonly #validators = new Map<string, ValidateFunction>();

  /** The parameters with the schema's defaults. Throws MILLRACE_PARAMS_INVALID with all issues. */
  check(pipeline: ActivePipeline, params: Json): Json {
    const { params: declared, name } = pipeline.definition;
    if (!declared) return params;
    const validate = this.#validator(`${pipeline.bundle}/${name}`, declared.schema);
    if (validate(params)) return params;
    const issues = issuesOf(validate.errors ?? []);
    throw new MillraceError("MILLRACE_PARAMS_INVALID", {
      message: issues.map((issue) => `${issue.path} ${issue.message}`).join("; "),
      fields: { pipeline: name, issues },
    });
  }

  #validator(name: string, schema: JsonSchema): ValidateFunction {
    const known = this.#validators.get(name);
    if (known) return known;
    const validator = compileSchema(schema);
    this.#validators.set(name, validator);
    if (this.#validators.size > validatorsMax) {
      const [oldest] = this.#validators.keys();
      if (oldest !== undefined) this.#validators.delete(oldest);
    }
    return validator;
  }
}

/** An instance per schema: schemas of different pipelines may have one `$id`. Throws what Ajv throws of a faulty one. */
export function compileSchema(schema: JsonSchema): ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: false, validateFormats: false });
  return ajv.compile(schema);
}

function issuesOf(errors: readonly ErrorObject[]): ParamsIssue[] {
  return errors.slice(0, issuesMax).map((error) => {
    const path = pathOf(error.instancePath);
    switch (error.keyword) {
      case "required":
        return {
          path: formatPath([...path, String(error.params["missingProperty"])]),
          message: "is missing",
        };
      case "additionalProperties":
        return {
          path: formatPath([...path, String(error.params["additionalProperty"])]),
          message: "is not a parameter",
        };
      case "enum":
        return {
          path: formatPath(path),
          message: `must be one of ${JSON.stringify(error.params["allowedValues"])}`,
        };
      default:
        return { path: formatPath(path), message: error.message ?? "is not valid" };
    }
  });
}

/** Reads a JSON pointer; a step of digits is an index. */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
