import { answerRequest, type AnswerRequest, type ApprovalView, type Page } from "@millrace/protocol";
import { listApprovals } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { answerApproval } from "./approval-answer.ts";
import { findApproval, openApproval } from "./approval-view.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import type { ApiRequest, Route } from "./route.ts";

export function approvalRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/approvals",
      summary: "What waits for a person's answer, the oldest first",
      query: {
        pipeline: "Of this pipeline only",
        cursor: "`nextCursor` of the page before",
        limit: "Approvals in a page",
      },
      handle: (request) => approvalPage(context, request),
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
