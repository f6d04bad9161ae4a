import type { DeploymentView, Operations, Page } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { listDeployments } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { deploy, rollBack } from "./deploy.ts";
import { largeBodyBytesMax } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function deploymentRoutes(context: ApiContext): Route[] {
  return [
    route(
      operations.deploy,
      async (request) => {
        const answer = await deploy(context, request.body);
        if (!answer.dryRun) await tellChanged(context);
        return answer;
      },
      { bodyBytesMax: largeBodyBytesMax },
    ),
    route(operations.listDeployments, (request) => deploymentPage(context, request)),
    route(operations.rollBack, async (request) => {
      const answer = await rollBack(context, request.body);
      await tellChanged(context);
      return answer;
    }),
  ];
}

/** Triggers that changed are in the event log when it is answered. */
async function tellChanged(context: ApiContext): Promise<void> {
  await context.definitionsChanged();
  await context.host.run((engine) => engine.outbox.settle());
}

function isDeploymentPlace(
  place: unknown,
): place is readonly [createdAt: number, project: string, number: number] {
  return isPlace(["number", "string", "number"], place);
}

async function deploymentPage(
  context: ApiContext,
  request: ApiRequest<Operations["listDeployments"]>,
): Promise<Page<DeploymentView>> {
  const limit = request.query.limit;
  const after = readCursor(request.query.cursor, isDeploymentPlace);
  const before = after
    ? { createdAt: after[0], project: after[1], number: after[2] }
    : { createdAt: Number.POSITIVE_INFINITY, project: "", number: 0 };
  const project = request.query.project;
  const rows = await listDeployments(context.database, workspaceId, { project, before, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => ({
      project: row.project,
      deployment: row.number,
      bundle: row.bundle,
      active: row.active,
      createdAt: isoTime(row.createdAt),
      pipelines: row.pipelines,
    })),
    ...(last && rows.length > limit
      ? { nextCursor: writeCursor([last.createdAt, last.project, last.number]) }
      : {}),
  };
}
