import { MillraceError, nearestName, type Json, triggerPaused, triggerResumed } from "@millrace/core";
import {
  resumeRequest,
  type Page,
  type PipelineDetail,
  type PipelineSummary,
  type ResumePreview,
  type ResumeRequest,
} from "@millrace/protocol";
import {
  announceDefinitions,
  definitionSummary,
  findPipeline,
  lastRuns,
  listPipelineNames,
  listPipelines,
  setPipelinePaused,
  type ListedPipeline,
  type PipelineRow,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { pipelineVersions } from "./pipeline-versions.ts";
import { previewResume, readOnResume } from "./resume-preview.ts";
import type { ApiRequest, Route } from "./route.ts";
import { gridPage } from "./run-grid.ts";
import { isoTime } from "./run-summary.ts";

export function pipelineRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/pipelines",
      summary: "Pipelines by name, retired ones included",
      query: { cursor: "from the page before", limit: "how many" },
      handle: (request) => pipelinePage(context, request),
    },
    {
      method: "GET",
      path: "/pipelines/:name",
      summary: "A pipeline with its definition",
      handle: (request) => pipelineDetail(context, request.part("name")),
    },
    {
      method: "GET",
      path: "/pipelines/:name/grid",
      summary:
        "Its runs, newest first, with the states of their nodes in short: see `gridStates` of the protocol",
      query: {
        states: "`false`: the runs alone",
        cursor: "`nextCursor` of the page before",
        limit: "how many runs; fewer come where they have very many task runs",
      },
      handle: (request) => gridPage(context, request),
    },
    {
      method: "GET",
      path: "/pipelines/:name/versions",
      summary: "The deployments that have it, newest first, and which of them changed it",
      query: { cursor: "`nextCursor` of the page before", limit: "how many, 50 at most" },
      handle: (request) => pipelineVersions(context, request),
    },
    {
      method: "POST",
      path: "/pipelines/:name/pause",
      summary: "Takes no new runs until it is resumed; holds over deploys",
      handle: (request) => setPaused(context, request.part("name"), { type: triggerPaused, data: {} }),
    },
    {
      method: "POST",
      path: "/pipelines/:name/resume",
      summary:
        "Takes new runs again; holds over deploys. Says what becomes of the firings of the pause, and with `preview` only which they would be",
      body: resumeRequest,
      handle: (request) => resume(context, request.part("name"), request.body as ResumeRequest),
    },
  ];
}

function isNamePlace(place: unknown): place is readonly [name: string] {
  return isPlace(["string"], place);
}

async function pipelinePage(context: ApiContext, request: ApiRequest): Promise<Page<PipelineSummary>> {
  const limit = request.limit();
  const after = readCursor(request.text("cursor"), isNamePlace);
  const rows = await listPipelines(context.database, workspaceId, {
    afterName: after?.[0] ?? "",
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: await summariesOf(context, page),
    ...(last && rows.length > limit ? { nextCursor: writeCursor([last.name]) } : {}),
  };
}

async function pipelineDetail(context: ApiContext, name: string): Promise<PipelineDetail> {
  const row =
    (await findPipeline(context.database, workspaceId, name)) ?? (await refuseUnknown(context, name));
  const { definition } = row;
  const [summary] = await summariesOf(context, [listed(row)]);
  return {
    ...summary!,
    definition,
    ...(definition.params ? { paramsSchema: definition.params.schema } : {}),
  };
}

async function resume(
  context: ApiContext,
  name: string,
  request: ResumeRequest,
): Promise<PipelineSummary | ResumePreview> {
  const how = readOnResume(request);
  if (request.preview !== true)
    return setPaused(context, name, {
      type: triggerResumed,
      data: how === undefined ? {} : { onResume: how },
    });
  const row =
    (await findPipeline(context.database, workspaceId, name)) ?? (await refuseUnknown(context, name));
  return previewResume(context, { pipeline: name, isPaused: row.paused }, how);
}

/** `news`: what its trigger is told. */
async function setPaused(
  context: ApiContext,
  name: string,
  news: { readonly type: typeof triggerPaused | typeof triggerResumed; readonly data: Json },
): Promise<PipelineSummary> {
  const change = { name, paused: news.type === triggerPaused, news: { ...news, subject: name } };
  const row =
    (await setPipelinePaused(context.database, workspaceId, change)) ?? (await refuseUnknown(context, name));
  await announceDefinitions(context.database);
  await context.definitionsChanged();
  if (row.definition.trigger) await context.host.run((engine) => engine.outbox.settle());
  const [summary] = await summariesOf(context, [listed(row)]);
  return summary!;
}

function listed({ definition, ...row }: PipelineRow): ListedPipeline {
  return { ...row, summary: definitionSummary(definition) };
}

async function refuseUnknown(context: ApiContext, name: string): Promise<never> {
  const near = nearestName(name, await listPipelineNames(context.database, workspaceId));
  throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `There is no pipeline "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
  });
}

async function summariesOf(context: ApiContext, rows: readonly ListedPipeline[]): Promise<PipelineSummary[]> {
  const names = rows.map((row) => row.name);
  const now = context.host.engine.now();
  const runs =
    rows.length === 0 ? undefined : await lastRuns(context.database, workspaceId, { pipelines: names, now });
  return rows.map((row) => {
    const { description, owner, tags, nodes, maxActiveRuns, source } = row.summary;
    const lastRun = runs?.get(row.name);
    return {
      name: row.name,
      project: row.project,
      ...(description === undefined ? {} : { description }),
      ...(owner === undefined ? {} : { owner }),
      tags,
      paused: row.paused,
      pausedByOperator: row.pausedByOperator,
      retired: row.retired,
      nodes,
      ...(maxActiveRuns === undefined ? {} : { maxActiveRuns }),
      bundle: row.bundle,
      ...(source === undefined ? {} : { source }),
      ...(lastRun === undefined
        ? {}
        : { lastRun: { id: lastRun.id, state: lastRun.state, createdAt: isoTime(lastRun.createdAt) } }),
    };
  });
}
