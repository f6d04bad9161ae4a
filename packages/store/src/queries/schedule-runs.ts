/** What became of ticks: firings of pipelines in a span of time, with their runs, and how long runs took lately. */
import type { Reason, RunState } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

export interface ScheduledTrigger {
  readonly pipeline: string;
  readonly activatedAt: number;
  readonly pausedAt: number | undefined;
  readonly maxActiveRuns: number | undefined;
}

export async function listScheduledTriggers(
  database: Database,
  workspace: number,
  pipelines: readonly string[],
): Promise<ScheduledTrigger[]> {
  const { rows } = await database.api.query<{
    pipeline: string;
    activated_at: number;
    paused_at: number | null;
    most: number | null;
  }>({
    name: "list-scheduled-triggers",
    text: `select t.pipeline, t.activated_at, t.paused_at, (p.definition ->> 'maxActiveRuns')::integer as most
      from trigger as t
      join pipeline as p on p.workspace = t.workspace and p.name = t.pipeline
      where t.workspace = $1 and t.pipeline = any($2)
      order by t.pipeline`,
    values: [workspace, pipelines],
  });
  return rows.map(({ pipeline, activated_at: activatedAt, paused_at: pausedAt, most }) => ({
    pipeline,
    activatedAt,
    pausedAt: pausedAt ?? undefined,
    maxActiveRuns: most ?? undefined,
  }));
}

export interface TickFiring {
  readonly pipeline: string;
  /** The tick, where a schedule alone fired. */
  readonly occurrence: number;
  readonly runId: string | undefined;
  readonly reason: Reason | undefined;
  readonly state: RunState | undefined;
  readonly createdAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}

/** The newest `each` of each pipeline, newest first, by the log's time. */
export async function listTickFirings(
  database: Database,
  workspace: number,
  wanted: {
    readonly pipelines: readonly string[];
    readonly from: number;
    readonly to: number;
    readonly each: number;
  },
): Promise<TickFiring[]> {
  const { rows } = await database.api.query<{
    pipeline: string;
    occurrence: number;
    run_id: string | null;
    reason: Reason | null;
    state: RunState | null;
    created_at: number | null;
    started_at: number | null;
    ended_at: number | null;
  }>({
    name: "list-tick-firings",
    text: `select f.pipeline, f.occurrence, f.run_id, f.reason,
        coalesce(l.state::text, h.state::text) as state,
        coalesce(l.created_at, h.created_at) as created_at,
        coalesce(l.started_at, h.started_at) as started_at,
        case when l.state is null then h.ended_at end as ended_at
      from unnest($2::text[]) as p (name)
      cross join lateral (
        select f.pipeline, f.occurrence, coalesce(f.run_id, f.into_run) as run_id, f.reason, f.at from firing as f
        where f.workspace = $1 and f.pipeline = p.name and f.at >= $3 and f.at < $4
        order by f.at desc
        limit $5
      ) as f
      left join run as l on l.workspace = $1 and l.id = f.run_id
      left join lateral (
        select h.state, h.created_at, h.started_at, h.ended_at from run_history as h
        where h.workspace = $1 and h.pipeline = f.pipeline and h.id = f.run_id
        order by h.generation desc
        limit 1
      ) as h on l.id is null
      order by f.pipeline, f.at desc`,
    values: [workspace, wanted.pipelines, toTimestamp(wanted.from), toTimestamp(wanted.to), wanted.each],
  });
  return rows.map((row) => ({
    pipeline: row.pipeline,
    occurrence: row.occurrence,
    runId: row.run_id ?? undefined,
    reason: row.reason ?? undefined,
    state: row.state ?? undefined,
    createdAt: row.created_at ?? undefined,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
  }));
}

export interface PipelineDurations {
  readonly pipeline: string;
  /** In ms, of the last runs that succeeded. */
  readonly durations: readonly number[];
}

export async function listDurations(
  database: Database,
  workspace: number,
  wanted: { readonly pipelines: readonly string[]; readonly each: number },
): Promise<PipelineDurations[]> {
  const { rows } = await database.api.query<PipelineDurations>({
    name: "list-durations",
    text: `select p.name as pipeline, array_agg(r.took order by r.took) as durations
      from unnest($2::text[]) as p (name)
      cross join lateral (
        select (extract(epoch from h.ended_at - h.started_at) * 1000)::double precision as took
        from (
          select state, started_at, ended_at from run_history
          where workspace = $1 and pipeline = p.name
          order by id desc
          limit $3
        ) as h
        where h.state = 'succeeded' and h.started_at is not null
      ) as r
      group by p.name`,
    values: [workspace, wanted.pipelines, wanted.each],
  });
  return rows;
}
