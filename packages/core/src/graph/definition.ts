/**
 * What a pipeline is, as data. The SDK writes it, the loader sends it, the server keeps it, the run machine
 * compiles it (`graph/compile.ts`). Everything here is JSON.
 *
 * A *region* is a part of the graph that runs once per item of a list: `task.map(list)` is a region with one node,
 * a mapped group a region with several, a region inside a region is nested fan-out. A task run is therefore named by
 * its node and its item path: one index per enclosing region, outermost first.
 */
import type { EventTypeDefinition } from "../event/event-type.ts";
import type { Json, Path } from "../json.ts";
import type { AssetDefinition } from "../partition/definition.ts";
import type { RetryPolicy } from "../retry/policy.ts";
import type { TriggerDefinition } from "../trigger/trigger.ts";
import type { ProbeDefinition } from "../probe/probe.ts";
import type { SourceDefinition } from "../source/source.ts";
import type { WebhookDefinition } from "../webhook/webhook.ts";

export type JsonSchema = { readonly [key: string]: Json } | boolean;

export const triggerRules = [
  "all_success",
  "all_failed",
  "all_done",
  "all_done_min_one_success",
  "all_skipped",
  "one_success",
  "one_failed",
  "one_done",
  "none_failed",
  "none_failed_min_one_success",
  "none_skipped",
  "always",
  "all_done_setup_success",
] as const;
/** Airflow's thirteen names. `all_done_setup_success` is the teardown's own. */
export type TriggerRule = (typeof triggerRules)[number];

/** A value with holes that are filled when a task run starts. */
export type Template =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "object"; readonly entries: { readonly [key: string]: Template } }
  | { readonly kind: "array"; readonly items: readonly Template[] }
  /** The output of a node. Seen from outside the node's regions it is the list of its items' outputs, in order. */
  | { readonly kind: "output"; readonly node: string; readonly path: Path }
  /** The current element of an enclosing region. With several lists the element is a tuple. */
  | { readonly kind: "item"; readonly region: string; readonly path: Path }
  /** The current index in an enclosing region, from 0. */
  | { readonly kind: "index"; readonly region: string }
  | { readonly kind: "params"; readonly path: Path }
  /** What satisfied the trigger (`trigger/firing.ts`). */
  | { readonly kind: "firing"; readonly path: Path };

export interface SourceLocation {
  /** Relative to the project's root, with `/`. */
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** Order without data. `choices`: this edge follows a branch, and holds when one of these was chosen. */
export interface EdgeDefinition {
  readonly node: string;
  readonly choices?: readonly string[];
}

export interface PoolUse {
  readonly name: string;
  readonly slots: number;
}

export interface ConcurrencyUse {
  /** Resolved to a string per task run; task runs with the same key share the limit. */
  readonly key: Template;
  readonly limit: number;
}

export interface CacheUse {
  /** How long a recorded output may be reused, in ms; absent: for ever. */
  readonly expiryMs?: number;
  /** Part of the cache key: change it to forget what was recorded. */
  readonly version: string;
}

/** Task options after defaults were applied: nothing is left to look up. */
export interface NodeOptions {
  readonly retry: RetryPolicy;
  /** Running time of one attempt, in ms. */
  readonly timeoutMs?: number;
  readonly pool?: PoolUse;
  /** Higher goes first; one step is worth a bounded number of places, so nothing starves. −1000…1000. */
  readonly priority: number;
  readonly queue: string;
  readonly concurrency?: ConcurrencyUse;
  readonly cache?: CacheUse;
  /** Names of environment variables that the attempt may see. */
  readonly env: readonly string[];
  /** Names of connections that the attempt may see. */
  readonly connections: readonly string[];
}

export type NodeKind = "task" | "branch" | "short_circuit" | "call" | "wait";

export interface NodeDefinition {
  /** Unique in the pipeline; groups are part of it: `clean/airports`. */
  readonly id: string;
  readonly kind: NodeKind;
  /** Name of the task (or of the called pipeline). */
  readonly name: string;
  /** The innermost region that the node stands in. */
  readonly region?: string;
  readonly input: Template;
  readonly after: readonly EdgeDefinition[];
  readonly rule: TriggerRule;
  /** Set on a teardown: the nodes whose success makes it run. They are parents, too. */
  readonly teardownOf?: readonly string[];
  /** A branch's possible answers. */
  readonly choices?: readonly string[];
  /** A short circuit that answers falsy skips everything downstream (`all`), or what hangs on it directly (`direct`). */
  readonly skips?: "all" | "direct";
  /** The pipeline that a `call` starts. */
  readonly calls?: string;
  /** Set on a `wait`. Its input is the JSON form of a condition, or, for an approval, what the person is shown. */
  readonly wait?: WaitOptions;
  /** Names of the assets that its success updates, and of those that it is made of. Absent: none. */
  readonly writes?: readonly string[];
  readonly reads?: readonly string[];
  readonly options: NodeOptions;
  readonly source?: SourceLocation;
  readonly description?: string;
}

export interface WaitOptions {
  /** From when the node begins to wait, in ms; absent: it waits for as long as the run goes on. */
  readonly timeoutMs?: number;
  /** What becomes of the node then: it fails, is skipped, or succeeds and says so in its output. */
  readonly onTimeout: "fail" | "skip" | "continue";
  /** Set where a person ends the wait. */
  readonly approval?: ApprovalOptions;
}

export interface ApprovalOptions {
  /** The question. */
  readonly title?: string;
  /** Who may answer; anybody who may operate runs, if absent. */
  readonly by?: readonly string[];
  /** What is entered with an approval. */
  readonly form?: JsonSchema;
  /** What becomes of the node when the answer is no: it fails, is skipped, or succeeds and says so in its output. */
  readonly onReject: "fail" | "skip" | "continue";
}

export interface RegionDefinition {
  /** The id of its only node, or of its group. */
  readonly id: string;
  readonly parent?: string;
  /** One list: items are its elements. Several: items are tuples, by `combine`. */
  readonly over: readonly Template[];
  readonly combine: "zip" | "cross";
  /** How many items may be under way at once; absent: no bound of its own. */
  readonly concurrency?: number;
  /** References to the nodes from outside give settled results, and failed items don't fail those who read them. */
  readonly settled: boolean;
  readonly source?: SourceLocation;
}

export interface PipelineDefinition {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: readonly string[];
  /** Initial value: what an operator sets holds. */
  readonly paused: boolean;
  readonly maxActiveRuns?: number;
  /** From the run's start, in ms; then the run is cancelled and ends failed. */
  readonly deadlineMs?: number;
  /** JSON Schema 2020-12 of the parameters, and whether the author's own validator also runs on the worker. */
  readonly params?: { readonly schema: JsonSchema; readonly validateOnWorker: boolean };
  /** What starts runs of it. */
  readonly trigger?: TriggerDefinition;
  readonly nodes: readonly NodeDefinition[];
  readonly regions: readonly RegionDefinition[];
  /** What the run returns to its caller. */
  readonly output?: Template;
  readonly source?: SourceLocation;
}

/** What the loader found in a project: the unit of a deploy. */
export interface ProjectDefinition {
  readonly project: string;
  readonly pipelines: readonly PipelineDefinition[];
  readonly pools: { readonly [name: string]: number };
  readonly queues: readonly string[];
  /** Absent in what was deployed before there were any. */
  readonly webhooks?: readonly WebhookDefinition[];
  /** Those that the project owns. Absent in what was deployed before there were any. */
  readonly assets?: readonly AssetDefinition[];
  readonly sources?: readonly SourceDefinition[];
  readonly probes?: readonly ProbeDefinition[];
  /** Absent where none is declared. */
  readonly eventTypes?: readonly EventTypeDefinition[];
}
