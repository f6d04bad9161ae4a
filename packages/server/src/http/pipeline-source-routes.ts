import { MillraceError, nearestName } from "@millrace/core";
import type { Operations, PipelineChanges, PipelineSource, VersionPlace } from "@millrace/protocol";
import { operations, versionsMax } from "@millrace/protocol/operations";
import {
  findDeployedDefinition,
  findPipeline,
  listPipelineNames,
  listPipelineVersions,
  type DeployedDefinition,
  type PipelineRow,
  type PipelineVersionRow,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { BundleSources } from "./bundle-sources.ts";
import { nextTicks } from "./pipeline-next.ts";
import { recentRuns } from "./pipeline-recent.ts";
import { sourceCharactersMax } from "./limits.ts";
import { changedFiles, changesBetween } from "./pipeline-changes.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

/** PostgreSQL's `integer`. */
const numberMax = 2_147_483_647;

export function pipelineSourceRoutes(context: ApiContext): Route[] {
  const sources = new BundleSources();
  return [
    route(operations.listRecentRuns, (request) => recentRuns(context, request.query.names)),
    route(operations.listNextTicks, async (request) => {
      const { definition } = await requirePipeline(context, request.path.name);
      return { items: nextTicks(definition.trigger?.condition, context.host.engine.now()) };
    }),
    route(operations.getPipelineChanges, (request) => changes(context, sources, request)),
    route(operations.getPipelineSource, (request) => source(context, sources, request)),
  ];
}

async function changes(
  context: ApiContext,
  sources: BundleSources,
  request: ApiRequest<Operations["getPipelineChanges"]>,
): Promise<PipelineChanges> {
  const pipeline = await requirePipeline(context, request.path.name);
  const versions = await versionsOf(context, pipeline);
  const to = await deployedAt(context, pipeline, request.query.to ?? versions[0]?.number);
  const fromNumber = request.query.from ?? changedBefore(versions, to.place.deployment);
  const from = fromNumber === undefined ? undefined : await deployedAt(context, pipeline, fromNumber);
  const [before, after] = [
    from && (await sources.filesOf(context.database, from.place.bundle)),
    await sources.filesOf(context.database, to.place.bundle),
  ];
  return {
    ...(from ? { from: from.place } : {}),
    to: to.place,
    ...changesBetween(from?.definition, to.definition),
    files: changedFiles(before, after),
  };
}

async function source(
  context: ApiContext,
  sources: BundleSources,
  request: ApiRequest<Operations["getPipelineSource"]>,
): Promise<PipelineSource> {
  const pipeline = await requirePipeline(context, request.path.name);
  const asked = request.query.deployment;
  const number = asked ?? (await versionsOf(context, pipeline))[0]?.number;
  const { place, definition } = await deployedAt(context, pipeline, number);
  const files = await sources.filesOf(context.database, place.bundle);
  if (!files)
    throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
      message: `The bundle of deployment ${place.deployment} is not kept any more, or has no source.`,
      fields: { bundle: place.bundle },
    });
  const names = [...files.keys()];
  const file = request.query.file ?? definition.source?.file ?? names[0] ?? "";
  const text = files.get(file);
  if (text === undefined) {
    const near = nearestName(file, names);
    throw new MillraceError("MILLRACE_NOT_FOUND", {
      message: `The bundle of deployment ${place.deployment} has no file "${file.slice(0, 200)}" of the project.${near === undefined ? "" : ` Did you mean "${near}"?`}`,
      fields: { query: "file" },
    });
  }
  return {
    ...place,
    files: names,
    file,
    text: text.slice(0, sourceCharactersMax),
    ...(text.length > sourceCharactersMax ? { isCut: true } : {}),
  };
}

async function requirePipeline({ database }: ApiContext, name: string): Promise<PipelineRow> {
  const found = await findPipeline(database, workspaceId, name);
  if (found) return found;
  const near = nearestName(name, await listPipelineNames(database, workspaceId));
  throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `There is no pipeline "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: { pipeline: name },
  });
}

/** The newest deployments that have the pipeline, newest first. */
async function versionsOf(
  { database }: ApiContext,
  { name, project }: PipelineRow,
): Promise<readonly PipelineVersionRow[]> {
  const asked = { project, pipeline: name, beforeNumber: numberMax, limit: versionsMax };
  const rows = await listPipelineVersions(database, workspaceId, asked);
  return rows.filter(({ nodes }) => nodes !== undefined);
}

/** The newest one before it whose definition or bundle is another. */
function changedBefore(versions: readonly PipelineVersionRow[], number: number): number | undefined {
  const later = versions.find((version) => version.number === number);
  const earlier = versions.filter((version) => version.number < number);
  return (earlier.find(({ bundle }) => bundle !== later?.bundle) ?? earlier[0])?.number;
}

async function deployedAt(
  { database }: ApiContext,
  { name, project }: PipelineRow,
  deployment: number | undefined,
): Promise<{
  readonly place: VersionPlace;
  readonly definition: NonNullable<DeployedDefinition["definition"]>;
}> {
  const asked = { project, pipeline: name, deployment: deployment ?? 0 };
  const found = await findDeployedDefinition(database, workspaceId, asked);
  if (found?.definition)
    return {
      place: { deployment: asked.deployment, bundle: found.bundle, createdAt: isoTime(found.createdAt) },
      definition: found.definition,
    };
  throw new MillraceError("MILLRACE_NOT_FOUND", {
    message: `Deployment ${deployment ?? ""} of the project "${project}" does not have the pipeline "${name}", or is not kept any more.`,
    fields: { pipeline: name },
  });
}
