/** Runs: start, read, watch, command. */
import { MillraceError, type Json } from "@millrace/core";
import type { Operations, RunSummary, StartRunRequest } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import type { ApiContext } from "./api-context.ts";
import { requireMatch, tellState } from "./preconditions.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { cancelRun, markRun, rerunRun } from "./run-commands.ts";
import { streamEvents } from "./run-feed.ts";
import { moveRun } from "./run-move.ts";
import { artifactPage, logPage, runPage } from "./run-lists.ts";
import { snapshotOf } from "./run-snapshot.ts";
import { startRun } from "./run-start.ts";
import { nodePage, runDetail } from "./run-view.ts";

export function runRoutes(context: ApiContext): Route[] {
  return [...readingRoutes(context), ...commandRoutes(context)];
}

function readingRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listRuns, (request) => runPage(context, request)),
    route(operations.getRun, async (request, reply) => {
      const detail = await runDetail(context, request.path.id, generationOf(request));
      if (request.query.generation === undefined) tellState(reply, stateOf(detail.run));
      return detail;
    }),
    route(operations.listRunNodes, async (request) =>
      nodePage(context, await snapshotOf(context, request.path.id, generationOf(request)), {
        limit: request.query.limit,
        cursor: request.query.cursor,
        node: request.query.node,
        state: request.query.state,
      }),
    ),
    route(operations.watchRun, (request, reply) => streamEvents(context, request, reply)),
    route(operations.listRunLogs, (request) => logPage(context, request)),
    route(operations.listRunArtifacts, (request) => artifactPage(context, request.path.id)),
  ];
}

function commandRoutes(context: ApiContext): Route[] {
  return [
    route(operations.startRun, (request) => startRun(context, withKey(request, request.body))),
    route(operations.cancelRun, async (request) => {
      await requireState(context, request);
      return cancelRun(context, request.path.id, request.body);
    }),
    route(operations.rerunRun, async (request) => {
      await requireState(context, request);
      return rerunRun(context, request.path.id, request.body);
    }),
    route(operations.moveRun, async (request) => {
      await requireState(context, request);
      return moveRun(context, request.path.id, request.body);
    }),
    route(operations.markRun, async (request) => {
      await requireState(context, request);
      return markRun(context, request.path.id, request.body);
    }),
  ];
}

function generationOf(request: ApiRequest<Operations["getRun" | "listRunNodes"]>): number | undefined {
  return request.query.generation;
}

/** What commands change; its nodes go on by themselves. */
function stateOf({ state, generation }: RunSummary): Json {
  return { state, generation };
}

async function requireState(
  context: ApiContext,
  { raw, path }: ApiRequest<Operations["cancelRun" | "markRun" | "moveRun" | "rerunRun"]>,
): Promise<void> {
  await requireMatch(raw, async () => stateOf((await runDetail(context, path.id, undefined)).run));
}

/** The header of the IETF's draft says what the body's `idempotencyKey` does; it may stand in quotes. */
function withKey(request: ApiRequest<Operations["startRun"]>, body: StartRunRequest): StartRunRequest {
  const header = request.raw.headers["idempotency-key"];
  if (typeof header !== "string") return body;
  const idempotencyKey = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (body.idempotencyKey === undefined || body.idempotencyKey === idempotencyKey)
    return { ...body, idempotencyKey };
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: 'The header Idempotency-Key and the body\'s "idempotencyKey" are two different keys.',
  });
}
