import { MillraceError, nearestName, type Json, triggerPaused, triggerResumed } from "@millrace/core";
import type {
  Operations,
  Page,
  PipelineDetail,
  PipelineSummary,
  ResumePreview,
  ResumeRequest,
} from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
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
import type { FastifyReply } from "fastify";
import { tellState } from "./preconditions.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { gridPage } from "./run-grid.ts";
import { isoTime } from "./run-summary.ts";

export function pipelineRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listPipelines, (request) => pipelinePage(context, request)),
    route(operations.getPipeline, async (request, reply) => {
      const detail = await pipelineDetail(context, request.path.name);
      tellState(reply, stateOf(detail));
      return detail;
    }),
    route(operations.getPipelineGrid, (request) => gridPage(context, request)),
    route(operations.listPipelineVersions, (request) => pipelineVersions(context, request)),
    route(operations.pausePipeline, (request, reply) =>
      change(context, request, reply, () =>
        setPaused(context, request.path.name, { type: triggerPaused, data: {} }),
      ),
    ),
    route(operations.resumePipeline, (request, reply) =>
      request.body.preview === true
        ? resumePreview(context, request.path.name, request.body)
        : change(context, request, reply, () => resume(context, request.path.name, request.body)),
    ),
  ];
}

function isNamePlace(place: unknown): place is readonly [name: string] {
  return isPlace(["string"], place);
}

async function pipelinePage(
  context: ApiContext,
  request: ApiRequest<Operations["listPipelines"]>,
): Promise<Page<PipelineSummary>> {
  const limit = request.query.limit;
  const after = readCursor(request.query.cursor, isNamePlace);
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

async function resume(context: ApiContext, name: string, request: ResumeRequest): Promise<PipelineSummary> {
  const how = readOnResume(request);
  return setPaused(context, name, { type: triggerResumed, data: how === undefined ? {} : { onResume: how } });
}

async function resumePreview(
  context: ApiContext,
  name: string,
  request: ResumeRequest,
): Promise<ResumePreview> {
  const how = readOnResume(request);
  const row =
    (await findPipeline(context.database, workspaceId, name)) ?? (await refuseUnknown(context, name));
  return previewResume(context, { pipeline: name, isPaused: row.paused }, how);
}

/** What others may have changed. */
function stateOf({
  bundle,
  paused,
  pausedByOperator,
  retired,
}: Pick<PipelineSummary, "bundle" | "paused" | "pausedByOperator" | "retired">): Json {
  return { bundle, paused, pausedByOperator, retired };
}

async function change(
  context: ApiContext,
  request: ApiRequest<Operations["pausePipeline" | "resumePipeline"]>,
  reply: FastifyReply,
  act: () => Promise<PipelineSummary>,
): Promise<PipelineSummary> {
  const { name } = request.path;
  const summary = await context.changes.of(`pipeline ${name}`, request.raw, {
    state: async () => {
      const row = await findPipeline(context.database, workspaceId, name);
      return stateOf(row ?? (await refuseUnknown(context, name)));
    },
    act,
  });
  tellState(reply, stateOf(summary));
  return summary;
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
