/** The pipelines of a testbed: what a deploy would make of them, and what its errors would be. */
import {
  compileGraph,
  compileCondition,
  MillraceError,
  namesUsed,
  nearestName,
  requireKnown,
  type ErrorCode,
  type Graph,
  type Json,
  type PipelineDefinition,
  type Program,
} from "@millrace/core";
import { checkParams, compileSchema, type ValidateFunction } from "@millrace/protocol/params-check";
import type { MillraceConfig } from "@millrace/sdk";
import { loadProject, taskNameBrand, type LoadedProject } from "@millrace/sdk/internal";

export interface BedPipeline {
  readonly definition: PipelineDefinition;
  readonly graph: Graph;
  /** Absent where the pipeline has no trigger. */
  readonly program: Program | undefined;
  /** Nobody starts a run of it. */
  isPaused: boolean;
  /** The parameters with their defaults. Throws MILLRACE_PARAMS_INVALID. */
  checkParams(params: Json): Json;
}

export class Definitions {
  readonly project: LoadedProject;
  readonly pipelines = new Map<string, BedPipeline>();
  /** Names of tasks, and ids of their nodes. */
  readonly #tasks = new Map<string, string>();

  /** Throws the first of the errors that a deploy of these pipelines would tell. */
  constructor(pipelines: object, config: Partial<MillraceConfig>) {
    const exported: object = Array.isArray(pipelines)
      ? Object.fromEntries(pipelines.entries())
      : (pipelines ?? {});
    this.project = loadProject(
      { testbed: exported },
      { project: config.project ?? "test", pools: config.pools ?? {}, queues: config.queues ?? "any" },
    );
    const [error] = this.project.errors;
    if (error) throw error;
    const { assets = [] } = this.project.definition;
    const known = new Set(assets.map((asset) => asset.name));
    for (const definition of this.project.definition.pipelines)
      for (const use of namesUsed(definition))
        // Pipelines that are not given here may be none of the test's matter.
        if (use.kind === "asset") requireKnown(use, { assets: known, pipelines: new Set() });
    for (const definition of this.project.definition.pipelines)
      this.pipelines.set(definition.name, bedPipeline(definition));
    if (this.pipelines.size === 0) {
      throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
        message: "The testbed was given no pipelines.",
        advice: 'Give a list of them, or what a file exports: `import * as orders from "./orders.ts"`.',
      });
    }
    for (const { definition } of this.pipelines.values()) {
      for (const { id, name, kind } of definition.nodes) {
        if (kind === "call") continue;
        this.#tasks.set(name, name);
        if (!this.#tasks.has(id)) this.#tasks.set(id, name);
      }
    }
  }

  /** Throws MILLRACE_PIPELINE_UNKNOWN, with the nearest name. */
  pipeline(given: unknown): BedPipeline {
    const name = nameOf(given);
    const found = this.pipelines.get(name);
    if (found) return found;
    throw unknown("MILLRACE_PIPELINE_UNKNOWN", "pipeline", name, [...this.pipelines.keys()]);
  }

  /** The name of a task that is given by itself, by its name, or by the id of its node. Throws MILLRACE_TASK_UNKNOWN. */
  taskName(given: unknown): string {
    const branded = (given as { readonly [taskNameBrand]?: unknown } | null)?.[taskNameBrand];
    const name = typeof branded === "string" ? branded : nameOf(given);
    const found = this.#tasks.get(name);
    if (found !== undefined) return found;
    throw unknown("MILLRACE_TASK_UNKNOWN", "task", name, [...new Set(this.#tasks.values())]);
  }
}

function bedPipeline(definition: PipelineDefinition): BedPipeline {
  const { name, trigger, params: declared } = definition;
  let validate: ValidateFunction | undefined;
  return {
    definition,
    graph: compileGraph(definition),
    program: trigger && compileCondition(trigger.condition, name),
    isPaused: definition.paused,
    checkParams: (params) =>
      declared ? checkParams((validate ??= compileSchema(declared.schema)), name, params) : params,
  };
}

function nameOf(given: unknown): string {
  if (typeof given === "string") return given;
  const name: unknown = (given as { readonly name?: unknown } | null)?.name;
  return typeof name === "string" ? name : String(given);
}

/** With the nearest of the names that there are. */
export function unknown(
  code: ErrorCode,
  what: string,
  name: string,
  known: readonly string[],
): MillraceError {
  const near = nearestName(name, known);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const list = known.length === 0 ? "There are none." : `There are ${known.slice(0, 20).join(", ")}.`;
  return new MillraceError(code, {
    message: `No ${what} of the testbed is named "${name}".${hint}`,
    advice: list,
    fields: { [what]: name, known },
  });
}
