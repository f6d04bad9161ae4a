/** `GET /lineage`: where data comes from and where it goes, as far as definitions and the log say. */
import { liveLane, MillraceError, nearestName } from "@millrace/core";
import type { LineageNode, LineageView, Operations } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import {
  deployedSources,
  findEntryIds,
  listAssets,
  listAssetStates,
  listAssetUsers,
  listPipelineTies,
  listTypeSources,
  type AssetStateRow,
  type DeployedAsset,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import {
  assetsMax,
  lineagePipelinesMax,
  lineageTypesMax,
  reportersMax,
  tellersDays,
  tellersLookedEach,
} from "./limits.ts";
import { eventTypesIn, lineageId, LineageGraph } from "./lineage-graph.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

const dayMs = 86_400_000;

export function lineageRoutes(context: ApiContext): Route[] {
  return [route(operations.getLineage, (request) => lineage(context, request))];
}

async function lineage(
  context: ApiContext,
  request: ApiRequest<Operations["getLineage"]>,
): Promise<LineageView> {
  const limit = request.query.limit;
  const depth = request.query.depth;
  const kind = request.query.kind ?? "asset";
  const around = request.query.around;
  const graph = await readGraph(context, request.query.lane ?? liveLane);
  if (around === undefined) return graph.whole(limit);
  const id = lineageId(kind, around);
  if (graph.has(id)) return graph.around(id, depth, limit);
  if (kind !== "asset")
    throw new MillraceError("MILLRACE_NOT_FOUND", {
      message: `Nothing is tied to a ${kind} of the name ${JSON.stringify(around.slice(0, 200))}.`,
    });
  const names = graph.names("asset");
  const near = nearestName(around, names);
  throw new MillraceError("MILLRACE_ASSET_UNKNOWN", {
    message: `There is no asset ${JSON.stringify(around.slice(0, 200))}.${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: { asset: around.slice(0, 200), ...(near === undefined ? {} : { nearest: near }) },
  });
}

async function readGraph(context: ApiContext, lane: string): Promise<LineageGraph> {
  const { database } = context;
  const now = context.host.engine.now();
  const [assets, users, rows, pipelines, sources, webhooks] = await Promise.all([
    listAssets(database, workspaceId),
    listAssetUsers(database, workspaceId),
    listAssetStates(database, workspaceId, { lane, asset: undefined, limit: assetsMax }),
    listPipelineTies(database, workspaceId, lineagePipelinesMax),
    deployedSources(database, workspaceId),
    context.webhooks.list(),
  ]);
  const types = eventTypesIn(pipelines).slice(0, lineageTypesMax);
  const [tellers, reporters] = await Promise.all([
    listTypeSources(database, workspaceId, {
      types,
      since: now - tellersDays * dayMs,
      looked: tellersLookedEach,
    }),
    reportersOf(context, rows),
  ]);
  const states = new Map(rows.map((row) => [row.asset, row]));
  const definitions = new Map(assets.map((asset) => [asset.definition.name, asset]));
  return new LineageGraph({
    assets,
    users,
    pipelines,
    tellers,
    reporters,
    webhooks: webhooks.map(({ name }) => name),
    sources: sources.map(({ definition }) => definition.name),
    about: (asset) => aboutAsset(definitions.get(asset), states.get(asset), now),
  });
}

function aboutAsset(
  deployed: DeployedAsset | undefined,
  state: AssetStateRow | undefined,
  now: number,
): Pick<LineageNode, "freshness" | "updatedAt"> {
  const maxAgeMs = deployed?.definition.freshness?.maxAgeMs;
  const updatedAt = state?.updatedAt;
  const isLate = maxAgeMs !== undefined && updatedAt !== undefined && now - updatedAt > maxAgeMs;
  return {
    ...(maxAgeMs === undefined
      ? {}
      : { freshness: updatedAt === undefined ? "never" : isLate ? "stale" : "fresh" }),
    ...(updatedAt === undefined ? {} : { updatedAt: isoTime(updatedAt) }),
  };
}

/** An entry of an asset is named after who reported: `asset /spark 17`. */
async function reportersOf(
  { database }: ApiContext,
  states: readonly AssetStateRow[],
): Promise<{ readonly asset: string; readonly source: string }[]> {
  const outside = states
    .filter(({ runId, updatePosition }) => runId === undefined && updatePosition !== undefined)
    .toSorted((a, b) => (b.updatePosition ?? 0) - (a.updatePosition ?? 0))
    .slice(0, reportersMax);
  if (outside.length === 0) return [];
  const positions = outside.map(({ updatePosition }) => updatePosition ?? 0);
  const ids = new Map(
    (await findEntryIds(database, workspaceId, positions)).map(({ position, id }) => [position, id]),
  );
  return outside.flatMap(({ asset, updatePosition }) => {
    const [, source] = /^asset (\S+) /.exec(ids.get(updatePosition ?? 0) ?? "") ?? [];
    return source === undefined ? [] : [{ asset, source }];
  });
}
