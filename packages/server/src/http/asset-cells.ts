/** `GET /assets/:asset/cells`: which partitions are there, as a calendar or matrix needs it. */
import { partitionsOf, readTuple, type Partitions, type PartitionsDefinition } from "@millrace/core";
import type { AssetCellsView, AssetCellView } from "@millrace/protocol";
import { findAssetCells, listAssetCells, type AssetCellRow } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isoTime } from "./run-summary.ts";

interface Wanted {
  readonly asset: string;
  readonly lane: string;
  readonly definition: PartitionsDefinition | undefined;
  readonly until: number | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

export async function assetCellsView(context: ApiContext, wanted: Wanted): Promise<AssetCellsView> {
  const { definition, asset, lane, limit } = wanted;
  const kind = definition?.kind ?? "dynamic";
  const now = context.host.engine.now();
  const partitions = definition && partitionsOf(definition);
  const expected = partitions && expectedOf(partitions, wanted.until ?? now, limit);
  if (!partitions || !expected) return known(context, wanted);
  const { keys, earlier } = expected;
  const rows = await findAssetCells(context.database, workspaceId, { asset, lane, partitions: keys });
  const byKey = new Map(rows.map((row) => [row.partition, row]));
  const isOver = (key: string): boolean => (partitions.windowOf(key)?.to ?? 0) <= now;
  return {
    kind,
    cells: keys.map((key) => cellView(key, byKey.get(key), isOver(key), kind)),
    ...(earlier === undefined ? {} : { earlier: isoTime(earlier) }),
  };
}

interface Expected {
  readonly keys: readonly string[];
  readonly earlier?: number;
}

/** Nothing where keys become known only as they are written. */
function expectedOf(partitions: Partitions, until: number, limit: number): Expected | undefined {
  const { windows, definition } = partitions;
  if (!windows) {
    const keys = partitions.list({ from: 0, to: until }, limit);
    return keys && { keys };
  }
  // The window that holds the instant, and those before it: as many as there is room for with all other dimensions.
  const newest = windows.at(until - 1) ?? windows.until(until);
  if (!newest) return { keys: [] };
  const each =
    definition.kind === "tuple" ? partitions.list({ from: newest.from, to: newest.to }, limit)?.length : 1;
  if (each === undefined) return undefined;
  const count = Math.max(1, Math.floor(limit / Math.max(1, each)));
  let oldest = newest;
  for (let more = 1; more < count; more += 1) {
    const before = windows.until(oldest.from);
    if (!before) break;
    oldest = before;
  }
  const keys = partitions.list({ from: oldest.from, to: newest.to }, limit);
  if (!keys) return undefined;
  return windows.until(oldest.from) ? { keys, earlier: oldest.from } : { keys };
}

/** Keys as they are known, in pages. */
async function known({ database }: ApiContext, wanted: Wanted): Promise<AssetCellsView> {
  const { asset, lane, after, limit, definition } = wanted;
  const kind = definition?.kind ?? "dynamic";
  const rows = await listAssetCells(database, workspaceId, { asset, lane, after, limit: limit + 1 });
  // Without partitions it is one piece, under the empty key: no cell.
  const page = rows.slice(0, limit).filter(({ partition }) => partition !== "");
  const last = page.at(-1);
  return {
    kind,
    cells: page.map((row) => cellView(row.partition, row, true, kind)),
    ...(last && rows.length > limit ? { after: last.partition } : {}),
  };
}

function cellView(
  key: string,
  row: AssetCellRow | undefined,
  isOver: boolean,
  kind: AssetCellsView["kind"],
): AssetCellView {
  const updates = row?.updates ?? 0;
  const parts = kind === "tuple" ? readTuple(key) : undefined;
  return {
    key,
    state: updates > 0 ? "present" : isOver ? "missing" : "open",
    updates,
    ...(row?.updatedAt === undefined ? {} : { at: isoTime(row.updatedAt) }),
    ...(row?.revision === undefined ? {} : { revision: row.revision }),
    ...(parts ? { parts } : {}),
  };
}
