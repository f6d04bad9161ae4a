/** Shapes of what a run tells of itself beyond its state, in `/api/v1`; `api.ts` lists the other routes. */
import type { Json, PipelineDefinition } from "@millrace/core";
import type { LogEntry, RunSummary, TaskRunState } from "./api.ts";
import type { FiringMemberView, FiringState, FiringView } from "./api-trigger.ts";

/** `GET /runs/:id/definition`: the pipeline as it is in the bundle that the run has. */
export interface RunDefinitionView {
  readonly bundle: string;
  readonly definition: PipelineDefinition;
}

/** What `POST /runs/:id/rerun` and `/mark` answer with `preview: true`: what they would affect; nothing is changed. */
export interface RunChangePreview {
  readonly run: string;
  /** The generation that would be made; absent where the run goes on. */
  readonly generation?: number;
  /** The code that it would have, where that is another one than now. */
  readonly newBundle?: string;
  /** Starts afresh, or is decided again, in the graph's order; and how many task runs that are. */
  readonly again: readonly AffectedNodeView[];
  readonly againCount: number;
  /** Keeps its state and its output. */
  readonly stays: readonly AffectedNodeView[];
  readonly staysCount: number;
  /** Nodes that begin for the first time. */
  readonly added: readonly string[];
  /** Nodes that the newer code does not have any more. */
  readonly gone: readonly string[];
  /** Of a mark: what would get its state. */
  readonly marked?: { readonly node: string; readonly item: string };
}
export interface AffectedNodeView {
  readonly node: string;
  readonly taskRuns: number;
  /** The first ones of a node with items. */
  readonly items?: readonly string[];
  /** How many are in which state now. */
  readonly states: { readonly [state in TaskRunState]?: number };
}

/** `GET /runs/:id/lines`: a stretch of a run's log, in the order in which it came. */
export interface LogLinesView {
  readonly items: readonly LogEntry[];
  /** The place before the first of them; what was looked at, where there is none. To go on with `order=backward`. */
  readonly before: string;
  /** The place after the last of them, to go on forward: also when more comes. */
  readonly after: string;
  /** Whether the end of the log (forward) or its beginning (backward) was not reached. */
  readonly hasMore: boolean;
  /** When the lines came that were looked at last; absent where there were none. */
  readonly lookedAt?: string;
}

/** `GET /runs/:id/causes`: what led to a run, one step back; each producer that is a run has causes of its own. */
export interface RunCausesView {
  readonly run: CausedRunView;
  /** `call`: a node of another run. `firing`: its trigger. `hand`: somebody, by the API or the command line. */
  readonly kind: "call" | "firing" | "hand";
  /** Of a call. */
  readonly parent?: { readonly runId: string; readonly node: string; readonly item: string };
  /** Of a firing; its members are the first ones. */
  readonly firing?: FiringView;
  readonly members?: readonly CauseMemberView[];
}
export type CausedRunView = Pick<
  RunSummary,
  "id" | "pipeline" | "state" | "createdAt" | "startedAt" | "endedAt"
>;
export interface CauseMemberView extends FiringMemberView {
  /** Where the event came from; absent of ticks, silences, and of what the log no longer has. */
  readonly producer?: ProducerView;
}
/** `run`: a task of ours, or Millrace telling of a run. `millrace`: it tells of itself. `outside`: whoever gave it to the log. */
export interface ProducerView {
  readonly kind: "run" | "webhook" | "source" | "millrace" | "outside";
  /** The webhook's or the source's name; of what came from outside the event's own source. */
  readonly name: string;
  readonly run?: CausedRunView;
  readonly pipeline?: string;
  readonly node?: string;
}

/** `GET /runs/:id/effects`: what came of a run. */
export interface RunEffectsView {
  /** Entries of the log that it wrote, in their order: what its tasks emitted, what was told of assets and of its end. */
  readonly events: readonly EffectEventView[];
  /** There are others. */
  readonly eventsAreMore?: true;
  /** Runs that its nodes called. */
  readonly calls: readonly { readonly node: string; readonly item: string; readonly runId: string }[];
  readonly callsAreMore?: true;
}
export interface EffectEventView {
  readonly position: number;
  readonly recordedAt: string;
  readonly type: string;
  readonly subject?: string;
  /** Where it was told. */
  readonly node?: string;
  /** The firings that it was a member of. */
  readonly firings: readonly {
    readonly pipeline: string;
    readonly runId?: string;
    readonly state: FiringState;
  }[];
}

/** `GET /runs/:id/input?node=&item=`: what a task run was given; absent where it has not begun. */
export interface TaskInputView {
  readonly node: string;
  readonly item: string;
  readonly input?: Json;
  /** It is too large to send along, or to be filled again. */
  readonly isLarge?: true;
}
