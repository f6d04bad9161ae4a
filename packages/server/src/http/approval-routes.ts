import { approvalAnswered, ownSource } from "@millrace/core";
import type { ApprovalView, Operations, Page } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { listApprovals, listEvents } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { answerApproval } from "./approval-answer.ts";
import { answeredApproval, findApproval, openApproval } from "./approval-view.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { answeredPageMax } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";

export function approvalRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listApprovals, (request) =>
      request.query.state === "answered" ? answeredPage(context, request) : approvalPage(context, request),
    ),
    route(operations.getApproval, (request) => findApproval(context, request.path.id)),
    route(operations.answerApproval, (request, reply) =>
      answerApproval(context, request.path.id, request.body, reply),
    ),
  ];
}

function isWaitPlace(place: unknown): place is readonly [beganAt: number, id: number] {
  return isPlace(["number", "number"], place);
}

async function approvalPage(
  context: ApiContext,
  request: ApiRequest<Operations["listApprovals"]>,
): Promise<Page<ApprovalView>> {
  const limit = request.query.limit;
  const after = readCursor(request.query.cursor, isWaitPlace);
  const waits = await listApprovals(context.database, workspaceId, {
    pipeline: request.query.pipeline,
    after: after && { beganAt: after[0], id: after[1] },
    limit: limit + 1,
  });
  const shown = waits.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(openApproval),
    ...(last && waits.length > limit ? { nextCursor: writeCursor([last.beganAt, last.id]) } : {}),
  };
}

function isLogPlace(place: unknown): place is readonly [position: number] {
  return isPlace(["number"], place);
}

/** Answers stand in the log; what they answer does, too. */
async function answeredPage(
  context: ApiContext,
  request: ApiRequest<Operations["listApprovals"]>,
): Promise<Page<ApprovalView>> {
  const limit = Math.min(request.query.limit, answeredPageMax);
  const pipeline = request.query.pipeline;
  const events = await listEvents(context.database, workspaceId, {
    type: approvalAnswered,
    subject: undefined,
    source: ownSource,
    onlyInvalid: false,
    since: undefined,
    until: undefined,
    after: 0,
    before: readCursor(request.query.cursor, isLogPlace)?.[0],
    limit: limit + 1,
  });
  const shown = events.slice(0, limit);
  const views = await Promise.all(shown.map((event) => answeredApproval(context, event)));
  const last = shown.at(-1);
  return {
    items: views.filter(
      (view) => view && (pipeline === undefined || view.pipeline === pipeline),
    ) as ApprovalView[],
    ...(last && events.length > limit ? { nextCursor: writeCursor([last.position]) } : {}),
  };
}
