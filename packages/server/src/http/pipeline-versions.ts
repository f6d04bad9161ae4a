/** `GET /pipelines/:name/versions`: which deployments changed a pipeline. */
import { MillraceError } from "@millrace/core";
import type { Operations, Page, PipelineVersionView } from "@millrace/protocol";
import { findPipeline, listPipelineVersions } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import type { ApiRequest } from "./route.ts";
import { isoTime } from "./run-summary.ts";

/** PostgreSQL's `integer`. */
const afterAllNumbers = 2_147_483_647;

function isNumberPlace(place: unknown): place is readonly [number: number] {
  return isPlace(["number"], place);
}

export async function pipelineVersions(
  context: ApiContext,
  request: ApiRequest<Operations["listPipelineVersions"]>,
): Promise<Page<PipelineVersionView>> {
  const pipeline = request.path.name;
  const limit = request.query.limit;
  const beforeNumber = readCursor(request.query.cursor, isNumberPlace)?.[0] ?? afterAllNumbers;
  const found = await findPipeline(context.database, workspaceId, pipeline);
  if (!found)
    throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
      message: `There is no pipeline "${pipeline}".`,
      fields: { pipeline },
    });
  const { project } = found;
  const wanted = { project, pipeline, beforeNumber, limit: limit + 1 };
  const rows = await listPipelineVersions(context.database, workspaceId, wanted);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.flatMap(({ number, bundle, active, createdAt, nodes, changed }) =>
      nodes === undefined
        ? []
        : { deployment: number, project, bundle, createdAt: isoTime(createdAt), active, nodes, changed },
    ),
    ...(last && rows.length > limit ? { nextCursor: writeCursor([last.number]) } : {}),
  };
}
