import { approvalAnswered, ownSource } from "@millrace/core";
import { answerRequest, type AnswerRequest, type ApprovalView, type Page } from "@millrace/protocol";
import { listApprovals, listEvents } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { answerApproval } from "./approval-answer.ts";
import { answeredApproval, findApproval, openApproval } from "./approval-view.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { answeredPageMax } from "./limits.ts";
import type { ApiRequest, Route } from "./route.ts";

export function approvalRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/approvals",
      summary: "What waits for a person's answer, the oldest first; or what was answered, the newest first",
      query: {
        state: "`open`, or `answered`; open ones when absent",
        pipeline: "Of this pipeline only",
        cursor: "`nextCursor` of the page before",
        limit: "Approvals in a page",
      },
      handle: (request) =>
        request.oneOf("state", ["open", "answered"]) === "answered"
          ? answeredPage(context, request)
          : approvalPage(context, request),
    },
    {
      method: "GET",
      path: "/approvals/:id",
      summary: "One approval: what is asked, and what was answered",
      handle: (request) => findApproval(context, request.part("id")),
    },
    {
      method: "POST",
      path: "/approvals/:id",
      summary:
        "Answers an approval; the first answer counts. 202 where another server has not recorded it yet",
      body: answerRequest,
      handle: (request, reply) =>
        answerApproval(context, request.part("id"), request.body as AnswerRequest, reply),
    },
  ];
}

function isWaitPlace(place: unknown): place is readonly [beganAt: number, id: number] {
  return isPlace(["number", "number"], place);
}

async function approvalPage(context: ApiContext, request: ApiRequest): Promise<Page<ApprovalView>> {
  const limit = request.limit();
  const after = readCursor(request.text("cursor"), isWaitPlace);
  const waits = await listApprovals(context.database, workspaceId, {
    pipeline: request.text("pipeline"),
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
async function answeredPage(context: ApiContext, request: ApiRequest): Promise<Page<ApprovalView>> {
  const limit = Math.min(request.limit(), answeredPageMax);
  const pipeline = request.text("pipeline");
  const events = await listEvents(context.database, workspaceId, {
    type: approvalAnswered,
    subject: undefined,
    source: ownSource,
    onlyInvalid: false,
    since: undefined,
    until: undefined,
    after: 0,
    before: readCursor(request.text("cursor"), isLogPlace)?.[0],
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
