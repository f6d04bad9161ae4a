/** What is asked about entries of the event log, in `/api/v1`: searches, counts, causes and effects, decisions of triggers. */
import type { CloudEvent, JsonSchema } from "@millrace/core";
import type { Page, RunState } from "./api.ts";
import type { EventView } from "./api-event.ts";
import type { EventVerdict, FiringView, LogPlaceView } from "./api-trigger.ts";
import { anObject, closed, object } from "./shape.ts";

/** Entries that a filter holds for. A page may be short, or empty, and says how far it looked. */
export interface EventSearchPage extends Page<EventView> {
  readonly looked: {
    readonly entries: number;
    /** The oldest entry that was looked at; absent where there was none. */
    readonly to?: LogPlaceView;
  };
}

export interface EventHistogram {
  readonly since: string;
  readonly until: string;
  readonly stretchMs: number;
  /** Those with the most entries first; `others` of all the rest come last. */
  readonly series: readonly EventSeries[];
  readonly counted: number;
  /** Set where not all of that time were looked at: those since then were. */
  readonly from?: string;
}
export interface EventSeries {
  /** Absent: of all others. */
  readonly name?: string;
  readonly counts: readonly number[];
}

/** What an entry of the log is, in short. */
export interface ChainEvent extends Pick<CloudEvent, "type" | "source" | "id" | "subject"> {
  readonly position: number;
  readonly recordedAt: string;
}

/** What an entry comes of: the run that made it, back to the outside. */
export interface EventCauses {
  readonly run: ChainRun;
  readonly node?: string;
}
export interface ChainRun {
  readonly id: string;
  readonly pipeline?: string;
  /** Absent where history no longer has it. */
  readonly state?: RunState;
  /** The run that called it. */
  readonly parent?: string;
  /** Absent: somebody, or another run, started it. */
  readonly firing?: {
    readonly id: string;
    readonly pipeline: string;
    readonly at: string;
    readonly memberCount: number;
    /** The first ones that are events, each with what it comes of. */
    readonly members: readonly (ChainEvent & { readonly operand: string; readonly causes?: EventCauses })[];
  };
}

/** A firing that an entry is a member of, its run, and what that told. */
export interface EventEffect {
  readonly firing: FiringView;
  readonly run?: { readonly id: string; readonly state?: RunState };
  readonly events: readonly (ChainEvent & { readonly effects: readonly EventEffect[] })[];
  /** There are others. */
  readonly more?: true;
}

export interface EventChain {
  readonly event: ChainEvent;
  /** Absent: it came from outside, or does not say what it comes of. */
  readonly causes?: EventCauses;
  readonly effects: readonly EventEffect[];
  readonly effectsAreMore?: true;
  /** It goes on beyond what is followed. */
  readonly isCut?: true;
}

/** What a trigger decided on an entry, or would decide. */
export interface TriggerDecision {
  readonly pipeline: string;
  readonly verdict: EventVerdict | "fires" | "gathers" | "changes_nothing";
  /** As a sentence. */
  readonly text: string;
  readonly keys?: readonly string[];
  readonly faults?: readonly {
    readonly operand: string;
    readonly part: string;
    readonly expected: string;
    readonly found: string;
  }[];
  readonly firings?: readonly FiringView[];
}
export interface TriggerDecisions {
  /** Of triggers that ask for events of its type. */
  readonly decisions: readonly TriggerDecision[];
  /** Others that ask for its type, and were not asked in turn. */
  readonly unasked: readonly string[];
  /** How many ask for other types, or for time alone; `othersAreMore` where not all were looked at. */
  readonly others: number;
  readonly othersAreMore?: true;
}

/** Says what an event would do, and records nothing. */
export interface EventPreviewRequest {
  /** A CloudEvent in its JSON form. */
  readonly event: { readonly [name: string]: unknown };
}
export const eventPreviewRequest = closed(object({ event: anObject }));
export interface EventPreview extends TriggerDecisions {
  /** Why it would not fit its type's declaration, and fire nothing. */
  readonly invalid?: string;
  /** The entry that has its name already. */
  readonly position?: number;
}

/** An event type that a project declares. */
export interface EventTypeView {
  readonly type: string;
  readonly schema: JsonSchema;
}
