/** Shapes of `/api/v1`: what the server answers and the CLI reads. Times are ISO 8601 in UTC, durations are in ms. */
import type {
  CloudEvent,
  Json,
  JsonSchema,
  PipelineDefinition,
  ProjectDefinition,
  RetentionClass,
  SourceLocation,
  WebhookKind,
  TriggerDefinition,
} from "@millrace/core";
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
  readonly state: "running" | "succeeded" | "failed" | "skipped" | "cancelled" | "lost";
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
}

export interface MarkRequest {
  readonly node: string;
  readonly item?: string;
  readonly state: "succeeded" | "failed" | "skipped";
  readonly output?: Json;
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
}
export interface DeployResponse {
  readonly project: string;
  readonly deployment: number;
  readonly dryRun: boolean;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly retired: readonly string[];
  /** The same of webhooks; absent where the project has none and had none. */
  readonly webhooks?: WebhookDifference;
}
export interface WebhookDifference {
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
/** What became of a delivery. */
export interface DeliveryReceipt {
  readonly position?: number;
  /** It came before. */
  readonly duplicate?: true;
  /** It is durable, and another server will put it into the log. */
  readonly accepted?: true;
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

/** An entry of the event log. */
export interface EventView {
  readonly position: number;
  readonly recordedAt: string;
  readonly lane: string;
  readonly retention: RetentionClass;
  /** Why it does not fit its type's declaration; it fires nothing. */
  readonly invalid?: string;
  /** Its data is large and left out here; `GET /events/:position` has it. */
  readonly dataBytes?: number;
  /** A CloudEvent in its JSON form. */
  readonly event: CloudEvent;
}

/** What became of one event: recorded or a repeat (both with the position), on its way into the log, or refused. */
export interface EventReceipt {
  readonly position?: number;
  /** It was in the log before. */
  readonly duplicate?: true;
  /** It is durable, and another server will put it into the log. */
  readonly accepted?: true;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly advice: string;
    readonly fields?: { readonly [name: string]: Json };
  };
}

export interface EventBatchReceipt {
  /** One for each event, in their order. */
  readonly items: readonly EventReceipt[];
  /** How many of them have an error. */
  readonly rejected: number;
}

/** A place in the event log. */
export interface LogPlaceView {
  readonly position: number;
  /** Log time. */
  readonly at: string;
}

/** The trigger of a pipeline. */
export interface TriggerSummary {
  readonly pipeline: string;
  /** Rises only when the trigger changes. */
  readonly version: number;
  /** Its condition in words. */
  readonly condition: string;
  readonly operands: readonly string[];
  /** Whether it has separate state for each value of a key. */
  readonly keyed: boolean;
  /** Where in the log this version began. */
  readonly activated: LogPlaceView;
  readonly paused?: LogPlaceView;
  /** When time alone changes something next. */
  readonly nextDue?: string;
  /** Values of its key that have state; `keysAreMore` where not all were counted. */
  readonly keys: number;
  readonly keysAreMore?: true;
  readonly lastFiring?: { readonly at: string; readonly runId?: string };
}
export interface TriggerDetail extends TriggerSummary {
  readonly definition: TriggerDefinition;
}

/** One satisfaction of a trigger. */
export interface FiringView {
  /** Its name below its trigger: version, occurrence, revision and key. */
  readonly id: string;
  readonly pipeline: string;
  readonly version: number;
  /** Absent where the trigger has no keys. */
  readonly key?: string;
  readonly occurrence: number;
  readonly revision: number;
  /** Log time at which it was decided, and the entry before. */
  readonly at: string;
  readonly position: number;
  readonly runId?: string;
  /** Why no run could begin. */
  readonly reason?: Reason;
  readonly memberCount: number;
}
/** What satisfied it: an event, or a span of time. */
export interface FiringMemberView {
  readonly operand: string;
  readonly position?: number;
  /** Absent where the log no longer has it. */
  readonly event?: Pick<CloudEvent, "type" | "source" | "id" | "subject">;
  readonly recordedAt?: string;
  /** Of a tick or a silence. */
  readonly from?: string;
  readonly at?: string;
}
export interface FiringDetail extends FiringView {
  /** The first ones, where there are very many. */
  readonly members: readonly FiringMemberView[];
}

/** The state of a condition as a tree: for each operand, what it has and what it waits for. */
export interface ExplanationView {
  readonly kind: string;
  readonly name?: string;
  readonly state: "waiting" | "gathering" | "held" | "blocked";
  readonly text: string;
  /** The newest of those that it has gathered, and how many there are. */
  readonly members?: readonly FiringMemberView[];
  readonly memberCount?: number;
  readonly since?: string;
  readonly due?: string;
  readonly of?: readonly ExplanationView[];
}

export interface TriggerKeyView {
  readonly key: string;
  readonly touchedAt: string;
  readonly due?: string;
}

/**
 * What became of an event for a trigger. `member`: it is part of firings. `gathered`: it waits in the state of a key.
 * `expired`: it was gathered and given up. `not_counted`: as the condition stood, it changed nothing.
 */
export type EventVerdict =
  | "member"
  | "gathered"
  | "wrong_type"
  | "filtered"
  | "no_key"
  | "invalid"
  | "wrong_lane"
  | "stale"
  | "paused"
  | "left_out"
  | "unread"
  | "expired"
  | "not_counted"
  | "unknown";

export interface EventExplanation {
  readonly position: number;
  readonly type: string;
  readonly verdict: EventVerdict;
  /** As a sentence. */
  readonly text: string;
  /** The keys that it concerns, where the trigger has keys. */
  readonly keys?: readonly string[];
  readonly firings?: readonly FiringView[];
  /** For `filtered`: which part of which operand's filter did not hold. */
  readonly faults?: readonly {
    readonly operand: string;
    readonly part: string;
    readonly expected: string;
    readonly found: string;
  }[];
  /** Set when rows alone did not tell, and the log was told again to a state of its own. */
  readonly replayed?: { readonly from: number; readonly to: number; readonly isWhole: boolean };
}

export interface TriggerExplanation {
  readonly trigger: TriggerSummary;
  /** The key whose state this is. */
  readonly key?: string;
  readonly state?: ExplanationView;
  /** Some keys, where none was named. */
  readonly keys?: readonly TriggerKeyView[];
  readonly event?: EventExplanation;
}

export interface SimulateRequest {
  /** The condition of a deployed pipeline, unless `trigger` is given. */
  readonly pipeline?: string;
  readonly trigger?: Json;
  /** Log time, or a position: what was recorded then or later, or after it. */
  readonly since?: string;
  readonly after?: number;
  /** How many firings are listed: the newest. */
  readonly limit?: number;
}
export interface SimulatedFiring {
  readonly key?: string;
  readonly occurrence: number;
  readonly revision: number;
  readonly at: string;
  readonly interval?: { readonly from: string; readonly to: string };
  readonly memberCount: number;
  /** The first ones. */
  readonly members: readonly FiringMemberView[];
}
export interface SimulateResponse {
  /** The condition in words. */
  readonly condition: string;
  /** The entries that were told: after `from`, up to `to`. */
  readonly from: number;
  readonly to: number;
  /** Set when it ended before the end of the log. */
  readonly cut?: string;
  /** Entries whose type the condition asks for. */
  readonly concerned: number;
  readonly firingCount: number;
  readonly firings: readonly SimulatedFiring[];
}

export type OnResume = "all" | "latest" | "none" | { readonly limit: number };
export interface ResumeRequest {
  /** What becomes of the firings that came while it was paused; as the trigger says unless given. */
  readonly onResume?: OnResume;
  /** Only say which firings it would make. */
  readonly preview?: boolean;
}
export interface ResumePreview {
  readonly pipeline: string;
  readonly onResume: OnResume;
  /** Absent: it is not paused, or has no trigger. */
  readonly paused?: LogPlaceView;
  readonly firingCount: number;
  /** The first ones. */
  readonly firings: readonly SimulatedFiring[];
}

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
 * POST /runs StartRunRequest → StartRunResponse
 * GET  /runs?pipeline=&state=&label=k:v&cursor=&limit= → Page<RunSummary>, newest first
 * GET  /runs/:id → RunDetail (`?generation=` for an earlier one)
 * GET  /runs/:id/nodes?cursor=&limit=&node=&state= → Page<TaskRunView>
 * GET  /runs/:id/events → server-sent RunEvent (`?logs=true` with logs)
 * GET  /runs/:id/logs?node=&item=&attempt=&generation=&cursor=&limit= → Page<LogEntry>
 * GET  /runs/:id/artifacts → Page<ArtifactView>
 * POST /runs/:id/cancel CancelRequest → { run }
 * POST /runs/:id/rerun RerunRequest → { run }
 * POST /runs/:id/mark MarkRequest → { run }
 * GET  /pipelines → Page<PipelineSummary>;  GET /pipelines/:name → PipelineDetail
 * POST /pipelines/:name/pause → PipelineSummary
 * POST /pipelines/:name/resume ResumeRequest → PipelineSummary, or ResumePreview
 * GET  /triggers → Page<TriggerSummary>;  GET /triggers/:pipeline → TriggerDetail
 * GET  /triggers/:pipeline/firings?key=&cursor=&limit= → Page<FiringView>, newest first
 * GET  /triggers/:pipeline/firings/:firing → FiringDetail
 * GET  /triggers/:pipeline/explain?key=&event=&source= → TriggerExplanation
 * POST /triggers/simulate SimulateRequest → SimulateResponse
 * GET  /runs/:id/firing → { firing: FiringDetail | null }
 * GET  /events/:position/firings → Page<FiringView>
 * PUT  /bundles/:hash BundleUpload;  GET /bundles/:hash → BundleUpload;  HEAD /bundles/:hash
 * PUT  /blobs/:hash (bytes);  GET /blobs/:hash → bytes
 * POST /deployments DeployRequest → DeployResponse;  GET /deployments?project= → Page<DeploymentView>
 * POST /deployments/rollback RollbackRequest → DeployResponse
 * POST /events (a CloudEvent: structured, batch or binary mode) → EventReceipt, of a batch EventBatchReceipt
 * GET  /events?type=&subject=&source=&id=&since=&until=&after=&cursor=&limit= → Page<EventView>, newest first
 * GET  /events/:position → EventView
 * GET  /events/follow?type=&subject=&source=&after= → server-sent EventView with their positions as ids (Last-Event-ID)
 * GET  /pools → Page<PoolView>;  PUT /pools/:name { slots } → PoolView
 * GET  /workers → Page<WorkerView>
 * WS   /worker (worker protocol)
 */
/** The label that names the node of a run that is to be debugged: `node`, or `node[item]`. */
export const inspectLabel = "millrace.inspect";

export const apiPrefix = "/api/v1";
