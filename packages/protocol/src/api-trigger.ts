/** Shapes of triggers and firings in `/api/v1`; `api.ts` lists the routes. */
import type { CloudEvent, EventVerdict, Json, TriggerDefinition } from "@millrace/core";
import type { Reason } from "./api.ts";

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
  /** Of a schedule alone that names no tick any more, such as a list whose times are all over. */
  readonly isOver?: true;
  /** Values of its key that have state; `keysAreMore` where not all were counted. */
  readonly keys: number;
  readonly keysAreMore?: true;
  /** `reason`: why no run could begin of it, such as `trigger_loop` with the loop's path. */
  readonly lastFiring?: { readonly at: string; readonly runId?: string; readonly reason?: Reason };
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
  /** `waiting`: for a slot of its pipeline. `merged` and `superseded`: in favour of another one, as its reason says. */
  readonly state: FiringState;
  /** Also the name of the run that it will start. */
  readonly runId?: string;
  /** The key of the partition that its run is for; absent where it is of none, or too large to look into. */
  readonly partition?: string;
  readonly incomplete?: true;
  /** Why no run of its own could begin. */
  readonly reason?: Reason;
  /** The run of the firing that it was merged into. */
  readonly mergedInto?: string;
  /** Those of firings that were merged into it included. */
  readonly memberCount: number;
}
export type FiringState = "started" | "waiting" | "merged" | "superseded" | "refused";
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
/** A member as tasks see it: an event with its data, a tick or a silence. */
export interface FiredMemberView {
  readonly operand: string;
  readonly value: Json;
}
export interface FiringDetail extends FiringView {
  /** The first ones, where there are very many. */
  readonly members: readonly FiringMemberView[];
}

/** What stands at the gate of a trigger whose firings may wait for a slot of their pipeline. */
export interface GateView {
  readonly policy: "coalesce" | "latest";
  /** Absent where the pipeline is not limited any more. */
  readonly maxActiveRuns?: number;
  /** Some of the runs that the trigger started and that have not ended. */
  readonly active: readonly string[];
  readonly activeCount: number;
  /** Some of the firings that wait, the longest first; `waitingAreMore` where there are others. */
  readonly waiting: readonly WaitingFiringView[];
  readonly waitingAreMore?: true;
}
export interface WaitingFiringView {
  readonly id: string;
  readonly key?: string;
  /** The run that it will start. */
  readonly runId: string;
  readonly since: string;
  readonly memberCount: number;
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
  /** How many came too late for their windows. */
  readonly leftOut?: number;
  readonly of?: readonly ExplanationView[];
}

export interface TriggerKeyView {
  readonly key: string;
  readonly touchedAt: string;
  readonly due?: string;
  /** When no time will touch it: an event after then finds a key that begins anew. */
  readonly forgottenAt?: string;
}

export type { EventVerdict };

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
  /** Absent where each firing has its run. */
  readonly gate?: GateView;
  /** The newest of its firings, or of its key's where a key was named; absent where there is none. */
  readonly lastFiring?: FiringView;
  /** The key whose state this is. */
  readonly key?: string;
  readonly state?: ExplanationView;
  /** Of the key, as in `keys`. */
  readonly forgottenAt?: string;
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
  /** The key of the partition that its run would be for. */
  readonly partition?: string;
  /** It fired although not all was there. */
  readonly incomplete?: true;
  readonly occurrence: number;
  readonly revision: number;
  readonly at: string;
  readonly interval?: { readonly from: string; readonly to: string };
  readonly memberCount: number;
  /** The first ones. */
  readonly members: readonly FiringMemberView[];
  /** What would become of it, where that follows from what is under way. */
  readonly outcome?: "starts" | "waits" | "merged" | "superseded";
}
export interface SimulateResponse {
  /** The condition in words. */
  readonly condition: string;
  /** How firings would have shared runs: how long these take is not in the log, so each firing is listed. */
  readonly policy?: "coalesce" | "latest";
  /** The entries that were told: after `from`, up to `to`. */
  readonly from: number;
  readonly to: number;
  /** Set when it ended before the end of the log. */
  readonly cut?: string;
  /** Entries whose type the condition asks for. */
  readonly concerned: number;
  /** Types that it asks for and that the log has only of where a deployed condition, or a wait, asked for them, too. */
  readonly onlyWhereAsked?: readonly string[];
  readonly firingCount: number;
  readonly firings: readonly SimulatedFiring[];
}

/** A schedule in the trigger of a pipeline, with its ticks in a span of time. */
export interface ScheduleTicksView {
  readonly pipeline: string;
  /** Its name within the condition, where it has one. */
  readonly operand?: string;
  /** In words. */
  readonly schedule: string;
  readonly tz?: string;
  /** Runs are delayed by up to this. */
  readonly jitterMs?: number;
  readonly paused: boolean;
  /** Whether each tick starts a run; else the condition asks for more. */
  readonly alone: boolean;
  /** The first ones; `ticksAreMore` where there are others in the span. */
  readonly ticks: readonly string[];
  readonly ticksAreMore?: true;
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
