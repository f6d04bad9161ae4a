/**
 * The graph of one pipeline while its body runs. A body is synchronous, so one module variable says where calls go:
 * B1: it is set only while a body runs, and restored however the body ends.
 * B2: a node is added once, under an id that no other node or region has.
 */
import type { DescribedCondition } from "./condition/described.ts";
import {
  MillraceError,
  type EdgeDefinition,
  type ErrorCode,
  type NodeKind,
  type NodeOptions,
  type RegionDefinition,
  type SourceLocation,
  type Template,
  type TriggerRule,
  type WaitOptions,
} from "@millrace/core";
import type { ParsedOptions } from "./options.ts";
import { isReference, type ReferenceOwner } from "./reference.ts";
import { formatSource, locate, markCaller, type SourceMark, type StackFunction } from "./source.ts";

/** What a worker calls for a node. */
export type TaskFunction = (input: unknown, ctx: unknown) => unknown;

export interface NodeDraft {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  readonly region: string | undefined;
  readonly input: Template;
  after: readonly EdgeDefinition[];
  readonly rule: TriggerRule;
  readonly teardownOf: readonly string[] | undefined;
  readonly choices?: readonly string[];
  readonly skips?: "all" | "direct";
  readonly calls?: string;
  readonly wait?: WaitOptions;
  readonly writes?: readonly string[];
  readonly reads?: readonly string[];
  readonly options: NodeOptions;
  readonly description: string | undefined;
  readonly mark: SourceMark | undefined;
  /** Called without an input: the function gets none, so that its defaults hold. */
  readonly noInput?: boolean;
  readonly run?: TaskFunction;
}

export interface RegionDraft extends Omit<RegionDefinition, "source"> {
  readonly mark: SourceMark | undefined;
}

export interface Build extends ReferenceOwner {
  /** Where the pipeline is declared. */
  readonly mark: SourceMark;
  readonly captureSource: boolean;
  readonly defaults: ParsedOptions;
  readonly nodes: Map<string, NodeDraft>;
  readonly regions: Map<string, RegionDraft>;
  /** Pipelines that are called, with the place of the first call. */
  readonly callees: Map<object, SourceMark | undefined>;
  /** Assets that nodes write. */
  readonly written: Set<object>;
  /** Of the pipeline's waits. */
  readonly conditions: DescribedCondition[];
}

/** Where in the graph calls stand at the moment. */
export interface Place {
  readonly build: Build;
  /** `""`, or the enclosing groups with a slash behind each. */
  readonly prefix: string;
  readonly region: string | undefined;
  /** Edges that every node made here gets. */
  readonly edges: readonly EdgeDefinition[];
}

let current: Place | undefined;

/** The place of the running body; `what` was called by whoever called `below`. */
export function currentPlace(what: string, below: StackFunction): Place {
  if (current) return current;
  const source = locate(markCaller(below));
  throw new MillraceError("MILLRACE_GRAPH_INVALID", {
    message: `${what} was called outside a pipeline's body${source ? ` (${formatSource(source)})` : ""}.`,
    advice: "Call it inside the function given to `pipeline(…)`, and before that function returns.",
    ...(source ? { source } : {}),
  });
}

/** Runs `body` with calls going to `place`. A body that is asynchronous is refused: it would describe half a graph. */
export function runBody<T>(place: Place, what: string, body: () => T): T {
  const before = current;
  current = place;
  try {
    const result = body();
    refusePromise(result, place.build, what);
    return result;
  } finally {
    current = before;
  }
}

/** Marks the caller when the build keeps source locations. */
export function markIn(build: Build, below: StackFunction): SourceMark | undefined {
  return build.captureSource ? markCaller(below) : undefined;
}

export function graphError(
  build: Build,
  code: ErrorCode,
  details: { readonly message: string; readonly advice?: string; readonly mark?: SourceMark | undefined },
): MillraceError {
  const source = locate(details.mark ?? build.mark, build.root);
  return new MillraceError(code, {
    message: `In pipeline "${build.name}"${source ? ` (${formatSource(source)})` : ""}: ${details.message}`,
    fields: { pipeline: build.name },
    ...(details.advice === undefined ? {} : { advice: details.advice }),
    ...(source ? { source } : {}),
  });
}

/** Refuses an id that is taken. A mapped node and its region share one, and claim it once. */
export function claimId(build: Build, id: string, mark: SourceMark | undefined): void {
  const other = build.nodes.get(id) ?? build.regions.get(id);
  if (!other) return;
  const sources = [other.mark, mark].map((found) => locate(found, build.root));
  const sameLine = formatSource(sources[0]) === formatSource(sources[1]);
  const places = sources.map((source) =>
    source && sameLine ? `${formatSource(source)}:${source.column}` : formatSource(source),
  );
  throw graphError(build, "MILLRACE_GRAPH_DUPLICATE_ID", {
    message: `two nodes have the id "${id}": ${places.join(" and ")}.`,
    advice: 'Name one of them by its call: `task(input, { id: "…" })`.',
    mark,
  });
}

/** True when `outer` is `inner` or encloses it; no region encloses everything. */
export function encloses(build: Build, outer: string | undefined, inner: string | undefined): boolean {
  if (outer === undefined) return true;
  for (let region = inner; region !== undefined; region = build.regions.get(region)?.parent) {
    if (region === outer) return true;
  }
  return false;
}

export function sourceOf(build: Build, mark: SourceMark | undefined): { readonly source?: SourceLocation } {
  const source = build.captureSource ? locate(mark, build.root) : undefined;
  return source ? { source } : {};
}

function refusePromise(result: unknown, build: Build, what: string): void {
  if (isReference(result) || result === null || typeof result !== "object") return;
  if (!("then" in result) || typeof result.then !== "function") return;
  // The rest of the body runs later, outside the graph, and will fail: that failure is already told here.
  (result as PromiseLike<unknown>).then(undefined, () => undefined);
  if (build.awaited) throw build.awaited;
  throw graphError(build, "MILLRACE_GRAPH_INVALID", {
    message: `${what} is asynchronous.`,
    advice:
      "A body describes the graph and never waits: remove `async` and `await`, and do the work in a task.",
  });
}
