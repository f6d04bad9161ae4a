/** Runs: start, read. */
import { startRunRequest, type StartRunRequest } from "@millrace/protocol";
import type { ApiContext } from "./api-context.ts";
import type { Route } from "./route.ts";
import { startRun } from "./run-start.ts";
import { runDetail } from "./run-view.ts";

const generationMax = 1_000_000;

export function runRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "POST",
      path: "/runs",
      summary: "Starts a run",
      body: startRunRequest,
      handle: (request) => startRun(context, request.body as StartRunRequest),
    },
    {
      method: "GET",
      path: "/runs/:id",
      summary: "A run with its nodes",
      query: { generation: "an earlier generation" },
      handle: (request) =>
        runDetail(context, request.part("id"), request.integer("generation", 1, generationMax)),
    },
  ];
}
