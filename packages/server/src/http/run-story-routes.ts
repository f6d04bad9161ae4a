/** What a run tells of itself beyond its state: the code it has, what led to it, what it led to. */
import { MillraceError } from "@millrace/core";
import type { RunDefinitionView } from "@millrace/protocol";
import type { ApiContext } from "./api-context.ts";
import type { Route } from "./route.ts";
import { causesOf } from "./run-causes.ts";
import { effectsOf } from "./run-effects.ts";
import { inputOf } from "./run-input.ts";
import { findCurrent } from "./run-commands.ts";

export function runStoryRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/runs/:id/definition",
      summary: "The pipeline's definition in the bundle that the run has",
      handle: (request) => definitionOf(context, request.part("id")),
    },
    {
      method: "GET",
      path: "/runs/:id/input",
      summary: "What a task run was given",
      query: { node: "its node", item: "its item, in a fan-out" },
      handle: (request) =>
        inputOf(context, request.part("id"), {
          node: request.requiredText("node"),
          item: request.text("item") ?? "",
        }),
    },
    {
      method: "GET",
      path: "/runs/:id/causes",
      summary: "What led to a run, one step back: a call, or a firing with its events and who told them",
      handle: (request) => causesOf(context, request.part("id")),
    },
    {
      method: "GET",
      path: "/runs/:id/effects",
      summary:
        "What came of a run: entries of the log that it wrote, runs that these started, runs that it called",
      handle: (request) => effectsOf(context, request.part("id")),
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
