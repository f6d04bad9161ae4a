import { runStates, taskRunStates } from "@millrace/core";
import {
  about,
  anyJson,
  byKind,
  closed,
  flag,
  integer,
  list,
  mapOf,
  named,
  number,
  object,
  oneOf,
  sized,
  storable,
  text,
  time,
  type TypeOf,
} from "../shape.ts";
import {
  choiceParameter,
  cursor,
  eventStream,
  flagParameter,
  limit,
  numberParameter,
  operation,
  pageSizeMax,
  paging,
  patternParameter,
  textParameter,
  timeParameter,
} from "./operation.ts";
import { blobReference, logLine, page, reason } from "./parts.ts";
import { runChangePreview } from "./run-change.ts";
import { openWaitView } from "./wait.ts";

export const runState = named(
  "RunState",
  oneOf("queued", "running", "waiting", "succeeded", "failed", "cancelled", "superseded", "quarantined"),
);
export type RunState = TypeOf<typeof runState>;

export const taskRunState = named(
  "TaskRunState",
  oneOf(
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
  ),
);
export type TaskRunState = TypeOf<typeof taskRunState>;

export const runSummary = named(
  "RunSummary",
  object(
    {
      id: text,
      pipeline: text,
      project: text,
      state: runState,
      generation: integer(0),
      bundle: text,
      labels: mapOf(text),
      createdAt: time,
    },
    {
      reason,
      startedAt: time,
      endedAt: time,
      parent: about("Set when a `call` node started it.", object({ runId: text, node: text, item: text })),
    },
  ),
);
export type RunSummary = TypeOf<typeof runSummary>;

export const attemptView = named(
  "AttemptView",
  object(
    {
      generation: integer(0),
      attempt: integer(0),
      dispatch: integer(0),
      state: oneOf("running", "succeeded", "failed", "skipped", "cancelled", "lost", "suspended"),
      startedAt: time,
    },
    {
      worker: text,
      endedAt: time,
      error: object(
        { name: text, message: text },
        {
          stack: text,
          code: text,
          cause: about("The stack of what caused it, and of what caused that.", text),
        },
      ),
    },
  ),
);
export type AttemptView = TypeOf<typeof attemptView>;

export const taskRunView = named(
  "TaskRunView",
  object(
    {
      id: about("The node's id.", text),
      item: about('`""` outside regions, else the item path: `"3"`, `"3.0"`.', text),
      state: taskRunState,
      generation: integer(0),
      attempts: list(attemptView),
    },
    {
      reason,
      output: anyJson,
      outputBlob: about("Set in place of `output` when that is too large to send along.", blobReference),
      startedAt: time,
      endedAt: time,
      progress: object({ fraction: number() }, { message: text }),
      childRunId: about("The run that a `call` node started.", text),
      waits: about(
        "What it waits for, while it does; the first ones, where there are very many.",
        list(openWaitView),
      ),
    },
  ),
);
export type TaskRunView = TypeOf<typeof taskRunView>;

export const runDetail = named(
  "RunDetail",
  object(
    {
      run: object(
        { ...runSummary.required, params: anyJson },
        {
          ...runSummary.optional,
          output: anyJson,
          outputBlob: about("Set in place of `output` when that is too large to send along.", blobReference),
        },
      ),
      nodes: list(taskRunView),
    },
    { nextCursor: about("Set when `nodes` is cut: ask `/runs/:id/nodes?cursor=` for the rest.", text) },
  ),
);
export type RunDetail = TypeOf<typeof runDetail>;

export const startRunResponse = named(
  "StartRunResponse",
  object({ run: runSummary, created: about("False when the idempotency key had made it before.", flag) }),
);
export type StartRunResponse = TypeOf<typeof startRunResponse>;

export const logEntry = named(
  "LogEntry",
  object(
    {
      ...logLine.required,
      node: text,
      item: text,
      generation: integer(0),
      attempt: integer(0),
      position: integer(0),
    },
    { ...logLine.optional },
  ),
);
export type LogEntry = TypeOf<typeof logEntry>;

export const artifactView = named(
  "ArtifactView",
  object({
    node: text,
    item: text,
    generation: integer(0),
    attempt: integer(0),
    name: text,
    type: text,
    mediaType: text,
    blob: text,
    bytes: integer(0),
  }),
);
export type ArtifactView = TypeOf<typeof artifactView>;

export const runEvent = about(
  "Server-sent events of `GET /runs/:id/events`: first one `snapshot`, then changes, and `end` when the run ended or is quarantined.",
  named(
    "RunEvent",
    byKind({
      snapshot: object({ detail: runDetail }),
      run: object({ run: runSummary }),
      node: object({ node: taskRunView }),
      progress: object({ node: text, item: text, fraction: number() }, { message: text }),
      log: object({ entry: logEntry }),
      end: object({ run: runSummary }),
    }),
  ),
);
export type RunEvent = TypeOf<typeof runEvent>;

export const startRunRequest = named(
  "StartRunRequest",
  closed(
    object(
      { pipeline: storable },
      {
        params: anyJson,
        labels: mapOf(storable, storable),
        partition: about(
          "The partition to run for: a key of those that the pipeline's trigger is about.",
          storable,
        ),
        idempotencyKey: about(
          "A repeated request with the same key answers with the first one's run.",
          sized(storable, 1, 1_000),
        ),
        force: about("Start although the pipeline is paused.", flag),
      },
    ),
  ),
);
export type StartRunRequest = TypeOf<typeof startRunRequest>;

export const cancelRequest = named("CancelRequest", closed(object({}, { node: storable, item: storable })));
export type CancelRequest = TypeOf<typeof cancelRequest>;

export const rerunRequest = named(
  "RerunRequest",
  closed(
    object(
      {
        scope: about(
          "`failed`: what did not succeed and all downstream. `nodes`: those and all downstream. `all`: the whole run.",
          oneOf("failed", "nodes", "all"),
        ),
      },
      { nodes: list(storable), sameBundle: flag, preview: about("Only tell what it would affect.", flag) },
    ),
  ),
);
export type RerunRequest = TypeOf<typeof rerunRequest>;

export const markRequest = named(
  "MarkRequest",
  closed(
    object(
      { node: storable, state: oneOf("succeeded", "failed", "skipped") },
      { item: storable, output: anyJson, preview: about("Only tell what it would affect.", flag) },
    ),
  ),
);
export type MarkRequest = TypeOf<typeof markRequest>;

export const moveRequest = named(
  "MoveRequest",
  closed(object({}, { bundle: about("Its hash; the pipeline's newest when absent.", storable) })),
);
export type MoveRequest = TypeOf<typeof moveRequest>;

const changedRun = object({ run: runSummary });
/** The database's bound of attempts and generations. */
export const attemptNumberMax = 1_000_000;
const generation = numberParameter("an earlier generation", 1, attemptNumberMax);

export const runOperations = {
  listRuns: operation({
    method: "GET",
    path: "/runs",
    summary: "Runs, newest first unless `order` says otherwise",
    query: {
      pipeline: textParameter("of this pipeline"),
      state: choiceParameter("in this state", runStates),
      label: patternParameter("`name:value`", "^[^:]+:"),
      by: choiceParameter("begun by a `trigger`, a `call` of another run, or a `person` or program", [
        "trigger",
        "call",
        "person",
      ]),
      since: timeParameter("made at this time or later"),
      until: timeParameter("made before this time"),
      order: choiceParameter("which come first; the newest unless given", ["newest", "oldest"]),
      ...paging,
    },
    answer: page(runSummary),
  }),
  startRun: operation({
    method: "POST",
    path: "/runs",
    summary: "Starts a run",
    body: startRunRequest,
    answer: startRunResponse,
  }),
  getRun: operation({
    method: "GET",
    path: "/runs/:id",
    summary: "A run with its nodes",
    query: { generation },
    answer: runDetail,
  }),
  listRunNodes: operation({
    method: "GET",
    path: "/runs/:id/nodes",
    summary: "A run's nodes in the graph's order, items by number",
    query: {
      ...paging,
      node: textParameter("of this node"),
      state: choiceParameter("in this state", taskRunStates),
      generation,
    },
    answer: page(taskRunView),
  }),
  watchRun: operation({
    method: "GET",
    path: "/runs/:id/events",
    summary: "Server-sent events: a snapshot, changes, `end`",
    query: { logs: flagParameter("with log lines") },
    answersWith: eventStream,
  }),
  listRunLogs: operation({
    method: "GET",
    path: "/runs/:id/logs",
    summary: "Log lines in the order in which they came",
    query: {
      node: textParameter("of this node"),
      item: textParameter("of this item"),
      attempt: numberParameter("of this attempt", 1, attemptNumberMax),
      generation: numberParameter("of this generation", 1, attemptNumberMax),
      cursor,
      limit: limit("how many at most", pageSizeMax, pageSizeMax),
    },
    answer: page(logEntry),
  }),
  listRunArtifacts: operation({
    method: "GET",
    path: "/runs/:id/artifacts",
    summary: "What attempts kept for people",
    answer: page(artifactView),
  }),
  cancelRun: operation({
    method: "POST",
    path: "/runs/:id/cancel",
    summary: "Cancels a run or a node; repeated for a run, its teardowns, too",
    body: cancelRequest,
    answer: changedRun,
  }),
  rerunRun: operation({
    method: "POST",
    path: "/runs/:id/rerun",
    summary: "Makes the next generation of a run that has ended",
    body: rerunRequest,
    answer: changedRun,
    preview: runChangePreview,
  }),
  moveRun: operation({
    method: "POST",
    path: "/runs/:id/move",
    summary: "Lets a run that waits go on with another bundle",
    body: moveRequest,
    answer: changedRun,
  }),
  markRun: operation({
    method: "POST",
    path: "/runs/:id/mark",
    summary: "Sets a node's outcome",
    body: markRequest,
    answer: changedRun,
    preview: runChangePreview,
  }),
} as const;
