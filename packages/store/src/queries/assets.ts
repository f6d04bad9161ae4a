/** Assets: what is deployed, and what the log has told of them (`sql/000008_asset.sql`). */
import type { AssetDefinition, Condition, Json } from "@millrace/core";
import type { Database } from "../connect.ts";
import { whileDeployed } from "./while-deployed.ts";

export interface DeployedAsset {
  readonly project: string;
  readonly definition: AssetDefinition;
}

/** Those of active deployments: what a project has no more, or a rollback leaves out, is not there. */
export const selectAssets = `select project, a as definition
  from deployment, json_array_elements(definition -> 'assets') as a
  where workspace = $1 and active
  order by a ->> 'name'`;

export function listAssets(database: Database, workspace: number): Promise<readonly DeployedAsset[]> {
  return whileDeployed(database, workspace, {
    name: "assets",
    read: () => readAssets(database, workspace),
  });
}

async function readAssets(database: Database, workspace: number): Promise<DeployedAsset[]> {
  const { rows } = await database.api.query<DeployedAsset>({
    name: "list-assets",
    text: selectAssets,
    values: [workspace],
  });
  return rows;
}

export async function listAssetDefinitions(
  database: Database,
  workspace: number,
): Promise<AssetDefinition[]> {
  return (await listAssets(database, workspace)).map(({ definition }) => definition);
}

/** What an active pipeline does with assets. */
export interface AssetUser {
  readonly pipeline: string;
  readonly node: string;
  readonly direction: "read" | "write";
  readonly asset: string;
}

export function listAssetUsers(database: Database, workspace: number): Promise<readonly AssetUser[]> {
  return whileDeployed(database, workspace, {
    name: "asset users",
    read: () => readAssetUsers(database, workspace),
  });
}

async function readAssetUsers(database: Database, workspace: number): Promise<AssetUser[]> {
  const { rows } = await database.api.query<AssetUser>({
    name: "list-asset-users",
    text: `select p.name as pipeline, n ->> 'id' as node, u.direction, a as asset
      from pipeline as p
      cross join json_array_elements(p.definition -> 'nodes') as n
      cross join lateral (values ('write', n -> 'writes'), ('read', n -> 'reads')) as u (direction, names)
      cross join json_array_elements_text(u.names) as a
      where p.workspace = $1 and not p.retired and u.names is not null
      order by p.name, n ->> 'id', a`,
    values: [workspace],
  });
  return rows;
}

/** Rows of `asset_state`. */
export interface AssetStateRow {
  readonly asset: string;
  readonly lane: string;
  readonly updates: number;
  readonly updatedAt: number | undefined;
  readonly updatePosition: number | undefined;
  readonly runId: string | undefined;
  readonly progressUntil: number | undefined;
  readonly progressAt: number | undefined;
  readonly rejected: number;
  readonly rejectedAt: number | undefined;
  readonly rejectedPosition: number | undefined;
  readonly rejectedPartition: string | undefined;
  readonly rejectedReason: string | undefined;
  readonly rejectedRunId: string | undefined;
}

interface AssetStateColumns {
  asset: string;
  lane: string;
  updates: number;
  updated_at: number | null;
  update_position: number | null;
  run_id: string | null;
  progress_until: number | null;
  progress_at: number | null;
  rejected: number;
  rejected_at: number | null;
  rejected_position: number | null;
  rejected_partition: string | null;
  rejected_reason: string | null;
  rejected_run_id: string | null;
}

function readState(row: AssetStateColumns): AssetStateRow {
  return {
    asset: row.asset,
    lane: row.lane,
    updates: row.updates,
    updatedAt: row.updated_at ?? undefined,
    updatePosition: row.update_position ?? undefined,
    runId: row.run_id ?? undefined,
    progressUntil: row.progress_until ?? undefined,
    progressAt: row.progress_at ?? undefined,
    rejected: row.rejected,
    rejectedAt: row.rejected_at ?? undefined,
    rejectedPosition: row.rejected_position ?? undefined,
    rejectedPartition: row.rejected_partition === "" ? undefined : (row.rejected_partition ?? undefined),
    rejectedReason: row.rejected_reason ?? undefined,
    rejectedRunId: row.rejected_run_id ?? undefined,
  };
}

/** Of one lane, by name; of one asset where it is named. */
export async function listAssetStates(
  database: Database,
  workspace: number,
  wanted: { readonly lane: string; readonly asset: string | undefined; readonly limit: number },
): Promise<AssetStateRow[]> {
  const { rows } = await database.api.query<AssetStateColumns>({
    name: "list-asset-states",
    text: `select asset, lane, updates, updated_at, update_position, run_id, progress_until, progress_at, rejected, rejected_at,
        rejected_position, rejected_partition, rejected_reason, rejected_run_id
      from asset_state
      where workspace = $1 and lane = $2 and ($3::text is null or asset = $3)
      order by asset
      limit $4`,
    values: [workspace, wanted.lane, wanted.asset ?? null, wanted.limit],
  });
  return rows.map(readState);
}

/** A row of `asset_partition`. */
export interface AssetPartitionRow {
  /** The empty text for the whole asset. */
  readonly partition: string;
  readonly updates: number;
  readonly position: number;
  readonly updatedAt: number | undefined;
  readonly isObserved: boolean;
  readonly version: string | undefined;
  readonly metadata: { readonly [name: string]: Json } | undefined;
  readonly revision: number | undefined;
  readonly runId: string | undefined;
  readonly pipeline: string | undefined;
  readonly node: string | undefined;
  readonly item: string | undefined;
  readonly generation: number | undefined;
}

interface AssetPartitionColumns {
  partition: string;
  updates: number;
  position: number;
  updated_at: number | null;
  is_observed: boolean;
  version: string | null;
  metadata: { readonly [name: string]: Json } | null;
  revision: number | null;
  run_id: string | null;
  pipeline: string | null;
  node: string | null;
  item: string | null;
  generation: number | null;
}

function readPartition(row: AssetPartitionColumns): AssetPartitionRow {
  return {
    partition: row.partition,
    updates: row.updates,
    position: row.position,
    updatedAt: row.updated_at ?? undefined,
    isObserved: row.is_observed,
    version: row.version ?? undefined,
    metadata: row.metadata ?? undefined,
    revision: row.revision ?? undefined,
    runId: row.run_id ?? undefined,
    pipeline: row.pipeline ?? undefined,
    node: row.node ?? undefined,
    item: row.item ?? undefined,
    generation: row.generation ?? undefined,
  };
}

/** By key, after `afterPartition`. */
export async function listAssetPartitions(
  database: Database,
  workspace: number,
  page: {
    readonly asset: string;
    readonly lane: string;
    readonly afterPartition: string | undefined;
    readonly limit: number;
  },
): Promise<AssetPartitionRow[]> {
  const { rows } = await database.api.query<AssetPartitionColumns>({
    name: "list-asset-partitions",
    text: `select partition, updates, position, updated_at, is_observed, version, metadata, revision, run_id, pipeline, node,
        item, generation
      from asset_partition
      where workspace = $1 and asset = $2 and lane = $3 and ($4::text is null or partition > $4)
      order by partition
      limit $5`,
    values: [workspace, page.asset, page.lane, page.afterPartition ?? null, page.limit],
  });
  return rows.map(readPartition);
}

/** Those of these keys that are known. */
export async function findAssetPartitions(
  database: Database,
  workspace: number,
  wanted: { readonly asset: string; readonly lane: string; readonly partitions: readonly string[] },
): Promise<AssetPartitionRow[]> {
  const { rows } = await database.api.query<AssetPartitionColumns>({
    name: "find-asset-partitions",
    text: `select partition, updates, position, updated_at, is_observed, version, metadata, revision, run_id, pipeline, node,
        item, generation
      from asset_partition
      where workspace = $1 and asset = $2 and lane = $3 and partition = any($4)
      order by partition`,
    values: [workspace, wanted.asset, wanted.lane, wanted.partitions],
  });
  return rows.map(readPartition);
}

/** How often each of these keys was written, and when last: the narrow part of its row. */
export async function findAssetCells(
  database: Database,
  workspace: number,
  wanted: { readonly asset: string; readonly lane: string; readonly partitions: readonly string[] },
): Promise<AssetCellRow[]> {
  const { rows } = await database.api.query<AssetCellColumns>({
    name: "find-asset-cells",
    text: `select partition, updates, updated_at, revision
      from asset_partition
      where workspace = $1 and asset = $2 and lane = $3 and partition = any($4)`,
    values: [workspace, wanted.asset, wanted.lane, wanted.partitions],
  });
  return rows.map(readCell);
}

/** The same of keys in their order, after one. */
export async function listAssetCells(
  database: Database,
  workspace: number,
  page: {
    readonly asset: string;
    readonly lane: string;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<AssetCellRow[]> {
  const { rows } = await database.api.query<AssetCellColumns>({
    name: "list-asset-cells",
    text: `select partition, updates, updated_at, revision
      from asset_partition
      where workspace = $1 and asset = $2 and lane = $3 and ($4::text is null or partition > $4)
      order by partition
      limit $5`,
    values: [workspace, page.asset, page.lane, page.after ?? null, page.limit],
  });
  return rows.map(readCell);
}

export interface AssetCellRow {
  readonly partition: string;
  readonly updates: number;
  readonly updatedAt: number | undefined;
  readonly revision: number | undefined;
}

interface AssetCellColumns {
  partition: string;
  updates: number;
  updated_at: number | null;
  revision: number | null;
}

function readCell(row: AssetCellColumns): AssetCellRow {
  const { partition, updates } = row;
  return { partition, updates, updatedAt: row.updated_at ?? undefined, revision: row.revision ?? undefined };
}

/** The last keys alone, with whether something was written: for what is present and missing. */
export async function listAssetKeys(
  database: Database,
  workspace: number,
  wanted: { readonly asset: string; readonly lane: string; readonly limit: number },
): Promise<{ readonly partition: string; readonly isWritten: boolean }[]> {
  const { rows } = await database.api.query<{ partition: string; isWritten: boolean }>({
    name: "list-asset-keys",
    text: `select partition, updates > 0 as "isWritten"
      from asset_partition
      where workspace = $1 and asset = $2 and lane = $3
      order by partition desc
      limit $4`,
    values: [workspace, wanted.asset, wanted.lane, wanted.limit],
  });
  // In their order.
  return rows.toReversed();
}

/** A row of `asset_use`. */
export interface AssetUseRow {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly direction: "read" | "write";
  readonly asset: string;
  readonly partition: string;
  readonly position: number | undefined;
  readonly version: string | undefined;
  readonly at: number;
}

/** What a run wrote and read, in all its generations. */
export async function listAssetUses(
  database: Database,
  workspace: number,
  wanted: { readonly runId: string; readonly limit: number },
): Promise<AssetUseRow[]> {
  const { rows } = await database.api.query<
    Omit<AssetUseRow, "position" | "version"> & { position: number | null; version: string | null }
  >({
    name: "list-asset-uses",
    text: `select node, item, generation, direction, asset, partition, position, version, at
      from asset_use
      where workspace = $1 and run_id = $2
      order by generation, node, item, direction, asset, partition
      limit $3`,
    values: [workspace, wanted.runId, wanted.limit],
  });
  return rows.map(({ position, version, ...row }) => ({
    ...row,
    position: position ?? undefined,
    version: version ?? undefined,
  }));
}

/** The triggers of active pipelines: who listens to which assets stands in their conditions. */
export function listTriggerConditions(
  database: Database,
  workspace: number,
): Promise<readonly { readonly pipeline: string; readonly condition: Condition }[]> {
  return whileDeployed(database, workspace, {
    name: "trigger conditions",
    read: async () => {
      const { rows } = await database.api.query<{ pipeline: string; condition: Condition }>({
        name: "list-trigger-conditions",
        text: `select name as pipeline, definition -> 'trigger' -> 'condition' as condition
          from pipeline
          where workspace = $1 and not retired and strpos(definition::text, '"trigger"') > 0
            and definition -> 'trigger' is not null
          order by name`,
        values: [workspace],
      });
      return rows;
    },
  });
}
