/** Collects a project's definitions from its modules and describes them as data. */
import {
  compileGraph,
  errorCodeOf,
  MillraceError,
  probePipeline,
  type AssetDefinition,
  type Condition,
  type JsonSchema,
  type PipelineDefinition,
  type ProjectDefinition,
} from "@millrace/core";
import type { TaskFunction } from "./build.ts";
import { conditionOf } from "./condition/on.ts";
import { handleOfKind } from "./definition.ts";
import { loadAssets } from "./load-assets.ts";
import { loadSources } from "./load-sources.ts";
import { checkConditions, loadEventTypes } from "./load-event-types.ts";
import { checkProbes, loadProbes } from "./load-probes.ts";
import { loadWebhooks } from "./load-webhooks.ts";
import { didYouMean } from "./nearest.ts";
import type { DefinitionHandle, DescribedPipeline } from "./pipeline.ts";
import {
  exportJsonSchema,
  isParamsSchema,
  validateWith,
  type ParamsResult,
  type ParamsSchema,
} from "./schema.ts";
import { formatSource, locate, locateInStack } from "./source.ts";

export interface LoadOptions {
  readonly project: string;
  /** The configuration's pools and their slots. */
  readonly pools?: { readonly [name: string]: number };
  /** The configuration's queues; `default` always exists. `"any"`: queues are not checked here. */
  readonly queues?: readonly string[] | "any";
  /** Absolute path of the project's folder: source locations are told relative to it. */
  readonly root?: string;
  /**
   * All pools that exist. Operators make pools on the server, so only who knows them all can refuse an unknown name:
   * without this, pools are not checked here.
   */
  readonly knownPools?: readonly string[];
  /** False saves the time for source locations, for processes that only need the functions. True unless given. */
  readonly captureSource?: boolean;
}

export interface LoadedProject {
  /** The pipelines that are sound. */
  readonly definition: ProjectDefinition;
  /** What is wrong with the others; each names its pipeline in `fields.pipeline`. */
  readonly errors: readonly MillraceError[];
  /** What a worker calls for a node; a `call` node has none. */
  taskFunction(pipeline: string, node: string): TaskFunction | undefined;
  /** An asset that the project owns. */
  asset(name: string): AssetDefinition | undefined;
  /** Runs the author's validator; a pipeline without parameters takes everything. */
  validateParams(pipeline: string, value: unknown): Promise<ParamsResult>;
  /** The condition behind what `on` gave; `undefined` for anything else. */
  conditionOf(value: unknown): Condition | undefined;
  /** The JSON Schema of an approval's form. */
  formSchema(form: unknown): JsonSchema;
  /** Runs the form's own validator. */
  validateForm(form: unknown, value: unknown): Promise<ParamsResult>;
}

/**
 * Describes every pipeline that is an export of one of `modules`. A faulty pipeline becomes an error and hides no other.
 * A pipeline that another one calls must be exported as well: a deploy holds exactly what the files export.
 */
export function loadProject(
  modules: { readonly [file: string]: object },
  options: LoadOptions,
): LoadedProject {
  const errors: MillraceError[] = [];
  const described = new Map<string, DescribedPipeline>();
  const exported = Object.values(modules).flatMap((module) => Object.values(module) as unknown[]);
  const found = collectDefinitions(exported, options, errors);
  const place = { captureSource: options.captureSource ?? true, root: options.root };
  const webhooks = loadWebhooks(exported, place, errors);
  const sources = loadSources(exported, place, errors);
  const probes = loadProbes(exported, place, errors);
  for (const handle of found.values()) {
    try {
      const pipeline = handle.describe(place);
      checkPipeline(pipeline, found, options);
      described.set(handle.name, pipeline);
    } catch (error) {
      errors.push(loadError(error, handle, options.root));
    }
  }
  const written = [...described.values()].flatMap((pipeline) => [...pipeline.written]);
  const assets = loadAssets([...exported, ...written], place, errors);
  const assetsByName = new Map(assets.map((definition) => [definition.name, definition]));
  const conditions = [...described.values()].flatMap((pipeline) => pipeline.conditions);
  const eventTypes = loadEventTypes(exported, conditions, place, errors);
  for (const handle of found.values()) {
    try {
      const own = described.get(handle.name)?.conditions ?? [];
      checkProbes(own, probes.definitions, options.root);
      checkConditions(own, eventTypes, options.root);
    } catch (error) {
      described.delete(handle.name);
      errors.push(loadError(error, handle, options.root));
    }
  }
  return {
    errors,
    definition: {
      project: options.project,
      pipelines: [...described.values()].map((pipeline) => pipeline.definition),
      pools: options.pools ?? {},
      queues: [...new Set(["default", ...declaredQueues(options)])],
      ...(webhooks.length === 0 ? {} : { webhooks }),
      ...(sources.length === 0 ? {} : { sources }),
      ...(probes.definitions.length === 0 ? {} : { probes: probes.definitions }),
      ...(assets.length === 0 ? {} : { assets }),
      ...(eventTypes.length === 0 ? {} : { eventTypes }),
    },
    asset: (name) => assetsByName.get(name),
    taskFunction: (pipeline, node) =>
      pipeline === probePipeline ? probes.functions.get(node) : described.get(pipeline)?.functions.get(node),
    validateParams: async (pipeline, value) => {
      const schema = described.get(pipeline)?.schema;
      return schema ? await validateWith(schema, value) : { value };
    },
    conditionOf: (value) => conditionOf(value)?.condition,
    formSchema,
    validateForm: (form, value) => validateWith(form as ParamsSchema, value),
  };
}

function formSchema(form: unknown): JsonSchema {
  if (isParamsSchema(form))
    return exportJsonSchema(form, { what: "An approval", of: "its form", option: "form" });
  throw new MillraceError("MILLRACE_OPTION_INVALID", {
    message:
      'An approval\'s "form" must be a schema of zod, valibot, arktype or another Standard Schema library.',
  });
}

/** By identity, because files may export each other's pipelines again. */
function collectDefinitions(
  values: readonly unknown[],
  options: LoadOptions,
  errors: MillraceError[],
): ReadonlyMap<object, DefinitionHandle> {
  const found = new Map<object, DefinitionHandle>();
  const byName = new Map<string, DefinitionHandle>();
  for (const exported of values) {
    const handle = handleOfKind<DefinitionHandle>(exported, "pipeline");
    if (!handle || found.has(exported as object)) continue;
    const other = byName.get(handle.name);
    if (other) {
      errors.push(duplicateName(other, handle, options.root));
      continue;
    }
    byName.set(handle.name, handle);
    found.set(exported as object, handle);
  }
  return found;
}

function duplicateName(
  first: DefinitionHandle,
  second: DefinitionHandle,
  root: string | undefined,
): MillraceError {
  const source = locate(second.mark, root);
  const places = `${formatSource(locate(first.mark, root))} and ${formatSource(source)}`;
  return new MillraceError("MILLRACE_GRAPH_DUPLICATE_ID", {
    message: `Two pipelines have the name "${second.name}": ${places}.`,
    advice: "Rename one of them.",
    fields: { pipeline: second.name },
    ...(source ? { source } : {}),
  });
}

function checkPipeline(
  pipeline: DescribedPipeline,
  found: ReadonlyMap<object, DefinitionHandle>,
  options: LoadOptions,
): void {
  const { definition } = pipeline;
  compileGraph(definition);
  const queues = ["default", ...declaredQueues(options)];
  for (const node of definition.nodes) {
    const { queue, pool } = node.options;
    if (options.queues !== "any" && !queues.includes(queue))
      throw unknownName("MILLRACE_QUEUE_UNKNOWN", "queue", { definition, node, name: queue, known: queues });
    if (!pool || !options.knownPools || options.knownPools.includes(pool.name)) continue;
    throw unknownName("MILLRACE_POOL_UNKNOWN", "pool", {
      definition,
      node,
      name: pool.name,
      known: options.knownPools,
    });
  }
  for (const [callee, mark] of pipeline.callees) {
    if (found.has(callee)) continue;
    const source = locate(mark, options.root);
    throw new MillraceError("MILLRACE_GRAPH_INVALID", {
      message: `Pipeline "${definition.name}" calls "${(callee as { name: string }).name}", which no included file exports.`,
      advice: "Export it, and include its file in `millrace.config.ts`.",
      fields: { pipeline: definition.name },
      ...(source ? { source } : {}),
    });
  }
}

function declaredQueues({ queues = [] }: LoadOptions): readonly string[] {
  return queues === "any" ? [] : queues;
}

interface UnknownName {
  readonly definition: PipelineDefinition;
  readonly node: PipelineDefinition["nodes"][number];
  readonly name: string;
  readonly known: readonly string[];
}

function unknownName(
  code: "MILLRACE_POOL_UNKNOWN" | "MILLRACE_QUEUE_UNKNOWN",
  what: string,
  { definition, node, name, known }: UnknownName,
): MillraceError {
  const list = known.length === 0 ? "None is known" : `Known are ${known.join(", ")}`;
  return new MillraceError(code, {
    message: `Node "${node.id}" of pipeline "${definition.name}" names the ${what} "${name}", which does not exist.${didYouMean(name, known)} ${list}.`,
    fields: { pipeline: definition.name, node: node.id, [what]: name },
    ...(node.source ? { source: node.source } : {}),
  });
}

const callFirst =
  "Call a task before you use what it returns. If two nodes need each other they wait in a circle (a cycle): remove one of the references.";

/** Every error gets its pipeline and, when it can be found, a place. */
function loadError(error: unknown, handle: DefinitionHandle, root: string | undefined): MillraceError {
  const code = errorCodeOf(error);
  if (code !== undefined) {
    // By code and not by class: a bundle may hold several copies of it.
    const known = error as MillraceError;
    const source = known.source ?? locate(handle.mark, root);
    return new MillraceError(code, {
      message: known.message,
      advice: known.advice,
      fields: { ...known.fields, pipeline: handle.name },
      ...(source ? { source } : {}),
      cause: error,
    });
  }
  const thrown = error instanceof Error ? error : undefined;
  const source =
    (thrown?.stack === undefined ? undefined : locateInStack(thrown.stack, root)) ??
    locate(handle.mark, root);
  const text = thrown ? `${thrown.name}: ${thrown.message}` : String(error);
  const early = thrown instanceof ReferenceError && thrown.message.includes("before initialization");
  return new MillraceError("MILLRACE_LOAD_FAILED", {
    message: `The body of pipeline "${handle.name}" threw${source ? ` (${formatSource(source)})` : ""}: ${text}`,
    ...(early ? { advice: callFirst } : {}),
    fields: { pipeline: handle.name },
    ...(source ? { source } : {}),
    cause: error,
  });
}
