/** What takes longer than it should: runs beside those before them, assets beside their bound of age. */
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

/** Runs that run longest, and runs before them of the same pipeline, that are looked at. */
const runningLookedMax = 100;
const beforeLookedMax = 20;

export interface RunBesideUsual {
  readonly id: string;
  readonly pipeline: string;
  readonly startedAt: number;
  /** The longest that succeeded, of the last ones. */
  readonly usualMs: number;
}

/** The oldest runs that run and began before `before`, beside the last `least` or more of their pipeline that succeeded since `since`. */
export async function runsBesideUsual(
  database: Database,
  workspace: number,
  ask: { readonly before: number; readonly since: number; readonly least: number },
): Promise<RunBesideUsual[]> {
  const { rows } = await database.api.query<{
    id: string;
    pipeline: string;
    started_at: number;
    usual_ms: number;
  }>({
    name: "runs-beside-usual",
    text: `with running as materialized (
        select r.id, r.pipeline, r.started_at
        from (
          select n.id from generate_series(0, 63) as s (shard)
          cross join lateral (
            select run.id from run
            where run.shard = s.shard::smallint and state = 'running'
            order by run.id
            limit ${runningLookedMax}
          ) as n
          order by n.id
          limit ${runningLookedMax}
        ) as n
        join run as r on r.workspace = $1 and r.id = n.id
        where r.started_at < $2
      ), usual as (
        select p.pipeline, u.longest
        from (select distinct pipeline from running) as p
        cross join lateral (
          select max(ended_at - started_at) as longest, count(*) as count
          from (
            select state, started_at, ended_at from run_history as h
            where h.workspace = $1 and h.pipeline = p.pipeline and h.ended_at >= $3
            order by h.id desc
            limit ${beforeLookedMax}
          ) as last
          where state = 'succeeded'
        ) as u
        where u.count >= $4
      )
      select r.id, r.pipeline, r.started_at, (extract(epoch from u.longest) * 1000)::float8 as usual_ms
      from running as r
      join usual as u on u.pipeline = r.pipeline
      order by r.id`,
    values: [workspace, toTimestamp(ask.before), toTimestamp(ask.since), ask.least],
  });
  return rows.map((row) => ({
    id: row.id,
    pipeline: row.pipeline,
    startedAt: row.started_at,
    usualMs: row.usual_ms,
  }));
}

/** When each of these assets of the live lane was updated last, of those that ever were. */
export async function lastUpdates(
  database: Database,
  workspace: number,
  assets: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (assets.length === 0) return new Map();
  const { rows } = await database.api.query<{ asset: string; updated_at: number }>({
    name: "last-asset-updates",
    text: `select asset, updated_at from asset_state
      where workspace = $1 and asset = any ($2::text[]) and lane = 'live' and updated_at is not null`,
    values: [workspace, assets],
  });
  return new Map(rows.map(({ asset, updated_at: updatedAt }) => [asset, updatedAt]));
}
