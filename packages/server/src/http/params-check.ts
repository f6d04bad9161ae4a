/** Parameters of runs against their pipeline's JSON Schema, compiled once per bundle and pipeline. */
import type { Json, JsonSchema } from "@millrace/core";
import { checkParams, compileSchema, type ValidateFunction } from "@millrace/protocol/params-check";
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
