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
  Page,
} from "@millrace/protocol";
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
  assetCells,
  assetCellsMax,
  assetKeysMax,
  assetListedKeysMax,
  assetRangesMax,
  assetsMax,
  assetUpdatesShown,
  assetUsesShown,
} from "./limits.ts";
import type { ApiRequest, Route } from "./route.ts";
import { sinceOf } from "./run-snapshot.ts";

export function assetRoutes(context: ApiContext): Route[] {
  const lane = "Of this lane; live unless given";
  return [
    {
      method: "GET",
      path: "/assets",
      summary: "Assets by name: those that are declared, and those of which something was told",
      query: { lane, cursor: "`nextCursor` of the page before", limit: "how many" },
      handle: (request) => assetPage(context, request),
    },
    {
      method: "GET",
      path: "/assets/:asset",
      summary: "One asset: its partitions, who writes and reads it, its last updates",
      query: { lane },
      handle: (request) => oneAsset(context, request.part("asset"), request.text("lane") ?? liveLane),
    },
    {
      method: "GET",
      path: "/assets/:asset/cells",
      summary:
        "Its partitions in short, as a calendar or matrix: windows that have begun, static keys, known keys",
      query: {
        lane,
        until: "Windows that begin before this time; now unless given",
        after: "Of keys without order in time: those after this one",
        limit: "how many",
      },
      handle: (request) => cells(context, request),
    },
    {
      method: "GET",
      path: "/assets/:asset/partitions",
      summary: "Its partitions by key, with what their last updates told",
      query: { lane, cursor: "`nextCursor` of the page before", limit: "how many" },
      handle: (request) => partitionPage(context, request),
    },
    {
      method: "GET",
      path: "/assets/:asset/partitions/:partition",
      summary: "One of its partitions",
      query: { lane },
      handle: (request) => onePartition(context, request),
    },
    {
      method: "GET",
      path: "/runs/:id/assets",
      summary: "What a run wrote, and what it found in what it reads",
      handle: (request) => runAssets(context, request.part("id")),
    },
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

async function assetPage(context: ApiContext, request: ApiRequest): Promise<Page<AssetSummary>> {
  const limit = request.limit();
  const lane = request.text("lane") ?? liveLane;
  const after = readCursor(request.text("cursor"), isNamePlace)?.[0] ?? "";
  const book = await readBook(context, lane);
  const rest = book.names.filter((name) => name > after);
  const items: AssetSummary[] = [];
  for (const name of rest.slice(0, limit)) items.push(await summaryOf(context, book, name, lane));
  const last = items.at(-1);
  return { items, ...(last && rest.length > limit ? { nextCursor: writeCursor([last.name]) } : {}) };
}

async function summaryOf(
  context: ApiContext,
  { deployed, states, lineage }: Book,
  name: string,
  lane: string,
): Promise<AssetSummary> {
  const found = deployed.get(name);
  const state = states.get(name);
  const picture =
    found &&
    (await pictureOf(context, { definition: found.definition, lane, state, keysMax: assetListedKeysMax }));
  const now = context.host.engine.now();
  return assetSummary({ name, deployed: found, state, picture, lineage, now });
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

async function cells(context: ApiContext, request: ApiRequest): Promise<AssetCellsView> {
  const asset = request.part("asset");
  const lane = request.text("lane") ?? liveLane;
  const deployed = await requireAsset(context, asset, lane);
  return assetCellsView(context, {
    asset,
    lane,
    definition: deployed?.definition.partitions,
    until: request.time("until"),
    after: request.text("after"),
    limit: request.integer("limit", 1, assetCellsMax) ?? assetCells,
  });
}

async function partitionPage(context: ApiContext, request: ApiRequest): Promise<Page<AssetPartitionView>> {
  const asset = request.part("asset");
  const limit = request.limit();
  const lane = request.text("lane") ?? liveLane;
  await requireAsset(context, asset, lane);
  const afterPartition = readCursor(request.text("cursor"), isNamePlace)?.[0];
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
async function onePartition(context: ApiContext, request: ApiRequest): Promise<AssetPartitionView> {
  const asset = request.part("asset");
  const lane = request.text("lane") ?? liveLane;
  const deployed = await requireAsset(context, asset, lane);
  const given = request.part("partition");
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
