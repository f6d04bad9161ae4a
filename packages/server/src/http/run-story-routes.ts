/** What a run tells of itself beyond its state: the code it has, what led to it, what it led to. */
import { MillraceError } from "@millrace/core";
import type { RunDefinitionView } from "@millrace/protocol";
import type { ApiContext } from "./api-context.ts";
import type { Route } from "./route.ts";
import { findCurrent } from "./run-commands.ts";

export function runStoryRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/runs/:id/definition",
      summary: "The pipeline's definition in the bundle that the run has",
      handle: (request) => definitionOf(context, request.part("id")),
    },
  ];
}

async function definitionOf(context: ApiContext, id: string): Promise<RunDefinitionView> {
  const { workspace, bundle, pipeline } = await findCurrent(context, id);
  const graph = await context.host.engine.definitions.graph(workspace, bundle, pipeline);
  if (graph) return { bundle, definition: graph.definition };
  throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
    message: `The bundle ${bundle} that the run ${id} ran with is gone.`,
  });
}
