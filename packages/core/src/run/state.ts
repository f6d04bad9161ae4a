/**
 * The run machine's state and vocabulary. A run's state belongs to exactly one owner, which hands it to `decide` and
 * must use what comes back: `decide` reuses the objects (a run may hold tens of thousands), so a state that was handed
 * over must not be read again. An owner that could not commit what was decided throws the state away and rebuilds it
 * from its rows (`hydrate.ts`).
 */
import type { AssetReport } from "../asset/report.ts";
import type { EventDraft } from "../event/event.ts";
import type { Graph, GraphNode, GraphRegion } from "../graph/graph.ts";
import type { Json } from "../json.ts";
import type { AttemptError } from "../retry/policy.ts";
import type {
  CodeState,
  OpenWait,
  OperationName,
  OperationOutcome,
  StepRecord,
  WaitRequest,
} from "./wait.ts";

export const taskRunStates = [
  "pending",
  "queued",
  "running",
  "waiting",
  "retrying",
  "succeeded",
  "failed",
  "upstream_failed",
  "skipped",
  "cancelled",
] as const;
export type TaskRunState = (typeof taskRunStates)[number];

export const runStates = [
  "queued",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "cancelled",
  "superseded",
  "quarantined",
] as const;
export type RunState = (typeof runStates)[number];

export type EndState = Extract<
  TaskRunState,
  "succeeded" | "failed" | "upstream_failed" | "skipped" | "cancelled"
>;

export function isEndState(state: TaskRunState): state is EndState {
  return (
    state === "succeeded" ||
    state === "failed" ||
    state === "upstream_failed" ||
    state === "skipped" ||
    state === "cancelled"
  );
}

export function isRunEnded(state: RunState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled" || state === "superseded";
}

/** Why a state that is not progress is what it is. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly fields?: { readonly [name: string]: Json };
}

/** A recorded value: itself, or the blob that holds its JSON text; `value` is set while the blob is loaded. */
export type StoredValue =
  | { readonly value: Json; readonly blob?: undefined }
  | { readonly blob: string; readonly bytes: number; value?: Json };

export interface TaskRun {
  readonly node: GraphNode;
  readonly scope: Scope;
  /** Path of the scope; a node of a region that is not expanded is named by the scope around the region. */
  readonly item: string;
  state: TaskRunState;
  reason: Reason | undefined;
  /** The generation in which it last started afresh. */
  generation: number;
  /** Tries by the user's policy, from 1; 0 before the first. */
  attempt: number;
  /** Hand-overs in this generation, from 1; the fencing token's last part. */
  dispatch: number;
  /** Consecutive dispatches that were lost together with their worker. */
  losses: number;
  worker: string | undefined;
  output: StoredValue | undefined;
  error: AttemptError | undefined;
  /** ms since the epoch, database time. */
  readyAt: number | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** When a `retrying` one is due. */
  resumeAt: number | undefined;
  childRunId: string | undefined;
  /** Only of a task whose function has recorded something or waited. */
  code: CodeState | undefined;
  /** A revoke was sent; what comes back counts as cancelled. */
  revoked: boolean;
  /** Kept from an earlier generation by a rerun. */
  carried: boolean;
  /** The parents before this one have all ended. */
  openEdge: number;
}

/** How many of a node's instances below one scope have which outcome. */
export interface Tally {
  open: number;
  succeeded: number;
  failed: number;
  upstreamFailed: number;
  skipped: number;
  cancelled: number;
}

/** One region below one scope: not expanded, expanded into items, or closed without items. */
export interface Expansion {
  readonly region: GraphRegion;
  readonly scope: Scope;
  state: "pending" | "expanded" | "closed";
  /** The task runs that stand for the region's nodes while it is not expanded. */
  placeholders: TaskRun[];
  items: Scope[];
  /** Items that have not ended. */
  openItems: number;
  activeItems: number;
  /** Next item to activate. */
  nextItem: number;
}

/** The root, or one item of a region: where instances of nodes stand. */
export interface Scope {
  readonly region: GraphRegion | undefined;
  readonly parent: Scope | undefined;
  readonly expansion: Expansion | undefined;
  readonly index: number;
  readonly path: string;
  readonly depth: number;
  readonly item: Json | undefined;
  readonly taskRuns: TaskRun[];
  readonly expansions: Expansion[];
  /** By node index; only nodes that somebody counts at this level. */
  readonly tallies: Map<number, Tally> | undefined;
  /** False while the region's concurrency holds the item back, and at the root before the run starts. */
  active: boolean;
  /** Own task runs and expansions that have not ended. */
  open: number;
}

export interface CancelRequest {
  readonly by: "user" | "deadline" | "parent";
  readonly reason: Reason;
  /** Set by a second request: teardowns are cancelled, too. */
  force: boolean;
}

/** A run as the machine sees it. */
export interface Run {
  readonly id: string;
  readonly graph: Graph;
  readonly generation: number;
  /** Nesting of calls, 0 for a run that nobody called. */
  readonly depth: number;
  readonly params: StoredValue;
  /** What satisfied the trigger, as `firingValue` gives it; a pipeline without a trigger has none. */
  readonly firing: StoredValue | undefined;
  readonly root: Scope;
  state: RunState;
  reason: Reason | undefined;
  createdAt: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
  output: StoredValue | undefined;
  cancel: CancelRequest | undefined;
  /** How many task runs are in each state that keeps the run going. */
  readonly counts: { queued: number; running: number; waiting: number; retrying: number };
}
/** Names one dispatch: a message with an old one changes nothing. */
export interface DispatchName {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly dispatch: number;
}

/** What a task told of an asset, under the name that it gave this telling. */
export interface NamedReport {
  readonly id: string;
  readonly report: AssetReport;
}

export type AttemptOutcome =
  | {
      readonly kind: "succeeded";
      readonly output: StoredValue;
      /** What the task emitted: it counts with the success. */
      readonly events?: readonly EventDraft[];
      /** What it told of assets. */
      readonly assets?: readonly NamedReport[];
    }
  | { readonly kind: "failed"; readonly error: AttemptError }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "cancelled" };

export type RunMessage =
  /** The run may begin. */
  | { readonly kind: "start" }
  /** Continue after hydration: decide everything that can be decided. */
  | { readonly kind: "resume" }
  /** A worker's slot was found for a queued task run. */
  | { readonly kind: "dispatch"; readonly taskRun: TaskRun; readonly worker: string }
  /** An earlier success with the same inputs was found for a queued task run. */
  | { readonly kind: "cached"; readonly taskRun: TaskRun; readonly output: StoredValue }
  /** A queued task run can't be prepared (its input or key is faulty). */
  | { readonly kind: "refuse"; readonly taskRun: TaskRun; readonly error: AttemptError }
  | {
      readonly kind: "result";
      readonly token: DispatchName;
      readonly outcome: AttemptOutcome;
      readonly random: number;
    }
  /** The function of a task waits, and gives its slot up. */
  | { readonly kind: "suspended"; readonly token: DispatchName; readonly waits: readonly WaitRequest[] }
  /** A step of a running function finished. */
  | {
      readonly kind: "step";
      readonly token: DispatchName;
      readonly step: OperationName & { readonly outcome: OperationOutcome };
      readonly events: readonly EventDraft[];
      /** What it told of assets. */
      readonly assets?: readonly NamedReport[];
    }
  /** `position`: up to which the log was read to it, where it was. */
  | ({
      readonly kind: "wait_ended";
      readonly node: string;
      readonly item: string;
      readonly generation: number;
      readonly outcome: OperationOutcome;
      readonly position: number | undefined;
    } & OperationName)
  /** A dispatch is gone without an answer; `blame`: its worker process died with it. */
  | {
      readonly kind: "lost";
      readonly token: DispatchName;
      readonly blame: boolean;
      readonly error: AttemptError;
    }
  /** A dispatch was not begun and came back: it waits for a slot again. */
  | { readonly kind: "returned"; readonly token: DispatchName }
  /** The retry of a task run is due. */
  | { readonly kind: "retry_due"; readonly node: string; readonly item: string; readonly generation: number }
  | { readonly kind: "deadline" }
  /** The run that a waiting call stands for was made; `wait` names a call in code. */
  | {
      readonly kind: "call_started";
      readonly token: DispatchName;
      readonly childRunId: string;
      readonly wait?: OperationName | undefined;
    }
  | { readonly kind: "call_failed"; readonly token: DispatchName; readonly error: AttemptError }
  | {
      readonly kind: "child_ended";
      readonly token: DispatchName;
      readonly wait?: OperationName | undefined;
      readonly childRunId: string;
      readonly state: RunState;
      readonly output: StoredValue;
      readonly reason: Reason | undefined;
      readonly random: number;
    }
  /** `force`: teardowns, too, as a person's second request does. */
  | {
      readonly kind: "cancel";
      readonly by: CancelRequest["by"];
      readonly reason: Reason;
      readonly force?: boolean;
    }
  | { readonly kind: "cancel_node"; readonly node: string; readonly item?: string; readonly reason: Reason }
  | {
      readonly kind: "mark";
      readonly node: string;
      readonly item: string;
      readonly state: "succeeded" | "failed" | "skipped";
      readonly output: StoredValue;
      readonly reason: Reason;
    }
  | { readonly kind: "quarantine"; readonly reason: Reason };

/** One ended dispatch that the task run's own row will not show any more. */
export interface AttemptRecord {
  readonly taskRun: TaskRun;
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  readonly state: "succeeded" | "failed" | "skipped" | "cancelled" | "lost" | "suspended";
  readonly worker: string | undefined;
  readonly error: AttemptError | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
}

export type RunEffect =
  /** Its row changed (at most one effect per task run and decision). */
  | { readonly kind: "task_run"; readonly taskRun: TaskRun }
  | { readonly kind: "attempt"; readonly record: AttemptRecord }
  /** It waits for a worker from now on. */
  | { readonly kind: "ready"; readonly taskRun: TaskRun }
  /** It was queued and is not any more, and it was not the queue's owner who took it (`dispatch`, `cached`, `refuse`). */
  | { readonly kind: "unready"; readonly taskRun: TaskRun }
  /** Send it to the worker once this is committed. */
  | { readonly kind: "send"; readonly taskRun: TaskRun }
  /** Tell the worker to stop it. */
  | {
      readonly kind: "revoke";
      readonly taskRun: TaskRun;
      readonly dispatch: number;
      readonly worker: string;
      readonly reason: string;
    }
  /** A dispatch is over: what it held of shared limits comes back. */
  | { readonly kind: "released"; readonly taskRun: TaskRun; readonly dispatch: number }
  /** A success, or a step, emitted these and told these of assets; and a success updates those in `writes` by itself. */
  | {
      readonly kind: "emitted";
      readonly taskRun: TaskRun;
      readonly events: readonly EventDraft[];
      readonly assets: readonly NamedReport[];
      readonly writes: readonly string[];
    }
  | { readonly kind: "retry_at"; readonly taskRun: TaskRun; readonly at: number }
  | { readonly kind: "deadline_at"; readonly at: number }
  | { readonly kind: "call"; readonly taskRun: TaskRun }
  /** It waits from now on, or (`isAgain`) still, after its run was loaded; without `wait` for the condition of its node. */
  | {
      readonly kind: "wait";
      readonly taskRun: TaskRun;
      readonly wait: OpenWait | undefined;
      readonly isAgain: boolean;
    }
  /** It does not wait for this any more; without `wait` for nothing at all. */
  | { readonly kind: "unwait"; readonly taskRun: TaskRun; readonly wait: OpenWait | undefined }
  /** To be recorded for its next dispatch. */
  | { readonly kind: "record"; readonly taskRun: TaskRun; readonly record: StepRecord }
  /** What its function waits for changed. */
  | { readonly kind: "code"; readonly taskRun: TaskRun }
  | {
      readonly kind: "cancel_child";
      readonly taskRun: TaskRun;
      readonly childRunId: string;
      readonly force: boolean;
    }
  | { readonly kind: "run" }
  | { readonly kind: "ended" };

export interface Decision {
  readonly run: Run;
  readonly effects: RunEffect[];
}
