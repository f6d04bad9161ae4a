/** Runs: start, read, watch, command. */
import { MillraceError, taskRunStates } from "@millrace/core";
import {
  cancelRequest,
  markRequest,
  moveRequest,
  rerunRequest,
  startRunRequest,
  type CancelRequest,
  type MarkRequest,
  type MoveRequest,
  type RerunRequest,
  type StartRunRequest,
} from "@millrace/protocol";
import type { ApiContext } from "./api-context.ts";
import type { ApiRequest, Route } from "./route.ts";
import { cancelRun, markRun, rerunRun } from "./run-commands.ts";
import { streamEvents } from "./run-feed.ts";
import { moveRun } from "./run-move.ts";
import { artifactPage, attemptNumberMax, logPage, runPage } from "./run-lists.ts";
import { snapshotOf } from "./run-snapshot.ts";
import { startRun } from "./run-start.ts";
import { nodePage, runDetail } from "./run-view.ts";

const cursor = "`nextCursor` of the page before";
const limit = "how many at most";

export function runRoutes(context: ApiContext): Route[] {
  return [...readingRoutes(context), ...commandRoutes(context)];
}

function readingRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/runs",
      summary: "Runs, newest first",
      query: {
        pipeline: "of this pipeline",
        state: "in this state",
        label: "`name:value`",
        by: "begun by a `trigger`, a `call` of another run, or a `person` or program",
        since: "made at this time or later",
        until: "made before this time",
        order: "`newest` or `oldest` first",
        cursor,
        limit,
      },
      handle: (request) => runPage(context, request),
    },
    {
      method: "GET",
      path: "/runs/:id",
      summary: "A run with its nodes",
      query: { generation: "an earlier generation" },
      handle: (request) => runDetail(context, request.part("id"), generationOf(request)),
    },
    {
      method: "GET",
      path: "/runs/:id/nodes",
      summary: "A run's nodes in the graph's order, items by number",
      query: {
        cursor,
        limit,
        node: "of this node",
        state: "in this state",
        generation: "an earlier generation",
      },
      handle: async (request) =>
        nodePage(context, await snapshotOf(context, request.part("id"), generationOf(request)), {
          limit: request.limit(),
          cursor: request.text("cursor"),
          node: request.text("node"),
          state: request.oneOf("state", taskRunStates),
        }),
    },
    {
      method: "GET",
      path: "/runs/:id/events",
      summary: "Server-sent events: a snapshot, changes, `end`",
      query: { logs: "with log lines" },
      handle: (request, reply) => streamEvents(context, request, reply),
    },
    {
      method: "GET",
      path: "/runs/:id/logs",
      summary: "Log lines in the order in which they came",
      query: {
        node: "of this node",
        item: "of this item",
        attempt: "number",
        generation: "number",
        cursor,
        limit,
      },
      handle: (request) => logPage(context, request),
    },
    {
      method: "GET",
      path: "/runs/:id/artifacts",
      summary: "What attempts kept for people",
      handle: (request) => artifactPage(context, request.part("id")),
    },
  ];
}

function commandRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "POST",
      path: "/runs",
      summary: "Starts a run",
      body: startRunRequest,
      handle: (request) => startRun(context, withKey(request, request.body as StartRunRequest)),
    },
    {
      method: "POST",
      path: "/runs/:id/cancel",
      summary: "Cancels a run or a node; repeated for a run, its teardowns, too",
      body: cancelRequest,
      handle: (request) => cancelRun(context, request.part("id"), request.body as CancelRequest),
    },
    {
      method: "POST",
      path: "/runs/:id/rerun",
      summary: "Makes the next generation of a run that has ended",
      body: rerunRequest,
      handle: (request) => rerunRun(context, request.part("id"), request.body as RerunRequest),
    },
    {
      method: "POST",
      path: "/runs/:id/move",
      summary: "Lets a run that waits go on with another bundle",
      body: moveRequest,
      handle: (request) => moveRun(context, request.part("id"), request.body as MoveRequest),
    },
    {
      method: "POST",
      path: "/runs/:id/mark",
      summary: "Sets a node's outcome",
      body: markRequest,
      handle: (request) => markRun(context, request.part("id"), request.body as MarkRequest),
    },
  ];
}

function generationOf(request: ApiRequest): number | undefined {
  return request.integer("generation", 1, attemptNumberMax);
}

/** The header of the IETF's draft says what the body's `idempotencyKey` does; it may stand in quotes. */
function withKey(request: ApiRequest, body: StartRunRequest): StartRunRequest {
  const header = request.raw.headers["idempotency-key"];
  if (typeof header !== "string") return body;
  const idempotencyKey = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (body.idempotencyKey === undefined || body.idempotencyKey === idempotencyKey)
    return { ...body, idempotencyKey };
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: 'The header Idempotency-Key and the body\'s "idempotencyKey" are two different keys.',
  });
}
