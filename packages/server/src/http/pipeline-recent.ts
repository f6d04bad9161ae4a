/** `GET /pipelines/recent`: what a list of pipelines shows of each, for those that are in view. */
import { MillraceError } from "@millrace/core";
import type { Page, RecentView } from "@millrace/protocol";
import { findNextDue, listRecentRuns } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { recentPipelinesMax, recentRunsOfOne } from "./limits.ts";
import { isoTime } from "./run-summary.ts";

export async function recentRuns({ database }: ApiContext, names: string): Promise<Page<RecentView>> {
  const pipelines = [...new Set(names.split(",").filter((name) => name !== ""))];
  if (pipelines.length > recentPipelinesMax)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"names" has ${pipelines.length} names; ${recentPipelinesMax} are allowed.`,
      fields: { query: "names" },
    });
  const runs = await listRecentRuns(database, workspaceId, { pipelines, limit: recentRunsOfOne });
  const due = await findNextDue(database, workspaceId, pipelines);
  return {
    items: pipelines.map((pipeline) => {
      const nextDue = due.get(pipeline);
      return {
        pipeline,
        runs: runs
          .filter((run) => run.pipeline === pipeline)
          .map(({ id, state, createdAt }) => ({ id, state, createdAt: isoTime(createdAt) })),
        ...(nextDue === undefined ? {} : { nextDue: isoTime(nextDue) }),
      };
    }),
  };
}
