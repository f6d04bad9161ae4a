import type { PipelineDefinition } from "@millrace/core";
import {
  about,
  anObject,
  flag,
  integer,
  jsonSchema,
  list,
  named,
  object,
  text,
  time,
  typed,
  yes,
  type TypeOf,
} from "../shape.ts";
import { cursor, flagParameter, limit, operation, paging } from "./operation.ts";
import { page, sourceLocation } from "./parts.ts";
import { runState } from "./run.ts";
import { resumePreview, resumeRequest } from "./trigger.ts";

/** Deployments in one page of a pipeline's versions: each definition of a project is read whole. */
export const versionsMax = 50;

export const pipelineSummary = named(
  "PipelineSummary",
  object(
    {
      name: text,
      project: text,
      tags: list(text),
      paused: flag,
      pausedByOperator: about("True when an operator set `paused`, so that deploys leave it.", flag),
      retired: flag,
      nodes: integer(0),
      bundle: text,
    },
    {
      description: text,
      owner: text,
      maxActiveRuns: integer(0),
      source: sourceLocation,
      lastRun: object({ id: text, state: runState, createdAt: time }),
    },
  ),
);
export type PipelineSummary = TypeOf<typeof pipelineSummary>;

export const pipelineDetail = named(
  "PipelineDetail",
  object(
    { ...pipelineSummary.required, definition: typed<PipelineDefinition>(anObject) },
    { ...pipelineSummary.optional, paramsSchema: jsonSchema },
  ),
);
export type PipelineDetail = TypeOf<typeof pipelineDetail>;

export const gridRun = named(
  "GridRun",
  object(
    { id: text, state: runState, generation: integer(0), createdAt: time },
    {
      startedAt: time,
      endedAt: time,
      partition: text,
      states: about(
        "For each of the page's `nodes` one digit, the state's place in `gridStates`, or `.` where the run has nothing of it.",
        text,
      ),
      isCut: about(
        "It has more task runs than are looked at: what is said of its last nodes may be too little.",
        yes,
      ),
    },
  ),
);
export type GridRun = TypeOf<typeof gridRun>;

export const gridPage = about(
  "A pipeline's runs, newest first, by the nodes that they have.",
  named(
    "GridPage",
    object(
      {
        runs: list(gridRun),
        nodes: about(
          "In the order of the deployed definition; those that it does not have any more come last.",
          list(text),
        ),
      },
      { nextCursor: text },
    ),
  ),
);
export type GridPage = TypeOf<typeof gridPage>;

export const pipelineVersionView = about(
  "What a deployment says of one pipeline.",
  named(
    "PipelineVersionView",
    object({
      deployment: integer(0),
      project: text,
      bundle: text,
      createdAt: time,
      active: flag,
      nodes: integer(0),
      changed: about(
        "Whether its definition differs from that of the deployment before; true of the first one.",
        flag,
      ),
    }),
  ),
);
export type PipelineVersionView = TypeOf<typeof pipelineVersionView>;

export const pipelineOperations = {
  listPipelines: operation({
    method: "GET",
    path: "/pipelines",
    summary: "Pipelines by name, retired ones included",
    query: paging,
    answer: page(pipelineSummary),
  }),
  getPipeline: operation({
    method: "GET",
    path: "/pipelines/:name",
    summary: "A pipeline with its definition",
    answer: pipelineDetail,
  }),
  getPipelineGrid: operation({
    method: "GET",
    path: "/pipelines/:name/grid",
    summary:
      "Its runs, newest first, with the states of their nodes in short: see `gridStates` of the protocol",
    query: {
      states: flagParameter("`false`: the runs alone", true),
      cursor,
      limit: limit("how many runs; fewer come where they have very many task runs"),
    },
    answer: gridPage,
  }),
  listPipelineVersions: operation({
    method: "GET",
    path: "/pipelines/:name/versions",
    summary: "The deployments that have it, newest first, and which of them changed it",
    query: { cursor, limit: limit("how many at most", versionsMax, versionsMax) },
    answer: page(pipelineVersionView),
  }),
  pausePipeline: operation({
    method: "POST",
    path: "/pipelines/:name/pause",
    summary: "Takes no new runs until it is resumed; holds over deploys",
    answer: pipelineSummary,
  }),
  resumePipeline: operation({
    method: "POST",
    path: "/pipelines/:name/resume",
    summary:
      "Takes new runs again; holds over deploys. Says what becomes of the firings of the pause, and with `preview` only which they would be",
    body: resumeRequest,
    answer: pipelineSummary,
    preview: resumePreview,
  }),
} as const;
