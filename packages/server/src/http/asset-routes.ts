import {
  assetsIn,
  assetUpdatedType,
  liveLane,
  MillraceError,
  nearestName,
  readAssetKey,
} from "@millrace/core";
import type {
  AssetCellsView,
  AssetDetail,
  AssetPartitionView,
  AssetSummary,
  AssetUseView,
  Operations,
  Page,
} from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import {
  findAssetPartitions,
  listAssetPartitions,
  listAssets,
  listAssetStates,
  listAssetUsers,
  listAssetUses,
  listEvents,
  listTriggerConditions,
  type AssetStateRow,
  type DeployedAsset,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { assetCellsView } from "./asset-cells.ts";
import { pictureOf } from "./asset-pictures.ts";
import { assetSummary, Lineage, partitionView, updateView, useView } from "./asset-view.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import {
  assetKeysMax,
  assetListedKeysMax,
  assetRangesMax,
  assetsAtOnce,
  assetsMax,
  assetUpdatesShown,
  assetUsesShown,
} from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { sinceOf } from "./run-snapshot.ts";

export function assetRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listAssets, (request) => assetPage(context, request)),
    route(operations.getAsset, (request) =>
      oneAsset(context, request.path.asset, request.query.lane ?? liveLane),
    ),
    route(operations.getAssetCells, (request) => cells(context, request)),
    route(operations.listAssetPartitions, (request) => partitionPage(context, request)),
    route(operations.getAssetPartition, (request) => onePartition(context, request)),
    route(operations.listRunAssets, (request) => runAssets(context, request.path.id)),
  ];
}

interface Book {
  readonly deployed: ReadonlyMap<string, DeployedAsset>;
  readonly states: ReadonlyMap<string, AssetStateRow>;
  readonly lineage: Lineage;
  /** Sorted; also of those that are not declared. */
  readonly names: readonly string[];
}

async function readBook({ database }: ApiContext, lane: string): Promise<Book> {
  const [deployed, users, states] = await Promise.all([
    listAssets(database, workspaceId),
    listAssetUsers(database, workspaceId),
    listAssetStates(database, workspaceId, { lane, asset: undefined, limit: assetsMax }),
  ]);
  const names = new Set([...deployed.map((row) => row.definition.name), ...states.map((row) => row.asset)]);
  return {
    deployed: new Map(deployed.map((row) => [row.definition.name, row])),
    states: new Map(states.map((row) => [row.asset, row])),
    lineage: new Lineage(deployed, users),
    names: [...names].sort(),
  };
}

function isNamePlace(place: unknown): place is readonly [name: string] {
  return isPlace(["string"], place);
}

async function assetPage(
  context: ApiContext,
  request: ApiRequest<Operations["listAssets"]>,
): Promise<Page<AssetSummary>> {
  const limit = request.query.limit;
  const lane = request.query.lane ?? liveLane;
  const after = readCursor(request.query.cursor, isNamePlace)?.[0] ?? "";
  const book = await readBook(context, lane);
  const rest = book.names.filter((name) => name > after);
  const { deployed, states, lineage } = book;
  const items: AssetSummary[] = [];
  const summary = async (name: string): Promise<AssetSummary> => {
    const found = deployed.get(name);
    const state = states.get(name);
    const picture =
      found &&
      (await pictureOf(context, { definition: found.definition, lane, state, keysMax: assetListedKeysMax }));
    const now = context.host.engine.now();
    return assetSummary({ name, deployed: found, state, picture, lineage, now });
  };
  const wanted = rest.slice(0, limit);
  for (let at = 0; at < wanted.length; at += assetsAtOnce)
    items.push(...(await Promise.all(wanted.slice(at, at + assetsAtOnce).map(summary))));
  const last = items.at(-1);
  return { items, ...(last && rest.length > limit ? { nextCursor: writeCursor([last.name]) } : {}) };
}

async function oneAsset(context: ApiContext, name: string, lane: string): Promise<AssetDetail> {
  const { database } = context;
  const book = await readBook(context, lane);
  const deployed = book.deployed.get(name);
  const state = book.states.get(name);
  if (!deployed && !state) throw unknownAsset(name, book.names);
  const [users, conditions, events, picture] = await Promise.all([
    listAssetUsers(database, workspaceId),
    listTriggerConditions(database, workspaceId),
    listEvents(database, workspaceId, {
      type: assetUpdatedType,
      subject: name,
      source: undefined,
      onlyInvalid: false,
      since: undefined,
      until: undefined,
      after: 0,
      before: undefined,
      limit: assetUpdatesShown,
    }),
    deployed && pictureOf(context, { definition: deployed.definition, lane, state, keysMax: assetKeysMax }),
  ]);
  const now = context.host.engine.now();
  const own = users.filter(({ asset }) => asset === name);
  const nodesOf = (direction: "read" | "write"): { pipeline: string; node: string }[] =>
    own.filter((use) => use.direction === direction).map(({ pipeline, node }) => ({ pipeline, node }));
  const ranges = picture?.ranges ?? [];
  return {
    ...assetSummary({ name, deployed, state, picture, lineage: book.lineage, now }),
    ...(deployed ? { definition: deployed.definition } : {}),
    writers: nodesOf("write"),
    readers: nodesOf("read"),
    triggers: conditions
      .filter(({ condition }) => assetsIn(condition).has(name))
      .map(({ pipeline }) => pipeline),
    // The newest of what is too much.
    ranges: ranges.slice(-assetRangesMax),
    ...(ranges.length > assetRangesMax ? { rangesAreMore: true } : {}),
    lastUpdates: events.flatMap((event) => (event.lane === lane ? (updateView(event) ?? []) : [])),
  };
}

function unknownAsset(name: string, names: readonly string[]): MillraceError {
  const near = nearestName(name, names);
  return new MillraceError("MILLRACE_ASSET_UNKNOWN", {
    message: `There is no asset ${JSON.stringify(name.slice(0, 200))}.${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: { asset: name.slice(0, 200), ...(near === undefined ? {} : { nearest: near }) },
  });
}

async function requireAsset(
  context: ApiContext,
  name: string,
  lane: string,
): Promise<DeployedAsset | undefined> {
  const book = await readBook(context, lane);
  if (book.deployed.has(name) || book.states.has(name)) return book.deployed.get(name);
  throw unknownAsset(name, book.names);
}

async function cells(
  context: ApiContext,
  request: ApiRequest<Operations["getAssetCells"]>,
): Promise<AssetCellsView> {
  const asset = request.path.asset;
  const lane = request.query.lane ?? liveLane;
  const deployed = await requireAsset(context, asset, lane);
  return assetCellsView(context, {
    asset,
    lane,
    definition: deployed?.definition.partitions,
    until: request.query.until,
    after: request.query.after,
    limit: request.query.limit,
  });
}

async function partitionPage(
  context: ApiContext,
  request: ApiRequest<Operations["listAssetPartitions"]>,
): Promise<Page<AssetPartitionView>> {
  const asset = request.path.asset;
  const limit = request.query.limit;
  const lane = request.query.lane ?? liveLane;
  await requireAsset(context, asset, lane);
  const afterPartition = readCursor(request.query.cursor, isNamePlace)?.[0];
  const rows = await listAssetPartitions(context.database, workspaceId, {
    asset,
    lane,
    afterPartition,
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(partitionView),
    ...(last && rows.length > limit ? { nextCursor: writeCursor([last.partition]) } : {}),
  };
}

/** In any spelling of its key. */
async function onePartition(
  context: ApiContext,
  request: ApiRequest<Operations["getAssetPartition"]>,
): Promise<AssetPartitionView> {
  const asset = request.path.asset;
  const lane = request.query.lane ?? liveLane;
  const deployed = await requireAsset(context, asset, lane);
  const given = request.path.partition;
  const read = readAssetKey(deployed?.definition.partitions, given);
  const unknown = (fault: string): MillraceError =>
    new MillraceError("MILLRACE_PARTITION_UNKNOWN", {
      message: `The asset "${asset}": ${fault}.`,
      fields: { asset, partition: given.slice(0, 200) },
    });
  if (read.fault !== undefined) throw unknown(read.fault);
  const partition = read.key ?? "";
  const wanted = { asset, lane, partitions: [partition] };
  const [row] = await findAssetPartitions(context.database, workspaceId, wanted);
  if (row) return partitionView(row);
  throw unknown(`nothing was written to its partition ${JSON.stringify(partition)} yet`);
}

async function runAssets(context: ApiContext, runId: string): Promise<Page<AssetUseView>> {
  // Refuses what is no id.
  sinceOf(runId);
  await context.host.run((engine) => engine.committed());
  const rows = await listAssetUses(context.database, workspaceId, { runId, limit: assetUsesShown });
  return { items: rows.map(useView) };
}
