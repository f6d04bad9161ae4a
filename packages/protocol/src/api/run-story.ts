/** What a run tells of itself beyond its state, in the API: its log, what led to it, what came of it. */
import type { PipelineDefinition } from "@millrace/core";
import {
  about,
  anObject,
  anyJson,
  flag,
  integer,
  list,
  named,
  object,
  oneOf,
  text,
  time,
  typed,
  yes,
  type TypeOf,
} from "../shape.ts";
import { firingMemberView, firingState, firingView } from "./firing.ts";
import {
  choiceParameter,
  limit,
  needed,
  numberParameter,
  operation,
  pageSizeMax,
  textParameter,
} from "./operation.ts";
import { attemptNumberMax, logEntry, runSummary } from "./run.ts";

export const runDefinitionView = about(
  "`GET /runs/:id/definition`: the pipeline as it is in the bundle that the run has.",
  named("RunDefinitionView", object({ bundle: text, definition: typed<PipelineDefinition>(anObject) })),
);
export type RunDefinitionView = TypeOf<typeof runDefinitionView>;

export const logLinesView = about(
  "`GET /runs/:id/lines`: a stretch of a run's log, in the order in which it came.",
  named(
    "LogLinesView",
    object(
      {
        items: list(logEntry),
        before: about(
          "The place before the first of them; what was looked at, where there is none. To go on with `order=backward`.",
          text,
        ),
        after: about("The place after the last of them, to go on forward: also when more comes.", text),
        hasMore: about(
          "Whether the end of the log (forward) or its beginning (backward) was not reached.",
          flag,
        ),
      },
      {
        lookedAt: about("When the lines came that were looked at last; absent where there were none.", time),
      },
    ),
  ),
);
export type LogLinesView = TypeOf<typeof logLinesView>;

export const causedRunView = named(
  "CausedRunView",
  object(
    {
      id: runSummary.required.id,
      pipeline: runSummary.required.pipeline,
      state: runSummary.required.state,
      createdAt: runSummary.required.createdAt,
    },
    { startedAt: runSummary.optional.startedAt, endedAt: runSummary.optional.endedAt },
  ),
);
export type CausedRunView = TypeOf<typeof causedRunView>;

export const producerView = about(
  "`run`: a task of ours, or Millrace telling of a run. `millrace`: it tells of itself. `outside`: whoever gave it to the log.",
  named(
    "ProducerView",
    object(
      {
        kind: oneOf("run", "webhook", "source", "millrace", "outside"),
        name: about(
          "The webhook's or the source's name; of what came from outside the event's own source.",
          text,
        ),
      },
      { run: causedRunView, pipeline: text, node: text },
    ),
  ),
);
export type ProducerView = TypeOf<typeof producerView>;

export const causeMemberView = named(
  "CauseMemberView",
  object(
    { ...firingMemberView.required },
    {
      ...firingMemberView.optional,
      producer: about(
        "Where the event came from; absent of ticks, silences, and of what the log no longer has.",
        producerView,
      ),
    },
  ),
);
export type CauseMemberView = TypeOf<typeof causeMemberView>;

export const runCausesView = about(
  "`GET /runs/:id/causes`: what led to a run, one step back; each producer that is a run has causes of its own.",
  named(
    "RunCausesView",
    object(
      {
        run: causedRunView,
        kind: about(
          "`call`: a node of another run. `firing`: its trigger. `hand`: somebody, by the API or the command line.",
          oneOf("call", "firing", "hand"),
        ),
      },
      {
        parent: about("Of a call.", object({ runId: text, node: text, item: text })),
        firing: about("Of a firing; its members are the first ones.", firingView),
        members: list(causeMemberView),
      },
    ),
  ),
);
export type RunCausesView = TypeOf<typeof runCausesView>;

export const effectEventView = named(
  "EffectEventView",
  object(
    {
      position: integer(0),
      recordedAt: time,
      type: text,
      firings: about(
        "The firings that it was a member of.",
        list(object({ pipeline: text, state: firingState }, { runId: text })),
      ),
    },
    { subject: text, node: about("Where it was told.", text) },
  ),
);
export type EffectEventView = TypeOf<typeof effectEventView>;

export const runEffectsView = about(
  "`GET /runs/:id/effects`: what came of a run.",
  named(
    "RunEffectsView",
    object(
      {
        events: about(
          "Entries of the log that it wrote, in their order: what its tasks emitted, what was told of assets and of its end.",
          list(effectEventView),
        ),
        calls: about("Runs that its nodes called.", list(object({ node: text, item: text, runId: text }))),
      },
      { eventsAreMore: about("There are others.", yes), callsAreMore: yes },
    ),
  ),
);
export type RunEffectsView = TypeOf<typeof runEffectsView>;

export const taskInputView = about(
  "`GET /runs/:id/input?node=&item=`: what a task run was given; absent where it has not begun.",
  named(
    "TaskInputView",
    object(
      { node: text, item: text },
      { input: anyJson, isLarge: about("It is too large to send along, or to be filled again.", yes) },
    ),
  ),
);
export type TaskInputView = TypeOf<typeof taskInputView>;

const logFilters = {
  node: textParameter("of this node"),
  item: textParameter("of this item"),
  attempt: numberParameter("of this attempt", 1, attemptNumberMax),
  generation: numberParameter("of this generation", 1, attemptNumberMax),
  level: choiceParameter("of this level and above", ["debug", "info", "warn", "error"]),
  find: textParameter("with this text, in whichever case"),
};

export const runStoryOperations = {
  getRunDefinition: operation({
    method: "GET",
    path: "/runs/:id/definition",
    summary: "The pipeline's definition in the bundle that the run has",
    answer: runDefinitionView,
  }),
  getTaskInput: operation({
    method: "GET",
    path: "/runs/:id/input",
    summary: "What a task run was given",
    query: { node: needed(textParameter("its node")), item: textParameter("its item, in a fan-out") },
    answer: taskInputView,
  }),
  getRunCauses: operation({
    method: "GET",
    path: "/runs/:id/causes",
    summary: "What led to a run, one step back: a call, or a firing with its events and who told them",
    answer: runCausesView,
  }),
  getRunEffects: operation({
    method: "GET",
    path: "/runs/:id/effects",
    summary:
      "What came of a run: entries of the log that it wrote, runs that these started, runs that it called",
    answer: runEffectsView,
  }),
  listRunLines: operation({
    method: "GET",
    path: "/runs/:id/lines",
    summary:
      "Log lines from a place in either direction; a look for a level or a text may end early, and says how far it came",
    query: {
      ...logFilters,
      order: choiceParameter(
        "`forward` from the place or the beginning, `backward` from the place or the end",
        ["forward", "backward"],
      ),
      cursor: textParameter("a place: `before` or `after` of another answer"),
      limit: limit("lines at most", pageSizeMax, pageSizeMax),
    },
    answer: logLinesView,
  }),
  getRunLog: operation({
    method: "GET",
    path: "/runs/:id/log",
    summary: "The whole log as a file: `text`, or `ndjson` with a LogEntry a line",
    query: { ...logFilters, format: choiceParameter("`text` unless given", ["text", "ndjson"]) },
    answersWith: ["text/plain", "application/x-ndjson"],
  }),
} as const;
