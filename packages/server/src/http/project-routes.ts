/**
 * What the process that follows a project's files says of them. Only `millrace dev` does, on loopback: code frames and
 * paths of files leave by it.
 */
import { MillraceError } from "@millrace/core";
import type { ProjectView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import type { ApiContext } from "./api-context.ts";
import { route, type Route } from "./route.ts";

/** Who follows a project's files. */
export interface ProjectSource {
  view(): ProjectView;
  /** Until what it returns is called. */
  listen(listener: (view: ProjectView) => void): () => void;
}

export function projectRoutes({ project }: ApiContext): Route[] {
  return [route(operations.getProject, () => projectOf(project).view())];
}

/** Throws MILLRACE_NOT_FOUND where nobody follows files. */
export function projectOf(project: ProjectSource | undefined): ProjectSource {
  if (project) return project;
  throw new MillraceError("MILLRACE_NOT_FOUND", {
    message: "This server follows no project's files.",
    advice: "`millrace dev` does; elsewhere `GET /api/v1/deployments` lists what was deployed.",
  });
}
