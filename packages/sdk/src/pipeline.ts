/** Pipelines: a body that is run once, when the project is loaded, and describes a graph. */
import {
  choosesMissedTicks,
  errorCodeOf,
  MillraceError,
  parseTrigger,
  type CatchUp,
  type Duration,
  type FiringPolicy,
  type Json,
  type PipelineDefinition,
} from "@millrace/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  runBody,
  sourceOf,
  type Build,
  type NodeDraft,
  type RegionDraft,
  type TaskFunction,
} from "./build.ts";
import type { Callee } from "./call.ts";
import type { CalledPipeline } from "./called-pipeline.ts";
import { toTemplate, type Filled } from "./input.ts";
import type { Firing } from "./condition/firing.ts";
import { hasHoles } from "./condition/hole.ts";
import { definitionBrand, type DescribeOptions } from "./definition.ts";
import type { DescribedCondition } from "./condition/described.ts";
import { eventTypesWithin } from "./condition/event-type.ts";
import { conditionOf, type NoOperands, type On, type Operands } from "./condition/on.ts";
import { checkName } from "./name.ts";
import {
  booleanOption,
  checkOptionNames,
  integerOption,
  optionError,
  parsePositiveDuration,
  parseTaskOptions,
  textListOption,
  textOption,
  type OptionOwner,
  type TaskOptions,
} from "./options.ts";
import { makeReference, type Ref } from "./reference.ts";
import { exportJsonSchema, isParamsSchema, type ParamsSchema } from "./schema.ts";
import { formatSource, locate, markCaller, type SourceMark } from "./source.ts";
import type { Recorded } from "./recorded.ts";
import { makeCallable, type CallArguments, type MapFunction } from "./task.ts";
import { orderTeardowns, refuseCycles } from "./teardown.ts";

/** A pipeline without parameters. */
// oxlint-disable-next-line typescript/no-empty-object-type -- there is nothing to read
export type NoParams = StandardSchemaV1<void, {}>;

/**
 * The parameters that references see: those of the caller, with defaults. A validator that turns them into something
 * else (a transform) runs on the worker and changes `ctx.params` only, so then they keep the type of the input.
 */
export type ParamsOf<Schema extends StandardSchemaV1> = [StandardSchemaV1.InferInput<Schema>] extends [void]
  ? object
  : StandardSchemaV1.InferOutput<Schema> extends StandardSchemaV1.InferInput<Schema>
    ? StandardSchemaV1.InferOutput<Schema>
    : StandardSchemaV1.InferInput<Schema>;

/** Options of a pipeline. */
export interface PipelineOptions<
  Schema extends StandardSchemaV1 = NoParams,
  Of extends Operands = NoOperands,
  Partition = null,
> {
  readonly description?: string;
  readonly owner?: string;
  readonly tags?: readonly string[];
  /** Initial value: what an operator sets holds over deploys. */
  readonly paused?: boolean;
  /** Further runs queue. */
  readonly maxActiveRuns?: number;
  /** From a run's start; then it is cancelled and ends failed. */
  readonly deadline?: Duration;
  /**
   * A zod or arktype schema, or a valibot schema in `toStandardJsonSchema` of `@valibot/to-json-schema`. Its JSON Schema
   * is checked where a run is asked for, and its defaults are filled in there (arktype exports none of a schema that holds
   * transforms). The schema's own validator runs on the worker.
   */
  readonly params?: Schema;
  /** Options for every task of the pipeline; the tasks' own win. */
  readonly defaults?: TaskOptions;
  /** What starts runs of it: a condition that `on` gives. */
  // oxlint-disable-next-line typescript/no-explicit-any -- names of operands are of no interest here
  readonly on?: On<Of, any, any, Partition>;
  /** Firings that would have come while the pipeline was paused: `all` unless given. */
  readonly onResume?: CatchUp;
  /**
   * Ticks that passed while no server was up, where `on` is a schedule by itself or within `on.any`: `latest`, with the data intervals
   * of all, unless given. Within another condition each tick counts.
   */
  readonly catchUp?: CatchUp;
  /**
   * What becomes of firings while `maxActiveRuns` runs are under way. `each`, unless given: every firing has a run, which
   * queues. `coalesce`: they are merged into one that waits, with the members of all; with a key, one for each of its values.
   * `latest`: a later firing (of that key) takes the place of one that waits, whose run ends `superseded`.
   */
  readonly policy?: FiringPolicy;
  /** How often this trigger may stand in the chain of triggers that led to one of its runs: 25 unless given. */
  readonly loopLimit?: number;
}

/** What a body gets. */
export interface BodyContext<Params, Of extends Operands = NoOperands, Partition = null> {
  /** The run's parameters. */
  readonly params: Ref<Params>;
  /** What satisfied `on`: its events by operand name, its key and its data interval. */
  readonly firing: Ref<Firing<Of, Partition>>;
  /**
   * The partition that the run is for, where `on` is about partitions: `partition.key`, and `partition.window.from` and `.to` of
   * one that is a stretch of time. Who starts such a run by hand names it: `millrace run NAME --partition KEY`.
   */
  readonly partition: Ref<Partition>;
}

/** Runs another pipeline and waits for it, without holding a slot. */
export interface PipelineCall<In, Out> {
  (...call: CallArguments<In>): Ref<Out>;
  readonly map: MapFunction<In, Out>;
}

/** A pipeline. Exported from an included file, it is deployed. */
export interface Pipeline<In = unknown, Out = unknown> extends CalledPipeline<In, Out> {
  /** Inside another pipeline's body: a node that starts a run of this pipeline and yields its output. */
  readonly call: PipelineCall<In, Out>;
}

/** What running a body gave. */
export interface DescribedPipeline {
  readonly definition: PipelineDefinition;
  readonly functions: ReadonlyMap<string, TaskFunction>;
  readonly callees: ReadonlyMap<object, SourceMark | undefined>;
  /** The assets that its nodes write, where they are given as such and not by their names. */
  readonly written: ReadonlySet<object>;
  readonly schema: ParamsSchema | undefined;
  readonly conditions: readonly DescribedCondition[];
}

/** What the loader reads from a definition, under `definitionBrand`. */
export interface DefinitionHandle {
  readonly kind: "pipeline";
  readonly name: string;
  readonly mark: SourceMark;
  describe(options: DescribeOptions): DescribedPipeline;
}

type Body<Params, Out, Of extends Operands = NoOperands, Partition = null> = (
  context: BodyContext<Params, Of, Partition>,
) => Out;
type OutputOf<Out> = Recorded<Filled<Out>>;

/**
 * Declares a pipeline. `body` runs once, when the project is loaded; it calls tasks and returns what the run yields
 * (a reference, or JSON with references). It may not be asynchronous.
 *
 * @example
 * export const daily = pipeline("daily", { params: z.object({ day: z.string() }) }, ({ params }) => {
 *   const totals = aggregate({ day: params.day });
 *   announce({ rows: totals.rows });
 *   return totals;
 * });
 */
export function pipeline<Out>(name: string, body: Body<object, Out>): Pipeline<void, OutputOf<Out>>;
export function pipeline<
  Out,
  Schema extends StandardSchemaV1 = NoParams,
  Of extends Operands = NoOperands,
  Partition = null,
>(
  name: string,
  options: PipelineOptions<Schema, Of, Partition>,
  body: Body<ParamsOf<Schema>, Out, Of, Partition>,
): Pipeline<StandardSchemaV1.InferInput<Schema>, OutputOf<Out>>;
export function pipeline(name: string, ...rest: readonly unknown[]): object {
  const mark = markCaller(pipeline);
  const [options, body] = typeof rest[0] === "function" ? [{}, rest[0]] : rest;
  const source = {
    name,
    mark,
    options: options as PipelineOptions<ParamsSchema>,
    body: body as Body<unknown, unknown>,
  };
  const handle: DefinitionHandle = {
    kind: "pipeline",
    name,
    mark,
    describe: (how) => describePipeline(source, how),
  };
  const callee: Callee = {
    kind: "call",
    name,
    what: `pipeline "${name}"`,
    mark,
    options: undefined,
    ownOptions: [],
    calls: name,
    note: (build, callMark) => {
      if (!build.callees.has(made)) build.callees.set(made, callMark);
    },
  };
  const made = { name, call: makeCallable(callee), [definitionBrand]: handle };
  return made;
}

interface PipelineSource {
  readonly name: string;
  readonly mark: SourceMark;
  readonly options: PipelineOptions<ParamsSchema>;
  readonly body: Body<unknown, unknown>;
}

const optionNames = [
  "description",
  "owner",
  "tags",
  "paused",
  "maxActiveRuns",
  "deadline",
  "params",
  "defaults",
  "on",
  "onResume",
  "catchUp",
  "policy",
  "loopLimit",
];

function describePipeline(
  source: PipelineSource,
  { captureSource, root }: DescribeOptions,
): DescribedPipeline {
  const { name, mark, options } = source;
  const owner: OptionOwner = { what: `Pipeline "${name}"`, mark, root };
  checkName(name, owner);
  if (typeof source.body !== "function")
    throw optionError(owner, "its last argument must be its body, a function");
  checkOptionNames(options, optionNames, owner);
  const build: Build = {
    name,
    root,
    mark,
    captureSource,
    defaults: parseTaskOptions(options.defaults, { ...owner, what: `Pipeline "${name}", defaults` }),
    nodes: new Map(),
    regions: new Map(),
    callees: new Map(),
    written: new Set(),
    conditions: [],
  };
  const result = runBodyOf(source, build);
  orderTeardowns(build);
  refuseCycles(build);
  const output =
    result === undefined
      ? undefined
      : toTemplate(result, { build, region: undefined, what: "the body's result", mark });
  const definition: PipelineDefinition = {
    name,
    ...describeOptions(options, owner),
    ...paramsOf(options, owner, name),
    ...triggerOf(options, owner),
    nodes: [...build.nodes.values()].map((node) => nodeDefinition(build, node)),
    regions: [...build.regions.values()].map((region) => regionDefinition(build, region)),
    ...(output ? { output } : {}),
    ...sourceOf(build, mark),
  };
  return {
    definition,
    functions: functionsOf(build),
    callees: build.callees,
    written: build.written,
    schema: options.params,
    conditions: [...conditionsOf(definition, options, owner), ...build.conditions],
  };
}

function runBodyOf(source: PipelineSource, build: Build): unknown {
  const params = makeReference({ owner: build, target: { kind: "params", path: [] }, view: undefined });
  const firing = makeReference<Firing<NoOperands, null>>({
    owner: build,
    target: { kind: "firing", path: [] },
    view: undefined,
  });
  const partition = makeReference<null>({
    owner: build,
    target: { kind: "firing", path: ["partition"] },
    view: undefined,
  });
  const place = { build, prefix: "", region: undefined, edges: [] };
  return runBody(place, "its body", () => source.body({ params, firing, partition }));
}

function describeOptions(
  options: PipelineOptions<ParamsSchema>,
  owner: OptionOwner,
): Pick<PipelineDefinition, "description" | "owner" | "tags" | "paused" | "maxActiveRuns" | "deadlineMs"> {
  const { description, owner: team, tags, paused, maxActiveRuns, deadline } = options;
  return {
    tags: tags === undefined ? [] : textListOption(tags, "tags", owner),
    paused: paused === undefined ? false : booleanOption(paused, "paused", owner),
    ...(description === undefined ? {} : { description: textOption(description, "description", owner) }),
    ...(team === undefined ? {} : { owner: textOption(team, "owner", owner) }),
    ...(maxActiveRuns === undefined
      ? {}
      : { maxActiveRuns: integerOption(maxActiveRuns, "maxActiveRuns", owner) }),
    ...(deadline === undefined ? {} : { deadlineMs: parsePositiveDuration(deadline, "deadline", owner) }),
  };
}

function paramsOf(
  options: PipelineOptions<ParamsSchema>,
  owner: OptionOwner,
  name: string,
): Pick<PipelineDefinition, "params"> {
  if (options.params === undefined) return {};
  if (!isParamsSchema(options.params)) {
    throw optionError(
      owner,
      'option "params" must be a schema of zod, valibot, arktype or another Standard Schema library',
    );
  }
  const schema = exportJsonSchema(options.params, {
    what: `Pipeline "${name}"`,
    of: "its parameters",
    option: "params",
    fields: { pipeline: name },
    source: locate(owner.mark, owner.root),
  });
  return { params: { schema, validateOnWorker: true } };
}

function conditionsOf(
  { trigger }: PipelineDefinition,
  { on }: PipelineOptions<ParamsSchema>,
  { what }: OptionOwner,
): DescribedCondition[] {
  const made = conditionOf(on);
  if (!trigger || !made) return [];
  const eventTypes = eventTypesWithin(made.condition);
  return [{ condition: trigger.condition, eventTypes, what, mark: made.mark, hasHoles: false }];
}

function triggerOf(
  options: PipelineOptions<ParamsSchema>,
  owner: OptionOwner,
): Pick<PipelineDefinition, "trigger"> {
  const { on, onResume, catchUp, policy, loopLimit } = options;
  const policies = { onResume, catchUp, policy, loopLimit };
  if (on === undefined) {
    const alone = Object.entries(policies).find(([, value]) => value !== undefined)?.[0];
    if (alone !== undefined)
      throw optionError(owner, `option "${alone}" says something about "on", which it lacks`);
    return {};
  }
  const made = conditionOf(on);
  if (!made) throw optionError(owner, 'option "on" must be a condition, which the functions of `on` give');
  if (hasHoles(made.condition as unknown as Json)) {
    throw optionError(
      owner,
      'option "on" holds a reference, which has a value in a run only. Write the value, or wait for it in the body with `wait`',
    );
  }
  if ((policy === "coalesce" || policy === "latest") && options.maxActiveRuns === undefined)
    throw optionError(
      owner,
      `option "policy": ${JSON.stringify(policy)} needs "maxActiveRuns": without it no firing waits`,
    );
  if (catchUp !== undefined && !choosesMissedTicks(made.condition))
    throw optionError(
      owner,
      'option "catchUp" is for a schedule by itself or within `on.any`: within another condition each tick counts, also those of an outage',
    );
  const json = { condition: made.condition, ...policies };
  const source = locate(made.mark, owner.root);
  try {
    return { trigger: parseTrigger(json as unknown as Json) };
  } catch (error) {
    if (errorCodeOf(error) === undefined) throw error;
    const { code, message, advice, fields } = error as MillraceError;
    throw new MillraceError(code, {
      message: `${owner.what} (${formatSource(source)}): ${message}`,
      advice,
      fields,
      ...(source ? { source } : {}),
    });
  }
}

function nodeDefinition(build: Build, node: NodeDraft): PipelineDefinition["nodes"][number] {
  const { run: _run, noInput: _noInput, mark, region, teardownOf, description, ...rest } = node;
  return {
    ...rest,
    ...(region === undefined ? {} : { region }),
    ...(teardownOf ? { teardownOf } : {}),
    ...(description === undefined ? {} : { description }),
    ...sourceOf(build, mark),
  };
}

function regionDefinition(
  build: Build,
  { mark, ...region }: RegionDraft,
): PipelineDefinition["regions"][number] {
  return { ...region, ...sourceOf(build, mark) };
}

function functionsOf(build: Build): ReadonlyMap<string, TaskFunction> {
  const functions = new Map<string, TaskFunction>();
  for (const { id, run, noInput } of build.nodes.values()) {
    if (run) functions.set(id, noInput ? (_input, ctx) => run(undefined, ctx) : run);
  }
  return functions;
}
