import { eventVerdicts } from "@millrace/core";
import {
  about,
  anObject,
  closed,
  integer,
  jsonSchema,
  list,
  named,
  number,
  object,
  oneOf,
  recursive,
  text,
  time,
  yes,
  type Shape,
  type TypeOf,
} from "../shape.ts";
import { eventFilters } from "./event.ts";
import { firingView, type FiringView } from "./firing.ts";
import { choiceParameter, limit, operation, timeParameter } from "./operation.ts";
import { page } from "./parts.ts";
import { runState, type RunState } from "./run.ts";

export const eventSeries = named(
  "EventSeries",
  object({ counts: list(integer(0)) }, { name: about("Absent: of all others.", text) }),
);
export type EventSeries = TypeOf<typeof eventSeries>;

export const eventHistogram = named(
  "EventHistogram",
  object(
    {
      since: time,
      until: text,
      stretchMs: number(),
      series: about(
        "Those with the most entries first; `others` of all the rest come last.",
        list(eventSeries),
      ),
      counted: integer(0),
    },
    { from: about("Set where not all of that time were looked at: those since then were.", text) },
  ),
);
export type EventHistogram = TypeOf<typeof eventHistogram>;

export const chainEvent = about(
  "What an entry of the log is, in short.",
  named(
    "ChainEvent",
    object({ type: text, source: text, id: text, position: integer(0), recordedAt: time }, { subject: text }),
  ),
);
export type ChainEvent = TypeOf<typeof chainEvent>;

/** A firing in a chain; its members are the first ones that are events, each with what it comes of. */
export interface ChainRun {
  readonly id: string;
  readonly pipeline?: string;
  readonly state?: RunState;
  readonly parent?: string;
  readonly firing?: {
    readonly id: string;
    readonly pipeline: string;
    readonly at: string;
    readonly memberCount: number;
    readonly members: readonly (ChainEvent & { readonly operand: string; readonly causes?: EventCauses })[];
  };
}
export interface EventCauses {
  readonly run: ChainRun;
  readonly node?: string;
}
const chainRun: Shape<ChainRun> = named(
  "ChainRun",
  object(
    { id: text },
    {
      pipeline: text,
      state: about("Absent where history no longer has it.", runState),
      parent: about("The run that called it.", text),
      firing: about(
        "Absent: somebody, or another run, started it.",
        object({
          id: text,
          pipeline: text,
          at: time,
          memberCount: integer(0),
          members: about(
            "The first ones that are events, each with what it comes of.",
            list(
              object(
                { ...chainEvent.required, operand: text },
                { ...chainEvent.optional, causes: recursive("EventCauses", () => eventCauses) },
              ),
            ),
          ),
        }),
      ),
    },
  ),
);
export const eventCauses: Shape<EventCauses> = about(
  "What an entry comes of: the run that made it, back to the outside.",
  named("EventCauses", object({ run: chainRun }, { node: text })),
);

/** What came of an entry: a firing that it is a member of, its run, and what that told. */
export interface EventEffect {
  readonly firing: FiringView;
  readonly run?: { readonly id: string; readonly state?: RunState };
  readonly events: readonly (ChainEvent & { readonly effects: readonly EventEffect[] })[];
  readonly more?: true;
}
export const eventEffect: Shape<EventEffect> = about(
  "A firing that an entry is a member of, its run, and what that told.",
  named(
    "EventEffect",
    object(
      {
        firing: firingView,
        events: list(
          object(
            { ...chainEvent.required, effects: list(recursive("EventEffect", () => eventEffect)) },
            chainEvent.optional,
          ),
        ),
      },
      { run: object({ id: text }, { state: runState }), more: about("There are others.", yes) },
    ),
  ),
);

export const eventChain = named(
  "EventChain",
  object(
    { event: chainEvent, effects: list(eventEffect) },
    {
      causes: about("Absent: it came from outside, or does not say what it comes of.", eventCauses),
      effectsAreMore: yes,
      isCut: about("It goes on beyond what is followed.", yes),
    },
  ),
);
export type EventChain = TypeOf<typeof eventChain>;

export const triggerDecision = about(
  "What a trigger decided on an entry, or would decide.",
  named(
    "TriggerDecision",
    object(
      {
        pipeline: text,
        verdict: oneOf(...eventVerdicts, "fires", "gathers", "changes_nothing"),
        text: about("As a sentence.", text),
      },
      {
        keys: list(text),
        faults: list(object({ operand: text, part: text, expected: text, found: text })),
        firings: list(firingView),
      },
    ),
  ),
);
export type TriggerDecision = TypeOf<typeof triggerDecision>;

export const triggerDecisions = named(
  "TriggerDecisions",
  object(
    {
      decisions: about("Of triggers that ask for events of its type.", list(triggerDecision)),
      unasked: about("Others that ask for its type, and were not asked in turn.", list(text)),
      others: about(
        "How many ask for other types, or for time alone; `othersAreMore` where not all were looked at.",
        integer(0),
      ),
    },
    { othersAreMore: yes },
  ),
);
export type TriggerDecisions = TypeOf<typeof triggerDecisions>;

export const eventPreviewRequest = named(
  "EventPreviewRequest",
  closed(object({ event: about("A CloudEvent in its JSON form.", anObject) })),
);
export type EventPreviewRequest = TypeOf<typeof eventPreviewRequest>;

export const eventPreview = named(
  "EventPreview",
  object(
    { ...triggerDecisions.required },
    {
      ...triggerDecisions.optional,
      invalid: about("Why it would not fit its type's declaration, and fire nothing.", text),
      position: about("The entry that has its name already.", integer(0)),
    },
  ),
);
export type EventPreview = TypeOf<typeof eventPreview>;

export const eventTypeView = about(
  "An event type that a project declares.",
  named("EventTypeView", object({ type: text, schema: jsonSchema })),
);
export type EventTypeView = TypeOf<typeof eventTypeView>;

/** The most stretches of a histogram. */
const countedStretches = 120;

export const eventPageOperations = {
  getEventHistogram: operation({
    method: "GET",
    path: "/events/histogram",
    summary: "How many entries of the event log came when, by type or by source; the newest, up to a bound",
    query: {
      by: choiceParameter("`type`, unless it is `source`", ["type", "source"]),
      ...eventFilters,
      since: timeParameter("Recorded then (RFC 3339) or later; in the hour before `until`, when absent"),
      until: timeParameter("Recorded before then (RFC 3339); now, when absent"),
      stretches: limit("In how many stretches of time", countedStretches, countedStretches / 2),
    },
    answer: eventHistogram,
  }),
  getEventChain: operation({
    method: "GET",
    path: "/events/:position/chain",
    summary: "What an entry of the event log comes of, back to the outside, and what came of it",
    answer: eventChain,
  }),
  getEventDecisions: operation({
    method: "GET",
    path: "/events/:position/triggers",
    summary: "Which triggers ask for an entry's type, and what each decided on it",
    answer: triggerDecisions,
  }),
  previewEvent: operation({
    method: "POST",
    path: "/events/preview",
    summary: "Says which triggers an event would concern, and what each would do; nothing is recorded",
    body: eventPreviewRequest,
    answer: eventPreview,
  }),
  listEventTypes: operation({
    method: "GET",
    path: "/event-types",
    summary: "Event types that active deployments declare, with their schemas",
    answer: page(eventTypeView),
  }),
} as const;
