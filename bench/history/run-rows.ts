/** Ended runs with all that they leave, a day at a time, made by statements in the database. */
import { busy, lattice, nodeName, seldom, type HistorySizes } from "./project.ts";

/** As `newRunId` makes them: the instant in nine digits of base 32, then a number. */
export const idFunction = `create or replace function bench_run_id(p_at timestamptz, p_number bigint) returns text
  language sql immutable parallel safe as $$
    select 'r' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', (v >> (5 * d) & 31)::integer + 1, 1), '' order by d desc)
      || lpad(p_number::text, 7, '0')
    from (select (extract(epoch from p_at) * 1000)::bigint - 1735689600000 as v) as t, generate_series(0, 8) as d
  $$`;

export interface Day {
  /** How many days ago: 0 is today. */
  readonly ago: number;
  /** Its runs have the numbers from here on. */
  readonly from: number;
  readonly count: number;
  readonly bundle: string;
}

/** The longest run; none ends on the day after. */
const longestSeconds = 90;

export function dayStart(ago: number): string {
  return `((date_trunc('day', now() at time zone 'utc') - interval '${ago} days') at time zone 'utc')`;
}

/** How much of the day has passed, but for what the longest run takes. */
export function daySpan(ago: number): string {
  return ago === 0
    ? `greatest(now() - ${dayStart(0)} - interval '${longestSeconds} seconds', interval '1 second')`
    : `interval '${86_400 - longestSeconds} seconds'`;
}

/** The pipelines' shares: three of ten are of the busy one, the others have about as many each. */
function pipelineOf(n: string, pipelines: number): string {
  const rest = pipelines - 1;
  return `case when ${n} % 10 < 3 then '${busy}' else 'load-' || (1 + (${n} / 10 * 7 + ${n} % 10 - 3) % ${rest}) end`;
}

/**
 * One of 100 failed, of 250 was cancelled, of 1,000 was superseded; one of 500 was run again after it had failed, and one of
 * 100,000 has a label that nothing else has.
 */
export function runRows({ ago, from, count, bundle }: Day, sizes: HistorySizes): string {
  const latticeCount = latticeOf(ago, sizes);
  const first = ago === sizes.days - 1;
  return `
    create temp table made on commit drop as
    select n, at, pipeline,
      case
        when n % 100 = 0 then 'failed'
        when n % 250 = 1 then 'cancelled'
        when n % 1000 = 2 and pipeline not in ('${lattice}', '${seldom}') then 'superseded'
        else 'succeeded'
      end as state,
      interval '2 seconds' + (n % 37) * interval '1 second' as took
    from (
      select ${from} + i as n, ${dayStart(ago)} + ${daySpan(ago)} * (i::float8 / ${count}) as at,
        ${pipelineOf(`(${from} + i)`, sizes.pipelines)} as pipeline
      from generate_series(0, ${count - 1}) as i
      union all
      select 5000000 + ${ago} * 10000 + i, ${dayStart(ago)} + ${daySpan(ago)} * (i::float8 / ${Math.max(1, latticeCount)}), '${lattice}'
      from generate_series(0, ${latticeCount - 1}) as i
      union all
      select 6000000 + i, ${dayStart(ago)} + i * interval '1 hour', '${seldom}'
      from generate_series(0, ${first ? 11 : -1}) as i
    ) as numbered;

    insert into run_history_new (workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason, depth, labels, params,
      output, created_at, started_at, ended_at)
    select 1, bench_run_id(at, n), 'live', n % 64, pipeline, 'bench', '${bundle}', 1, first.state,
      case first.state
        when 'succeeded' then null
        when 'failed' then '{"code":"node_failed","message":"Failed: step-001."}'::json
        when 'cancelled' then '{"code":"cancelled","message":"Cancelled by ann: the source is not complete."}'
        else '{"code":"superseded","message":"A newer firing of its key came."}'
      end,
      0,
      case when n % 100000 = 77 then json_build_object('team', 'team-7', 'incident', 'i-' || n)
        else json_build_object('team', 'team-' || n % 7) end,
      '{}', case when first.state = 'succeeded' then '{"rows":12}'::json end,
      at, case when first.state <> 'superseded' then at + interval '5 ms' end, at + took
    from made, lateral (select case when n % 500 = 3 then 'failed' else state end as state) as first;

    insert into run_history_new (workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, labels, params, output,
      created_at, started_at, ended_at)
    select 1, bench_run_id(at, n), 'live', n % 64, pipeline, 'bench', '${bundle}', 2, 'succeeded', 0,
      json_build_object('team', 'team-' || n % 7), '{}', '{"rows":12}', at, at + took + interval '10 seconds',
      at + took + interval '20 seconds'
    from made
    where n % 500 = 3`;
}

/** The newest half of the days has them all. */
function latticeOf(ago: number, { days, lattice: { runs } }: HistorySizes): number {
  const half = Math.max(1, Math.ceil(days / 2));
  if (ago >= half) return 0;
  return Math.floor((runs * (ago + 1)) / half) - Math.floor((runs * ago) / half);
}

/** A later generation has what it ran again. */
export function taskRows(sizes: HistorySizes): string {
  return `insert into task_run_history_new (workspace, run_id, generation, node, item, state, attempt, dispatch, worker, started_at,
      ended_at, output, reason, error, run_ended_at)
    select 1, r.id, r.generation, s.name, '', t.state, 1, 1, case when t.began then 'bench-' || n.n % 8 end,
      case when t.began then r.started_at + s.k * each end, case when t.began then r.started_at + (s.k + 1) * each else r.ended_at end,
      case when t.state = 'succeeded' then '{"rows":12}'::json end,
      case t.state
        when 'succeeded' then null
        when 'failed' then '{"code":"task_failed","message":"The source has no rows."}'::json
        when 'cancelled' then '{"code":"cancelled","message":"The run was cancelled."}'
        else '{"code":"rule_upstream_failed","message":"step-001 is failed."}'
      end,
      case when t.state = 'failed' then '{"name":"Error","message":"The source has no rows.","stack":"Error: The source has no rows.\\n    at step (pipelines/history.ts:12:9)"}'::json end,
      r.ended_at
    from run_history_new as r
    cross join lateral (select right(r.id, 7)::integer as n) as n
    cross join lateral (
      select case r.pipeline when '${lattice}' then ${sizes.lattice.nodes} when '${seldom}' then 3 else ${sizes.nodes} end as count
    ) as c
    cross join lateral (select (r.ended_at - r.started_at) / c.count as each) as e
    join bench_step as s on s.k < c.count
    cross join lateral (
      select
        case
          when r.state = 'succeeded' or s.k < 1 then 'succeeded'
          when r.state = 'failed' then case when s.k = 1 then 'failed' else 'upstream_failed' end
          else 'cancelled'
        end as state,
        r.state = 'succeeded' or s.k < 2 as began
    ) as t
    where r.started_at is not null and (r.generation = 1 or s.k >= 1)`;
}

/** Names of nodes by number: made once, as each is written some hundred thousand times. */
export function stepRows({ nodes, lattice: { nodes: most } }: HistorySizes): string {
  const names = Array.from({ length: Math.max(nodes, most, 3) }, (_, at) => `(${at}, '${nodeName(at)}')`);
  return `create table if not exists bench_step (k integer primary key, name text collate "C");
    insert into bench_step values ${names.join(", ")} on conflict do nothing`;
}

/** Retries, log lines, artifacts, steps and lineage of some of the day's runs. */
export function detailRows(nodes: number): readonly string[] {
  const some = (each: number): string =>
    `run_history_new as r cross join lateral (select right(r.id, 7)::integer as n) as n
      where n.n % ${each} = 7 and r.generation = 1 and r.state = 'succeeded'`;
  return [
    `insert into attempt_history_new (workspace, run_id, node, item, generation, attempt, dispatch, state, worker, error, started_at, ended_at)
      select 1, r.id, 'step-002', '', 1, 0, 0, 'failed', 'bench-1', '{"name":"Error","message":"The connection was reset."}',
        r.started_at, r.started_at + interval '300 ms'
      from ${some(50)}`,
    `insert into log_chunk_new (workspace, run_id, node, item, generation, attempt, dispatch, position, lines, created_at)
      select 1, r.id, s.name, '', 1, 1, 1, 0, lines.lines, r.ended_at
      from bench_step as s, (
        select json_agg(json_build_object('at', 1790000000000 + i, 'stream', 'log', 'level', case i when 5 then 'warn' else 'info' end,
          'text', 'part ' || i || ' of 8 was read: 12,000 rows, none refused')) as lines
        from generate_series(1, 8) as i
      ) as lines, ${some(200)} and s.k < ${nodes}`,
    `insert into artifact_new (workspace, run_id, node, item, generation, attempt, name, type, media_type, blob, bytes, created_at)
      select 1, r.id, 'step-000', '', 1, 1, 'report', 'file', 'text/csv', repeat('0', 64), 1200, r.ended_at
      from ${some(100)}`,
    `insert into step (workspace, run_id, node, item, generation, kind, name, occurrence, seq, attempt, dispatch, outcome, recorded_at)
      select 1, r.id, 'step-000', '', 1, 'step', 'fetch', 1, 1, 1, 1, '{"kind":"value","value":12}', r.ended_at
      from ${some(100)}`,
    `insert into asset_use (workspace, run_id, generation, node, item, direction, asset, partition, position, version, at)
      select 1, r.id, 1, 'step-000', '', u.direction, 'lake/table_' || (n.n + u.more) % 100, '', 1, 'v' || n.n, r.ended_at
      from (values ('write', 0), ('read', 1), ('read', 2)) as u (direction, more), ${some(10)}`,
  ];
}
