/**
 * What people give against JSON Schemas: parameters of runs, compiled once per bundle and pipeline, and forms of approvals,
 * compiled once.
 */
import { MillraceError, type Json, type JsonSchema } from "@millrace/core";
import {
  checkParams,
  compileSchema,
  findIssues,
  tellIssues,
  type ValidateFunction,
} from "@millrace/protocol/params-check";
import type { ActivePipeline } from "../engine/definitions.ts";
import { validatorsMax } from "./limits.ts";

export class ParamsCheck {
  readonly #validators = new Map<string, ValidateFunction>();

  /** The parameters with the schema's defaults. Throws MILLRACE_PARAMS_INVALID with all issues. */
  check(pipeline: ActivePipeline, params: Json): Json {
    const { params: declared, name } = pipeline.definition;
    if (!declared) return params;
    return checkParams(this.#validator(`${pipeline.bundle}/${name}`, declared.schema), name, params);
  }

  /** What was entered, with the form's defaults. Throws MILLRACE_FORM_INVALID with all issues. */
  checkForm(schema: JsonSchema, entered: Json): Json {
    const issues = findIssues(this.#validator(`form ${JSON.stringify(schema)}`, schema), entered);
    if (issues.length === 0) return entered;
    throw new MillraceError("MILLRACE_FORM_INVALID", {
      message: tellIssues(issues, "the form"),
      fields: { issues },
    });
  }

  #validator(name: string, schema: JsonSchema): ValidateFunction {
    const known = this.#validators.get(name);
    if (known) return known;
    const validator = compileSchema(schema, { useDefaults: true, allErrors: true });
    this.#validators.set(name, validator);
    if (this.#validators.size > validatorsMax) {
      const [oldest] = this.#validators.keys();
      if (oldest !== undefined) this.#validators.delete(oldest);
    }
    return validator;
  }
}
