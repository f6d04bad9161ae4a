/** What a run tells of itself beyond its state: the code it has, what led to it, what it led to. */
import { MillraceError } from "@millrace/core";
import type { RunDefinitionView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import type { ApiContext } from "./api-context.ts";
import { route, type Route } from "./route.ts";
import { causesOf } from "./run-causes.ts";
import { effectsOf } from "./run-effects.ts";
import { inputOf } from "./run-input.ts";
import { findCurrent } from "./run-commands.ts";

export function runStoryRoutes(context: ApiContext): Route[] {
  return [
    route(operations.getRunDefinition, (request) => definitionOf(context, request.path.id)),
    route(operations.getTaskInput, (request) =>
      inputOf(context, request.path.id, {
        node: request.query.node,
        item: request.query.item ?? "",
      }),
    ),
    route(operations.getRunCauses, (request) => causesOf(context, request.path.id)),
    route(operations.getRunEffects, (request) => effectsOf(context, request.path.id)),
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
