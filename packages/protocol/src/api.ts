/** Shapes of `/api/v1`: what the server answers and the CLI reads. Times are ISO 8601 in UTC, durations are in ms. */
import type {
  Json,
  JsonSchema,
  PipelineDefinition,
  ProjectDefinition,
  SourceLocation,
  SourceKind,
  SourceProblem,
  WebhookKind,
} from "@millrace/core";
import type { OpenWaitView } from "./api-wait.ts";
import type { LogLine } from "./worker.ts";

export type RunState =
  | "queued"
  | "running"
  | "waiting"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "superseded"
  | "quarantined";
export type TaskRunState =
  | "pending"
  | "queued"
  | "running"
  | "waiting"
  | "retrying"
  | "succeeded"
  | "failed"
  | "upstream_failed"
  | "skipped"
  | "cancelled";

/** Why something is in the state that it is in: `code` for machines, `message` for people. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly fields?: { readonly [name: string]: Json };
}

export interface RunSummary {
  readonly id: string;
  readonly pipeline: string;
  readonly project: string;
  readonly state: RunState;
  readonly reason?: Reason;
  readonly generation: number;
  readonly bundle: string;
  readonly labels: { readonly [name: string]: string };
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Set when a `call` node started it. */
  readonly parent?: { readonly runId: string; readonly node: string; readonly item: string };
}

export interface AttemptView {
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  readonly state: "running" | "succeeded" | "failed" | "skipped" | "cancelled" | "lost" | "suspended";
  readonly worker?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly stack?: string;
    readonly code?: string;
    /** The stack of what caused it, and of what caused that. */
    readonly cause?: string;
  };
}

export interface TaskRunView {
  /** The node's id. */
  readonly id: string;
  /** `""` outside regions, else the item path: `"3"`, `"3.0"`. */
  readonly item: string;
  readonly state: TaskRunState;
  readonly reason?: Reason;
  readonly generation: number;
  readonly output?: Json;
  /** Set in place of `output` when that is too large to send along. */
  readonly outputBlob?: { readonly hash: string; readonly bytes: number };
  readonly attempts: readonly AttemptView[];
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly progress?: { readonly fraction: number; readonly message?: string };
  /** The run that a `call` node started. */
  readonly childRunId?: string;
  /** What it waits for, while it does; the first ones, where there are very many. */
  readonly waits?: readonly OpenWaitView[];
}

export interface RunDetail {
  readonly run: RunSummary & {
    readonly params: Json;
    readonly output?: Json;
    /** Set in place of `output` when that is too large to send along. */
    readonly outputBlob?: { readonly hash: string; readonly bytes: number };
  };
  readonly nodes: readonly TaskRunView[];
  /** Set when `nodes` is cut: ask `/runs/:id/nodes?cursor=` for the rest. */
  readonly nextCursor?: string;
}

export interface StartRunRequest {
  readonly pipeline: string;
  readonly params?: Json;
  readonly labels?: { readonly [name: string]: string };
  /** The partition to run for: a key of those that the pipeline's trigger is about. */
  readonly partition?: string;
  /** A repeated request with the same key answers with the first one's run. */
  readonly idempotencyKey?: string;
  /** Start although the pipeline is paused. */
  readonly force?: boolean;
}
export interface StartRunResponse {
  readonly run: RunSummary;
  /** False when the idempotency key had made it before. */
  readonly created: boolean;
}

export interface CancelRequest {
  readonly node?: string;
  readonly item?: string;
}

export interface RerunRequest {
  /** `failed`: what did not succeed and all downstream. `nodes`: those and all downstream. `all`: the whole run. */
  readonly scope: "failed" | "nodes" | "all";
  readonly nodes?: readonly string[];
  readonly sameBundle?: boolean;
  /** Only tell what it would affect. */
  readonly preview?: boolean;
}

export interface MarkRequest {
  readonly node: string;
  readonly item?: string;
  readonly state: "succeeded" | "failed" | "skipped";
  readonly output?: Json;
  /** Only tell what it would affect. */
  readonly preview?: boolean;
}

export interface MoveRequest {
  /** Its hash; the pipeline's newest when absent. */
  readonly bundle?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

export interface PipelineSummary {
  readonly name: string;
  readonly project: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: readonly string[];
  readonly paused: boolean;
  /** True when an operator set `paused`, so that deploys leave it. */
  readonly pausedByOperator: boolean;
  readonly retired: boolean;
  readonly nodes: number;
  readonly maxActiveRuns?: number;
  readonly bundle: string;
  readonly source?: SourceLocation;
  readonly lastRun?: { readonly id: string; readonly state: RunState; readonly createdAt: string };
}
export interface PipelineDetail extends PipelineSummary {
  readonly definition: PipelineDefinition;
  readonly paramsSchema?: JsonSchema;
}

/** A bundle's manifest; its hash is the sha256 (hex) of the canonical JSON of the manifest without `hash`. */
export interface BundleManifest {
  readonly hash: string;
  readonly formatVersion: 1;
  readonly project: string;
  /** sha256 (hex) of the code and of the source map. */
  readonly codeHash: string;
  readonly mapHash: string;
  readonly codeBytes: number;
  /** Packages that stay outside (native code), with exact versions. */
  readonly externals: { readonly [name: string]: string };
  /** `${process.platform}-${process.arch}` when there are externals, else `any`. */
  readonly platform: string;
  readonly nodeMajor: number;
  /** Where externals are resolved from on the machine that made the bundle: a worker elsewhere ignores it. */
  readonly projectRoot: string;
}
/** What `PUT /bundles/:hash` takes and `GET /bundles/:hash` gives. */
export interface BundleUpload {
  readonly manifest: BundleManifest;
  readonly code: string;
  readonly map: string;
}

export interface DeployRequest {
  readonly bundle: string;
  readonly definition: ProjectDefinition;
  readonly dryRun?: boolean;
  /** Pipelines whose triggers are new begin paused, until an operator resumes them. */
  readonly newTriggers?: "paused";
}
export interface DeployResponse {
  readonly project: string;
  readonly deployment: number;
  readonly dryRun: boolean;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly retired: readonly string[];
  /** Those whose triggers are new and begin paused; absent where there are none. */
  readonly pausedTriggers?: readonly string[];
  /** Schedules in triggers whose instants are all over, so that no tick of them is to come; absent where there are none. */
  readonly spentSchedules?: readonly SpentSchedule[];
  /** The same of webhooks; absent where the project has none and had none. */
  readonly webhooks?: NamesDifference;
  /** The same of assets. */
  readonly assets?: NamesDifference;
  /** The same of sources. */
  readonly sources?: NamesDifference;
  /** The same of declared event types. */
  readonly eventTypes?: NamesDifference;
}
export interface SpentSchedule {
  readonly pipeline: string;
  /** Its last instant (ISO 8601). */
  readonly last: string;
}
export interface NamesDifference {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly retired: readonly string[];
}
export interface DeploymentView {
  readonly project: string;
  readonly deployment: number;
  readonly bundle: string;
  readonly active: boolean;
  readonly createdAt: string;
  readonly pipelines: readonly string[];
}
export interface RollbackRequest {
  readonly project: string;
  /** Absent: the one before the active one. */
  readonly deployment?: number;
}

export interface PoolView {
  readonly name: string;
  readonly slots: number;
  readonly used: number;
  readonly waiting: number;
  readonly setByOperator: boolean;
}

export interface WebhookView {
  readonly name: string;
  readonly project: string;
  readonly kind: WebhookKind;
  /** Where senders deliver; without the server's own address, where it was not told its public one. */
  readonly address: string;
  /** Environment variables that it names and the server does not have. */
  readonly missingSecrets: readonly string[];
  readonly source?: SourceLocation;
}
export interface SourceView {
  readonly name: string;
  readonly project: string;
  readonly kind: SourceKind;
  /** What it reads, in words: a folder and a glob. */
  readonly reads: string;
  /** `waiting`: no server has taken it up yet. */
  readonly state: "waiting" | "starting" | "running" | "failing" | "paused" | "stopped";
  /** Since when it has this state. */
  readonly since?: string;
  readonly paused: boolean;
  /** Events so far, and when the last one was told. */
  readonly events: number;
  readonly lastEventAt?: string;
  /** Things that were told and are there: files. */
  readonly remembered: number;
  /** Things that may still change. */
  readonly settling: number;
  /** Things that wait for something else, such as a marker. */
  readonly waiting: number;
  /** When all of it was looked at last, how long that took, and what was there. */
  readonly lastScan?: { readonly at: string; readonly tookMs: number; readonly things: number };
  /** Why it fails; or what is wrong, while it goes on. */
  readonly error?: SourceProblem;
  readonly problem?: SourceProblem;
  readonly source?: SourceLocation;
}

/** What became of a delivery. */
export interface DeliveryReceipt {
  readonly position?: number;
  /** It came before. */
  readonly duplicate?: true;
  /** It is durable, and another server will put it into the log. */
  readonly accepted?: true;
  /** Why it does not fit its webhook or its type's declaration: it is kept, and starts nothing. Not told of a repeat. */
  readonly invalid?: string;
  /** Another body came before under the same name, at this position: this one is kept, and starts nothing. */
  readonly conflict?: number;
}

export interface WorkerView {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly busy: number;
  readonly labels: { readonly [name: string]: string };
  readonly version: string;
  readonly draining: boolean;
  readonly connectedAt: string;
}

export interface ServerInfo {
  readonly version: string;
  readonly node: string;
  readonly state: "starting" | "ready" | "stopping" | "database_lost";
  readonly shards: number;
  readonly workers: number;
  readonly activeRuns: number;
  readonly database: { readonly version: string; readonly embedded: boolean };
}

export interface LogEntry extends LogLine {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly position: number;
}

export interface ArtifactView {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly name: string;
  readonly type: string;
  readonly mediaType: string;
  readonly blob: string;
  readonly bytes: number;
}

/** Server-sent events of `GET /runs/:id/events`: first one `snapshot`, then changes, and `end` when the run ended or is quarantined. */
export type RunEvent =
  | { readonly kind: "snapshot"; readonly detail: RunDetail }
  | { readonly kind: "run"; readonly run: RunSummary }
  | { readonly kind: "node"; readonly node: TaskRunView }
  | {
      readonly kind: "progress";
      readonly node: string;
      readonly item: string;
      readonly fraction: number;
      readonly message?: string;
    }
  | { readonly kind: "log"; readonly entry: LogEntry }
  | { readonly kind: "end"; readonly run: RunSummary };

/**
 * Runs of these pipelines changed; of any, where none is named. An empty list: news may have been missed. The empty name stands
 * for workers: they came, went or drain.
 */
export interface ActivityEvent {
  readonly pipelines?: readonly string[];
}

/** Data of the server-sent events of `GET /live`: of `log` an EventView, of `activity` an ActivityEvent, of runs a RunEvent. */
export type LiveEvent =
  | { readonly topic: string; readonly data: unknown }
  | { readonly topic: string; readonly refused: Problem };

/** RFC 9457. `type` is `urn:millrace:error:CODE`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly advice: string;
  readonly fields?: { readonly [name: string]: Json };
  readonly source?: SourceLocation;
}

/**
 * The routes (all below `/api/v1`):
 *
 * GET  /info → ServerInfo
 * GET  /overview → Overview;  GET /timeline?hours= → TimelineView
 * GET  /system → SystemView
 * POST /runs StartRunRequest → StartRunResponse
 * GET  /runs?pipeline=&state=&label=k:v&cursor=&limit= → Page<RunSummary>, newest first
 * GET  /runs/:id → RunDetail (`?generation=` for an earlier one)
 * GET  /runs/:id/nodes?cursor=&limit=&node=&state= → Page<TaskRunView>
 * GET  /runs/:id/events → server-sent RunEvent (`?logs=true` with logs)
 * GET  /runs/:id/logs?node=&item=&attempt=&generation=&cursor=&limit= → Page<LogEntry>
 * GET  /runs/:id/artifacts → Page<ArtifactView>
 * GET  /runs/:id/steps?node=&cursor=&limit= → Page<StepView>
 * POST /runs/:id/cancel CancelRequest → { run }
 * POST /runs/:id/rerun RerunRequest → { run }, or RunChangePreview
 * POST /runs/:id/move MoveRequest → { run }
 * POST /runs/:id/mark MarkRequest → { run }, or RunChangePreview
 * GET  /runs/:id/definition → RunDefinitionView;  GET /runs/:id/causes → RunCausesView;  GET /runs/:id/effects → RunEffectsView
 * GET  /runs/:id/input?node=&item= → TaskInputView
 * GET  /runs/:id/lines?node=&item=&attempt=&generation=&level=&find=&order=&cursor=&limit= → LogLinesView
 * GET  /runs/:id/log?format=&… → the log as a file
 * GET  /waits?pipeline=&kind=&type=&cursor=&limit= → Page<WaitView>, by the order in which they were made
 * GET  /approvals?state=&pipeline=&cursor=&limit= → Page<ApprovalView>: open ones, the oldest first; answered ones, the newest
 * GET  /approvals/:id → ApprovalView
 * POST /approvals/:id AnswerRequest → ApprovalView
 * GET  /pipelines → Page<PipelineSummary>;  GET /pipelines/:name → PipelineDetail
 * GET  /pipelines/:name/grid?states=&cursor=&limit= → GridPage, runs newest first
 * GET  /pipelines/:name/versions?cursor=&limit= → Page<PipelineVersionView>, newest first
 * POST /pipelines/:name/pause → PipelineSummary
 * POST /pipelines/:name/resume ResumeRequest → PipelineSummary, or ResumePreview
 * GET  /triggers → Page<TriggerSummary>;  GET /triggers/:pipeline → TriggerDetail
 * GET  /triggers/:pipeline/keys?after=&cursor=&limit= → Page<TriggerKeyView>, by key
 * GET  /triggers/:pipeline/firings?key=&cursor=&limit= → Page<FiringView>, newest first
 * GET  /triggers/:pipeline/firings/:firing → FiringDetail
 * GET  /triggers/:pipeline/explain?key=&event=&source= → TriggerExplanation
 * POST /triggers/simulate SimulateRequest → SimulateResponse
 * GET  /schedules?from=&to=&ticks=&cursor=&limit= → Page<ScheduleTicksView>, by pipeline
 * GET  /assets → Page<AssetSummary>;  GET /assets/:asset → AssetDetail
 * GET  /assets/:asset/cells?until=&after=&limit= → AssetCellsView
 * GET  /assets/:asset/partitions?cursor=&limit= → Page<AssetPartitionView>
 * GET  /assets/:asset/partitions/:partition → AssetPartitionView
 * GET  /runs/:id/assets → Page<AssetUseView>
 * GET  /runs/:id/firing → { firing: FiringDetail | null }
 * GET  /runs/:id/firing/members?operand=&cursor= → Page<FiredMemberView>, in their order
 * GET  /events/:position/firings → Page<FiringView>
 * PUT  /bundles/:hash BundleUpload;  GET /bundles/:hash → BundleUpload;  HEAD /bundles/:hash
 * PUT  /blobs/:hash (bytes);  GET /blobs/:hash → bytes
 * POST /deployments DeployRequest → DeployResponse;  GET /deployments?project= → Page<DeploymentView>
 * POST /deployments/rollback RollbackRequest → DeployResponse
 * POST /events (a CloudEvent: structured, batch or binary mode) → EventReceipt, of a batch EventBatchReceipt
 * GET  /events?type=&subject=&source=&id=&since=&until=&after=&cursor=&limit= → Page<EventView>, newest first
 * GET  /events/:position → EventView
 * GET  /events/follow?type=&subject=&source=&after= → server-sent EventView with their positions as ids (Last-Event-ID)
 * GET  /live?topics=log,activity,run:ID,run-logs:ID → server-sent LiveEvent (Last-Event-ID: of the log)
 * GET  /pools → Page<PoolView>;  PUT /pools/:name { slots } → PoolView
 * GET  /workers → Page<WorkerView>;  GET /queues → Page<QueueView>
 * GET  /limits → Page<LimitView>, those that somebody waits for;  GET /limits/:kind/:name → LimitDetail
 * WS   /worker (worker protocol)
 */
/** The label that names the node of a run that is to be debugged: `node`, or `node[item]`. */
export const inspectLabel = "millrace.inspect";
/** The label that names the partition of a run: the engine gives it, and a called pipeline's run takes it over. */
export const partitionLabel = "millrace.partition";

export const apiPrefix = "/api/v1";
