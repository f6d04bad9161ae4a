/** Calls: how a task that is called inside a body becomes a node. */
import {
  formatPath,
  noRetry,
  triggerRules,
  type NodeKind,
  type NodeOptions,
  type Template,
  type TriggerRule,
} from "@millrace/core";
import {
  claimId,
  currentPlace,
  encloses,
  graphError,
  markIn,
  type Build,
  type NodeDraft,
  type Place,
  type RegionDraft,
  type TaskFunction,
} from "./build.ts";
import { assetNameOf, type Asset } from "./asset/handle.ts";
import { edgesOf, type Edge } from "./edge.ts";
import { templateAt, toTemplate, type InputPlace } from "./input.ts";
import { listTemplates } from "./list.ts";
import { checkName } from "./name.ts";
import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  integerOption,
  optionError,
  parseTaskOptions,
  taskOptionNames,
  type OptionOwner,
  type ParsedOptions,
  type TaskOptions,
} from "./options.ts";
import { makeReference, referenceState, type Ref, type ReferenceBase } from "./reference.ts";
import type { SourceMark, StackFunction } from "./source.ts";

type OneOrMany<T> = T | readonly T[];

/** Options of one call: they name and order the node, and override the task's options. */
export interface CallOptions extends TaskOptions {
  /** The node's id within its group; the task's name unless given. */
  readonly id?: string;
  /** Order without data: nodes that this one waits for, or edges from `when(branch, choice)`. */
  readonly after?: OneOrMany<ReferenceBase<unknown> | Edge>;
  /** `all_success` unless given. */
  readonly rule?: Exclude<TriggerRule, "all_done_setup_success">;
  /** Makes this node the teardown of these setups: it runs when they succeeded and all that came of them has ended. */
  readonly teardown?: OneOrMany<ReferenceBase<unknown>>;
}

/** Options of a mapped call. */
export interface MapOptions<Settles extends boolean = boolean> extends Omit<CallOptions, "concurrency"> {
  /** Items under way at once (`{ concurrency: 5 }`), or a keyed limit over all runs (`{ concurrency: { key, limit } }`). */
  readonly concurrency?: number | TaskOptions["concurrency"];
  /** Yields an outcome per item instead of failing with the first failed one. */
  readonly settled?: Settles;
}

/** What became of one item of a settled map. */
export type Settled<T> =
  | { readonly status: "succeeded"; readonly value: T }
  | Unsettled<"failed">
  | Unsettled<"upstream_failed">
  | Unsettled<"cancelled">;

/** One member per status, so that comparing the status tells the compiler which it is. */
interface Unsettled<Status extends string> {
  readonly status: Status;
  readonly error: { readonly name: string; readonly message: string } | null;
}

export type MapOutput<Out, Settles extends boolean> = Settles extends true ? Settled<Out>[] : Out[];

/** What is called: a task, a branch, a short circuit, or a pipeline. */
export interface Callee {
  readonly kind: NodeKind;
  readonly name: string;
  /** `task "clean"`. */
  readonly what: string;
  readonly mark: SourceMark;
  readonly options: object | undefined;
  /** Names in `options` that are not task options. */
  readonly ownOptions: readonly string[];
  readonly calls?: string;
  /** Absent for a pipeline, which has its own tasks. */
  readonly run?: TaskFunction;
  /** Reads the options that are not task options. Not done at import, where an error would hide all other pipelines. */
  readonly decide?: (owner: OptionOwner) => Pick<NodeDraft, "choices" | "skips">;
  /** Told of each call. */
  readonly note?: (build: Build, mark: SourceMark | undefined) => void;
}

const callOptionNames = ["id", "after", "rule", "teardown"];
const mapOptionNames = [...callOptionNames, "settled"];

/** Adds the node of `callee(input, options)`, called by the caller of `below`. */
export function callNode<Out>(
  callee: Callee,
  input: unknown,
  options: CallOptions | undefined,
  below: StackFunction,
): Ref<Out> {
  const place = currentPlace(capitalise(callee.what), below);
  const call = prepareCall(callee, place, options, {
    names: callOptionNames,
    mark: markIn(place.build, below),
  });
  claimId(place.build, call.id, call.mark);
  return addNode<Out>(call, { region: place.region, input });
}

/** Adds the region and the node of `callee.map(list, input?, options)`. */
export function mapNode<Out>(
  callee: Callee,
  list: unknown,
  rest: readonly [input: unknown, options: MapOptions | undefined],
  below: StackFunction,
): Ref<Out> {
  const place = currentPlace(capitalise(callee.what), below);
  const { build } = place;
  const inputOf = typeof rest[0] === "function" && !referenceState(rest[0]) ? rest[0] : undefined;
  const options = inputOf || rest[0] === undefined ? rest[1] : (rest[0] as MapOptions);
  const { concurrency, ...others } = options ?? {};
  const ofItems = typeof concurrency === "number";
  const callOptions = ofItems || concurrency === undefined ? others : { ...others, concurrency };
  const mark = markIn(build, below);
  const call = prepareCall(callee, place, callOptions, { names: mapOptionNames, mark });
  claimId(build, call.id, mark);
  const region = regionDraft(place, call.id, list, {
    concurrency: ofItems ? concurrency : undefined,
    settled: options?.settled,
    mark,
  });
  build.regions.set(region.id, region);
  const { item, index } = itemReferences(build, region.id);
  const input = inputOf ? (inputOf as (item: unknown, index: unknown) => unknown)(item, index) : item;
  return addNode<Out>(call, { region: region.id, input });
}

/** References to the element and the index of a region. */
export function itemReferences(build: Build, region: string): { item: Ref<unknown>; index: Ref<number> } {
  return {
    item: makeReference({ owner: build, target: { kind: "item", region, path: [] }, view: region }),
    index: makeReference<number>({ owner: build, target: { kind: "index", region }, view: region }),
  };
}

export interface RegionOptions {
  readonly concurrency: unknown;
  readonly settled: unknown;
  readonly mark: SourceMark | undefined;
}

export function regionDraft(place: Place, id: string, list: unknown, options: RegionOptions): RegionDraft {
  const { build, region: parent } = place;
  const owner = {
    what: `In pipeline "${build.name}", the fan-out "${id}"`,
    mark: options.mark,
    root: build.root,
  };
  const from: InputPlace = { build, region: parent, what: `the list of "${id}"`, mark: options.mark };
  return {
    id,
    ...listTemplates(list, from),
    settled: options.settled === undefined ? false : booleanOption(options.settled, "settled", owner),
    ...(options.concurrency === undefined
      ? {}
      : { concurrency: integerOption(options.concurrency, "concurrency", owner) }),
    ...(parent === undefined ? {} : { parent }),
    mark: options.mark,
  };
}

interface PreparedCall {
  readonly callee: Callee;
  readonly place: Place;
  readonly id: string;
  readonly mark: SourceMark | undefined;
  readonly owner: OptionOwner;
  readonly options: CallOptions;
  readonly parsed: ParsedOptions;
}

function prepareCall(
  callee: Callee,
  place: Place,
  options: CallOptions | undefined,
  { names, mark }: { readonly names: readonly string[]; readonly mark: SourceMark | undefined },
): PreparedCall {
  const { build } = place;
  const calleeOwner = { what: capitalise(callee.what), mark: callee.mark, root: build.root };
  const owner = { what: `In pipeline "${build.name}", the call of ${callee.what}`, mark, root: build.root };
  callee.note?.(build, mark);
  checkName(callee.name, calleeOwner);
  if (callee.kind !== "call" && typeof callee.run !== "function") {
    throw optionError(calleeOwner, "its last argument must be its function");
  }
  if (options !== undefined) checkOptionNames(options, [...taskOptionNames, ...names], owner);
  const parsed = {
    ...build.defaults,
    ...parseTaskOptions(callee.options, calleeOwner, callee.ownOptions),
    ...parseTaskOptions(options, owner, names),
  };
  if (options?.id !== undefined) checkName(options.id, owner);
  return {
    callee,
    place,
    id: place.prefix + (options?.id ?? callee.name),
    mark,
    owner,
    options: options ?? {},
    parsed,
  };
}

function addNode<Out>(
  call: PreparedCall,
  { region, input }: { readonly region: string | undefined; readonly input: unknown },
): Ref<Out> {
  const { callee, place, id, mark, parsed } = call;
  const { build } = place;
  const template = toTemplate(input, { build, region, what: `the input of "${id}"`, mark });
  const teardownOf = teardownSetups(call);
  const node: NodeDraft = {
    id,
    kind: callee.kind,
    name: callee.name,
    region,
    input: template,
    after: [...place.edges, ...edgesOf(call.options.after, { build, region, what: `"${id}"`, mark })],
    rule: ruleOf(call, teardownOf),
    teardownOf,
    ...callee.decide?.({ what: capitalise(callee.what), mark: callee.mark, root: build.root }),
    ...(callee.calls === undefined ? {} : { calls: callee.calls }),
    ...assetUses(call),
    options: nodeOptions(call, template),
    description: parsed.description,
    mark,
    ...(input === undefined ? { noInput: true } : {}),
    ...(callee.run ? { run: callee.run } : {}),
  };
  build.nodes.set(id, node);
  return makeReference<Out>({
    owner: build,
    target: { kind: "output", node: id, path: [] },
    view: place.region,
  });
}

/** A called pipeline's tasks write and read, and the call does not. */
function assetUses({ callee, place, owner, parsed }: PreparedCall): Pick<NodeDraft, "writes" | "reads"> {
  const { writes = [], reads = [] } = parsed;
  if (callee.kind === "call" && writes.length + reads.length > 0)
    throw optionError(
      owner,
      `option "${writes.length > 0 ? "writes" : "reads"}" can't be set on the call of a pipeline: its own tasks say what they write and read`,
    );
  for (const one of writes) if (typeof one !== "string") place.build.written.add(one);
  const namesOf = (list: readonly (Asset | string)[]): string[] => list.map((one) => assetNameOf(one)!);
  return {
    ...(writes.length === 0 ? {} : { writes: namesOf(writes) }),
    ...(reads.length === 0 ? {} : { reads: namesOf(reads) }),
  };
}

function ruleOf(call: PreparedCall, teardownOf: readonly string[] | undefined): TriggerRule {
  const { rule } = call.options;
  if (rule === undefined) return teardownOf ? "all_done_setup_success" : "all_success";
  if (teardownOf)
    throw optionError(call.owner, 'option "rule" can\'t be set on a teardown, which has its own');
  return ruleOption(rule, call.owner);
}

/** `all_success` unless given. */
export function ruleOption(rule: unknown, owner: OptionOwner): TriggerRule {
  const known = triggerRules.filter((name) => name !== "all_done_setup_success");
  return choiceOption(rule ?? "all_success", "rule", owner, known);
}

function teardownSetups(call: PreparedCall): readonly string[] | undefined {
  const { teardown } = call.options;
  if (teardown === undefined) return undefined;
  const { build, region } = call.place;
  const edges = edgesOf(teardown, { build, region, what: `the teardown "${call.id}"`, mark: call.mark });
  if (edges.length === 0) throw optionError(call.owner, 'option "teardown" must name at least one setup');
  return edges.map((edge) => {
    if (edge.choices)
      throw optionError(call.owner, 'option "teardown" takes references to setups, not choices');
    const setup = build.nodes.get(edge.node);
    if (!encloses(build, setup?.region, region)) {
      throw graphError(build, "MILLRACE_GRAPH_INVALID", {
        message: `the teardown "${call.id}" belongs to "${edge.node}", which stands in a fan-out around it.`,
        advice: "Put setup and teardown into the same `group.map`.",
        mark: call.mark,
      });
    }
    return edge.node;
  });
}

function nodeOptions(call: PreparedCall, input: Template): NodeOptions {
  const { parsed } = call;
  return {
    retry: parsed.retry ?? noRetry,
    priority: parsed.priority ?? 0,
    queue: parsed.queue ?? "default",
    env: parsed.env ?? [],
    connections: parsed.connections ?? [],
    ...(parsed.timeoutMs === undefined ? {} : { timeoutMs: parsed.timeoutMs }),
    ...(parsed.pool ? { pool: parsed.pool } : {}),
    ...(parsed.cache ? { cache: parsed.cache } : {}),
    ...(parsed.concurrency
      ? {
          concurrency: {
            key: keyTemplate(call, parsed.concurrency.key, input),
            limit: parsed.concurrency.limit,
          },
        }
      : {}),
  };
}

function keyTemplate(
  call: PreparedCall,
  key: string | readonly (string | number)[],
  input: Template,
): Template {
  if (typeof key === "string") return { kind: "value", value: key };
  const found = templateAt(input, key);
  if (found) return found;
  throw optionError(
    call.owner,
    `option "concurrency.key" reads ${formatPath(key)}, which the input does not have`,
  );
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
