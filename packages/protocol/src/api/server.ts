import {
  about,
  anObject,
  closed,
  flag,
  integer,
  list,
  mapOf,
  named,
  object,
  oneOf,
  text,
  time,
  typed,
  type TypeOf,
} from "../shape.ts";
import { eventStream, needed, numberParameter, operation, textParameter } from "./operation.ts";
import { counted, page, reason, type Problem } from "./parts.ts";

export const poolView = named(
  "PoolView",
  object({ name: text, slots: integer(0), used: integer(0), waiting: integer(0), setByOperator: flag }),
);
export type PoolView = TypeOf<typeof poolView>;

export const workerView = named(
  "WorkerView",
  object({
    id: text,
    name: text,
    node: text,
    queues: list(text),
    slots: integer(0),
    busy: integer(0),
    labels: mapOf(text),
    version: text,
    draining: flag,
    connectedAt: time,
  }),
);
export type WorkerView = TypeOf<typeof workerView>;

export const serverInfo = named(
  "ServerInfo",
  object({
    version: text,
    node: text,
    state: oneOf("starting", "ready", "stopping", "database_lost"),
    shards: integer(0),
    workers: integer(0),
    activeRuns: integer(0),
    database: object({ version: text, embedded: flag }),
  }),
);
export type ServerInfo = TypeOf<typeof serverInfo>;

export const activityEvent = about(
  "Runs of these pipelines changed; of any, where none is named. An empty list: news may have been missed. The empty name stands for workers: they came, went or drain.",
  named("ActivityEvent", object({}, { pipelines: list(text) })),
);
export type ActivityEvent = TypeOf<typeof activityEvent>;

export const queueView = named(
  "QueueView",
  object(
    {
      name: text,
      workers: about("Workers that take from it, and do not drain.", integer(0)),
      slots: integer(0),
      busy: integer(0),
      waiting: counted,
      tasks: about(
        "Some of those that wait at this server.",
        list(object({ run: text, pipeline: text, node: text, item: text })),
      ),
    },
    { reason: about("Why what waits does not start.", reason) },
  ),
);
export type QueueView = TypeOf<typeof queueView>;

export const limitUseView = about(
  "Who holds slots of a limit, or waits for them.",
  named(
    "LimitUseView",
    object(
      { run: text, slots: integer(0) },
      {
        pipeline: about("Absent where the run is not live any more.", text),
        node: about("Absent where the run as a whole holds it.", text),
        item: text,
      },
    ),
  ),
);
export type LimitUseView = TypeOf<typeof limitUseView>;

export const limitView = about(
  "A shared limit that somebody waits for: a pool, a concurrency key, the active runs of a pipeline.",
  named(
    "LimitView",
    object(
      {
        kind: oneOf("pool", "key", "pipeline"),
        name: text,
        slots: integer(0),
        used: integer(0),
        waiting: counted,
      },
      {
        holders: about(
          "Some of those that hold its slots; only of the first limits of a list.",
          list(limitUseView),
        ),
      },
    ),
  ),
);
export type LimitView = TypeOf<typeof limitView>;

export const limitDetail = named(
  "LimitDetail",
  object({
    kind: limitView.required.kind,
    name: text,
    held: about("Some of each.", list(limitUseView)),
    waiting: list(limitUseView),
  }),
);
export type LimitDetail = TypeOf<typeof limitDetail>;

/** Data of the server-sent events of `GET /live`: of `log` an EventView, of `activity` an ActivityEvent, of `project` a ProjectView, of runs a RunEvent. */
export type LiveEvent =
  | { readonly topic: string; readonly data: unknown }
  | { readonly topic: string; readonly refused: Problem };

/** The database's bound. */
const poolSlotsMax = 1_000_000;

export const poolRequest = named("PoolRequest", closed(object({ slots: integer(0, poolSlotsMax) })));

export const serverOperations = {
  getDocument: operation({
    method: "GET",
    path: "/openapi.json",
    summary: "This document",
    answer: typed<object>(anObject),
  }),
  getInfo: operation({ method: "GET", path: "/info", summary: "This server's state", answer: serverInfo }),
  watch: operation({
    method: "GET",
    path: "/live",
    summary: "What happens, as server-sent events of several topics over one connection",
    query: {
      topics: needed(
        textParameter("`log`, `activity`, `project`, `run:ID` and `run-logs:ID`, with commas between them"),
      ),
      after: numberParameter(
        "entries of the log after this position; from now on, when absent",
        0,
        Number.MAX_SAFE_INTEGER,
      ),
    },
    answersWith: eventStream,
  }),
  listPools: operation({
    method: "GET",
    path: "/pools",
    summary: "Pools, configured or set by operators",
    answer: page(poolView),
  }),
  getPool: operation({ method: "GET", path: "/pools/:name", summary: "A pool", answer: poolView }),
  setPool: operation({
    method: "PUT",
    path: "/pools/:name",
    summary: "An operator's number of slots; holds over deploys",
    body: poolRequest,
    answer: poolView,
  }),
  listWorkers: operation({
    method: "GET",
    path: "/workers",
    summary: "Workers that are connected to this server, or to another one on its database",
    answer: page(workerView),
  }),
  listQueues: operation({
    method: "GET",
    path: "/queues",
    summary: "Queues: their workers, and what waits for one",
    answer: page(queueView),
  }),
  listLimits: operation({
    method: "GET",
    path: "/limits",
    summary: "Pools, concurrency keys and limits of active runs that somebody waits for",
    answer: page(limitView),
  }),
  getLimit: operation({
    method: "GET",
    path: "/limits/:kind/:name",
    parts: { kind: limitView.required.kind.schema },
    summary:
      "Who holds slots of a pool, a concurrency key (`key`) or a pipeline's limit of active runs, and who waits",
    answer: limitDetail,
  }),
} as const;
