/**
 * What has such a name. Pipelines and assets are few, and all of their names are looked at, up to a bound; runs are found by the
 * beginning of their id alone, through their keys. Nothing here reads history from end to end.
 */
import type { RunState } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

/** Names of one kind that are looked at. */
const namesLookedMax = 10_000;

export interface FoundPipeline {
  readonly name: string;
  readonly description: string | undefined;
  readonly isPaused: boolean;
  readonly hasTrigger: boolean;
  readonly hasSchedule: boolean;
}

/** Active pipelines in whose name `text`, in lower case, stands: those that begin with it first. Definitions are read of those alone. */
export async function searchPipelines(
  database: Database,
  workspace: number,
  { text, limit }: { readonly text: string; readonly limit: number },
): Promise<FoundPipeline[]> {
  const { rows } = await database.api.query<{
    name: string;
    description: string | null;
    paused: boolean;
    has_trigger: boolean;
    has_schedule: boolean;
  }>({
    name: "search-pipelines",
    text: `select p.name, p.definition ->> 'description' as description, p.paused,
        p.definition -> 'trigger' is not null as has_trigger,
        coalesce(strpos((p.definition -> 'trigger')::text, '"schedule"') > 0, false) as has_schedule
      from (
        select name, strpos(lower(name), $2) as at
        from (
          select name from pipeline where workspace = $1 and not retired order by name limit ${namesLookedMax}
        ) as looked
        where strpos(lower(name), $2) > 0
        order by strpos(lower(name), $2) > 1, length(name), name
        limit $3
      ) as found
      join pipeline as p on p.workspace = $1 and p.name = found.name
      order by found.at > 1, length(p.name), p.name`,
    values: [workspace, text, limit],
  });
  return rows.map(({ name, description, paused, has_trigger: hasTrigger, has_schedule: hasSchedule }) => ({
    name,
    description: description ?? undefined,
    isPaused: paused,
    hasTrigger,
    hasSchedule,
  }));
}

/** Assets of which something was told, by name. */
export async function listToldAssets(database: Database, workspace: number): Promise<string[]> {
  const { rows } = await database.api.query<{ asset: string }>({
    name: "told-asset-names",
    text: `select distinct asset from (
        select asset from asset_state where workspace = $1 order by asset limit ${namesLookedMax}
      ) as looked
      order by asset`,
    values: [workspace],
  });
  return rows.map(({ asset }) => asset);
}

export interface NamedRun {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly createdAt: number;
}

interface NamedRunColumns {
  id: string;
  pipeline: string;
  state: RunState;
  created_at: number;
}

/** Runs whose ids stand between two, the newest first, each once. `since`: none of them ended before. */
export async function searchRuns(
  database: Database,
  workspace: number,
  ask: { readonly from: string; readonly to: string; readonly since: number; readonly limit: number },
): Promise<NamedRun[]> {
  const { from, to, since, limit } = ask;
  const [live, ended] = await Promise.all([
    database.api.query<NamedRunColumns>({
      name: "search-live-runs",
      text: `select id, pipeline, state, created_at from run
        where workspace = $1 and id >= $2 and id < $3
        order by id desc
        limit $4`,
      values: [workspace, from, to, limit],
    }),
    database.api.query<NamedRunColumns>({
      name: "search-ended-runs",
      text: `select id, pipeline, state, created_at from run_history
        where workspace = $1 and id >= $2 and id < $3 and ended_at >= $4
        order by id desc, generation desc
        limit $5`,
      values: [workspace, from, to, toTimestamp(since), 2 * limit],
    }),
  ]);
  const runs = new Map<string, NamedRun>();
  for (const { id, pipeline, state, created_at: createdAt } of [...live.rows, ...ended.rows])
    if (!runs.has(id)) runs.set(id, { id, pipeline, state, createdAt });
  return [...runs.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
}
