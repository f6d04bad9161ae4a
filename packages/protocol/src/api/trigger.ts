import { eventVerdicts, type TriggerDefinition } from "@millrace/core";
import {
  about,
  anObject,
  anyJson,
  closed,
  either,
  flag,
  integer,
  list,
  named,
  nullable,
  number,
  object,
  oneOf,
  recursive,
  storable,
  text,
  time,
  typed,
  yes,
  type Shape,
  type TypeOf,
} from "../shape.ts";
import {
  firedMemberView,
  firingDetail,
  firingMemberView,
  firingView,
  logPlaceView,
  simulatedFiring,
} from "./firing.ts";
import { cursor, limit, operation, paging, textParameter, timeParameter } from "./operation.ts";
import { page, positive, reason } from "./parts.ts";

/**
 * Ticks of one schedule in a calendar. A cron's tick takes some 10 µs: a page of schedules that tick each minute has time for
 * some thousands of them, and goes on with the next page.
 */
const scheduleTicks = 200;
const scheduleTicksMax = 1_000;

export const triggerSummary = about(
  "The trigger of a pipeline.",
  named(
    "TriggerSummary",
    object(
      {
        pipeline: text,
        version: about("Rises only when the trigger changes.", integer(0)),
        condition: about("Its condition in words.", text),
        operands: list(text),
        keyed: about("Whether it has separate state for each value of a key.", flag),
        activated: about("Where in the log this version began.", logPlaceView),
        keys: about(
          "Values of its key that have state; `keysAreMore` where not all were counted.",
          integer(0),
        ),
      },
      {
        paused: logPlaceView,
        nextDue: about("When time alone changes something next.", text),
        isOver: about(
          "Of a schedule alone that names no tick any more, such as a list whose times are all over.",
          yes,
        ),
        keysAreMore: yes,
        lastFiring: about(
          "`reason`: why no run could begin of it, such as `trigger_loop` with the loop's path.",
          object({ at: time }, { runId: text, reason }),
        ),
      },
    ),
  ),
);
export type TriggerSummary = TypeOf<typeof triggerSummary>;

export const triggerDetail = named(
  "TriggerDetail",
  object(
    { ...triggerSummary.required, definition: typed<TriggerDefinition>(anObject) },
    { ...triggerSummary.optional },
  ),
);
export type TriggerDetail = TypeOf<typeof triggerDetail>;

export const waitingFiringView = named(
  "WaitingFiringView",
  object(
    { id: text, runId: about("The run that it will start.", text), since: time, memberCount: integer(0) },
    { key: text },
  ),
);
export type WaitingFiringView = TypeOf<typeof waitingFiringView>;

export const gateView = about(
  "What stands at the gate of a trigger whose firings may wait for a slot of their pipeline.",
  named(
    "GateView",
    object(
      {
        policy: oneOf("coalesce", "latest"),
        active: about("Some of the runs that the trigger started and that have not ended.", list(text)),
        activeCount: integer(0),
        waiting: about(
          "Some of the firings that wait, the longest first; `waitingAreMore` where there are others.",
          list(waitingFiringView),
        ),
      },
      {
        maxActiveRuns: about("Absent where the pipeline is not limited any more.", integer(0)),
        waitingAreMore: yes,
      },
    ),
  ),
);
export type GateView = TypeOf<typeof gateView>;

const explained = object(
  { kind: text, state: oneOf("waiting", "gathering", "held", "blocked"), text },
  {
    name: text,
    members: about("The newest of those that it has gathered.", list(firingMemberView)),
    memberCount: integer(0),
    since: time,
    due: time,
    leftOut: about("How many came too late for their windows.", integer(0)),
  },
);
export interface ExplanationView extends TypeOf<typeof explained> {
  readonly of?: readonly ExplanationView[];
}
export const explanationView: Shape<ExplanationView> = about(
  "The state of a condition as a tree: for each operand, what it has and what it waits for.",
  named(
    "ExplanationView",
    object(explained.required, {
      ...explained.optional,
      of: list(recursive("ExplanationView", () => explanationView)),
    }),
  ),
);

export const triggerKeyView = named(
  "TriggerKeyView",
  object(
    { key: text, touchedAt: time },
    {
      due: time,
      forgottenAt: about(
        "When no time will touch it: an event after then finds a key that begins anew.",
        time,
      ),
    },
  ),
);
export type TriggerKeyView = TypeOf<typeof triggerKeyView>;

export const eventExplanation = named(
  "EventExplanation",
  object(
    {
      position: integer(0),
      type: text,
      verdict: oneOf(...eventVerdicts),
      text: about("As a sentence.", text),
    },
    {
      keys: about("The keys that it concerns, where the trigger has keys.", list(text)),
      firings: list(firingView),
      faults: about(
        "For `filtered`: which part of which operand's filter did not hold.",
        list(object({ operand: text, part: text, expected: text, found: text })),
      ),
      replayed: about(
        "Set when rows alone did not tell, and the log was told again to a state of its own.",
        object({ from: integer(0), to: integer(0), isWhole: flag }),
      ),
    },
  ),
);
export type EventExplanation = TypeOf<typeof eventExplanation>;

export const triggerExplanation = named(
  "TriggerExplanation",
  object(
    { trigger: triggerSummary },
    {
      gate: about("Absent where each firing has its run.", gateView),
      lastFiring: about(
        "The newest of its firings, or of its key's where a key was named; absent where there is none.",
        firingView,
      ),
      key: about("The key whose state this is.", text),
      state: explanationView,
      forgottenAt: about("Of the key, as in `keys`.", time),
      keys: about("Some keys, where none was named.", list(triggerKeyView)),
      event: eventExplanation,
    },
  ),
);
export type TriggerExplanation = TypeOf<typeof triggerExplanation>;

export const simulateResponse = named(
  "SimulateResponse",
  object(
    {
      condition: about("The condition in words.", text),
      from: about("The entries that were told: after `from`, up to `to`.", integer(0)),
      to: integer(0),
      concerned: about("Entries whose type the condition asks for.", integer(0)),
      firingCount: integer(0),
      firings: list(simulatedFiring),
    },
    {
      policy: about(
        "How firings would have shared runs: how long these take is not in the log, so each firing is listed.",
        oneOf("coalesce", "latest"),
      ),
      cut: about("Set when it ended before the end of the log.", text),
      onlyWhereAsked: about(
        "Types that it asks for and that the log has only of where a deployed condition, or a wait, asked for them, too.",
        list(text),
      ),
    },
  ),
);
export type SimulateResponse = TypeOf<typeof simulateResponse>;

export const scheduleTicksView = about(
  "A schedule in the trigger of a pipeline, with its ticks in a span of time.",
  named(
    "ScheduleTicksView",
    object(
      {
        pipeline: text,
        schedule: about("In words.", text),
        paused: flag,
        alone: about("Whether each tick starts a run; else the condition asks for more.", flag),
        ticks: about("The first ones; `ticksAreMore` where there are others in the span.", list(text)),
      },
      {
        operand: about("Its name within the condition, where it has one.", text),
        tz: text,
        jitterMs: about("Runs are delayed by up to this.", number()),
        ticksAreMore: yes,
      },
    ),
  ),
);
export type ScheduleTicksView = TypeOf<typeof scheduleTicksView>;

/** The core checks what it and `trigger` hold. */
export const onResume: Shape<"all" | "latest" | "none" | { readonly limit: number }> = {
  schema: either(oneOf("all", "latest", "none"), closed(object({ limit: positive }))).schema,
  check: anyJson.check,
};
export type OnResume = TypeOf<typeof onResume>;

export const resumePreview = named(
  "ResumePreview",
  object(
    {
      pipeline: text,
      onResume,
      firingCount: integer(0),
      firings: about("The first ones.", list(simulatedFiring)),
    },
    { paused: about("Absent: it is not paused, or has no trigger.", logPlaceView) },
  ),
);
export type ResumePreview = TypeOf<typeof resumePreview>;

export const resumeRequest = named(
  "ResumeRequest",
  closed(
    object(
      {},
      {
        onResume: about(
          "What becomes of the firings that came while it was paused; as the trigger says unless given.",
          onResume,
        ),
        preview: about("Only say which firings it would make.", flag),
      },
    ),
  ),
);
export type ResumeRequest = TypeOf<typeof resumeRequest>;

export const simulateRequest = named(
  "SimulateRequest",
  closed(
    object(
      {},
      {
        pipeline: about("The condition of a deployed pipeline, unless `trigger` is given.", storable),
        trigger: anObject,
        since: about("Log time: what was recorded then or later.", text),
        after: about("A position: what was recorded after it.", integer(0, Number.MAX_SAFE_INTEGER)),
        limit: about("How many firings are listed: the newest.", positive),
      },
    ),
  ),
);
export type SimulateRequest = TypeOf<typeof simulateRequest>;

export const triggerOperations = {
  listTriggers: operation({
    method: "GET",
    path: "/triggers",
    summary: "Triggers by the names of their pipelines",
    query: paging,
    answer: page(triggerSummary),
  }),
  simulate: operation({
    method: "POST",
    path: "/triggers/simulate",
    summary:
      "Runs a condition, deployed or not, over the recorded log, and lists the firings that it would have made",
    body: simulateRequest,
    answer: simulateResponse,
  }),
  getTrigger: operation({
    method: "GET",
    path: "/triggers/:pipeline",
    summary: "The trigger of a pipeline with its definition",
    answer: triggerDetail,
  }),
  listTriggerKeys: operation({
    method: "GET",
    path: "/triggers/:pipeline/keys",
    summary: "Values of its key that have a state, in their order",
    query: { after: textParameter("Those that come after this text"), ...paging },
    answer: page(triggerKeyView),
  }),
  listFirings: operation({
    method: "GET",
    path: "/triggers/:pipeline/firings",
    summary: "Its firings, newest first",
    query: { key: textParameter("Of this key only"), ...paging },
    answer: page(firingView),
  }),
  getFiring: operation({
    method: "GET",
    path: "/triggers/:pipeline/firings/:firing",
    summary: "One firing with its members",
    answer: firingDetail,
  }),
  explainTrigger: operation({
    method: "GET",
    path: "/triggers/:pipeline/explain",
    summary: "What a trigger has and waits for, and what became of an event",
    query: {
      key: textParameter("The state of this key"),
      event: textParameter("What became of this event: its position in the log, or its id"),
      source: textParameter("The source of the event, where its id alone is not enough"),
    },
    answer: triggerExplanation,
  }),
  getRunFiring: operation({
    method: "GET",
    path: "/runs/:id/firing",
    summary: "The firing that started a run; null where something else did",
    answer: object({ firing: nullable(firingDetail) }),
  }),
  listRunFiringMembers: operation({
    method: "GET",
    path: "/runs/:id/firing/members",
    summary: "What satisfied a run's trigger, in its order, with all data, as its tasks see it",
    query: { operand: textParameter("Of this operand only"), cursor },
    answer: page(firedMemberView),
  }),
  listSchedules: operation({
    method: "GET",
    path: "/schedules",
    summary:
      "Schedules in the triggers of pipelines, by the names of these, each with its ticks in a span of time",
    query: {
      from: timeParameter("Ticks at this time or later; now unless given"),
      to: timeParameter("Ticks before this time; a day after `from` unless given, 40 days after it at most"),
      ticks: limit("how many ticks of each schedule: the first ones", scheduleTicksMax, scheduleTicks),
      cursor,
      limit: limit("how many pipelines"),
    },
    answer: page(scheduleTicksView),
  }),
} as const;
