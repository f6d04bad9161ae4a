/** A history as a year of use leaves it, made in the database in minutes. */
import type { NodeDefinition, PipelineDefinition } from "@millrace/core";
import { noRetry } from "@millrace/core";
import { query, type Stack } from "./stack.ts";

export interface HistorySizes {
  readonly runs: number;
  readonly nodes: number;
  readonly pipelines: number;
  /** Days that they ended on, the last one today. */
  readonly days: number;
}

/** Its rows of one in a hundred runs, or nodes, are such that lists filter by them. */
const failedShare = 100;

export function historyPipelines({ pipelines, nodes }: HistorySizes): PipelineDefinition[] {
  return Array.from({ length: pipelines }, (_, at) => ({
    name: `load-${at}`,
    tags: ["seeded"],
    paused: false,
    nodes: Array.from({ length: nodes }, (_one, node) => nodeOf(node)),
    regions: [],
  }));
}

function nodeOf(at: number): NodeDefinition {
  return {
    id: nodeName(at),
    kind: "task",
    name: nodeName(at),
    input: { kind: "value", value: null },
    after: at === 0 ? [] : [{ node: nodeName(at - 1) }],
    rule: "all_success",
    options: { retry: noRetry, priority: 0, queue: "default", env: [], connections: [] },
  };
}

function nodeName(at: number): string {
  return `step-${String(at).padStart(3, "0")}`;
}

/** Rows of `run_history` and `task_run_history`, day by day; `tell` hears of each day. */
export async function seedHistory(
  stack: Stack,
  sizes: HistorySizes,
  bundle: string,
  tell: (text: string) => void,
): Promise<void> {
  const perDay = Math.ceil(sizes.runs / sizes.days);
  const run = (text: string): Promise<object[]> => query(stack.postgres.connection, text);
  await run(idFunction);
  for (let ago = sizes.days - 1; ago >= 0; ago -= 1) {
    const count = Math.min(perDay, sizes.runs - (sizes.days - 1 - ago) * perDay);
    if (count <= 0) continue;
    await run(partitionsOf(ago));
    await run(runsOf(ago, count, sizes, bundle));
    await run(nodesOf(ago, sizes));
    tell(`${sizes.days - ago} of ${sizes.days} days`);
  }
  await run("vacuum (analyze) run_history, task_run_history");
}

/** As `newRunId` makes them: the instant in nine digits of base 32, then a number. */
const idFunction = `create or replace function bench_run_id(p_at timestamptz, p_number bigint) returns text
  language sql immutable parallel safe as $$
    select 'r' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', (v >> (5 * d) & 31)::integer + 1, 1), '' order by d desc)
      || lpad(translate(p_number::text, 'ilou', '0000'), 7, '0')
    from (select (extract(epoch from p_at) * 1000)::bigint - 1735689600000 as v) as t, generate_series(0, 8) as d
  $$`;

const day = (ago: number): string => `(date_trunc('day', now()) - interval '${ago} days')`;

function partitionsOf(ago: number): string {
  return `do $$
    declare
      v_day date := (now() at time zone 'utc')::date - ${ago};
      v_table text;
      v_key text;
    begin
      foreach v_table in array array['run_history', 'task_run_history'] loop
        v_key := case v_table when 'run_history' then 'ended_at' else 'run_ended_at' end;
        if to_regclass('millrace.' || v_table || '_' || to_char(v_day, 'YYYYMMDD')) is null then
          perform make_partition(v_table, v_key, v_table || '_' || to_char(v_day, 'YYYYMMDD'), v_day);
        end if;
      end loop;
    end $$`;
}

function runsOf(ago: number, count: number, { pipelines }: HistorySizes, bundle: string): string {
  // Before now, also today.
  const span = ago === 0 ? `(now() - ${day(ago)})` : "interval '86390 seconds'";
  return `insert into run_history (workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason, depth, labels, params,
      output, created_at, started_at, ended_at)
    select 1, bench_run_id(at, n), 'live', n % 64, 'load-' || n % ${pipelines}, 'bench', '${bundle}', 1,
      (case when n % ${failedShare} = 0 then 'failed' else 'succeeded' end)::ended_run_state,
      case when n % ${failedShare} = 0 then '{"code":"node_failed","message":"Failed: step-001."}'::json end,
      0, json_build_object('team', 'team-' || n % 7), '{}', '{"rows":12}',
      at, at + interval '5 ms', at + interval '8 seconds'
    from (
      select n, ${day(ago)} + ${span} * (n::float8 / ${count}) - interval '9 seconds' * (n::float8 / ${count}) as at
      from generate_series(0, ${count - 1}) as n
    ) as runs`;
}

function nodesOf(ago: number, { nodes }: HistorySizes): string {
  return `insert into task_run_history (workspace, run_id, generation, node, item, state, attempt, dispatch, worker, started_at,
      ended_at, output, run_ended_at)
    select 1, r.id, 1, 'step-' || lpad(k::text, 3, '0'), '',
      case when r.state = 'succeeded' or k < 1 then 'succeeded' when k = 1 then 'failed' else 'upstream_failed' end,
      1, 1, 'bench', r.started_at + k * interval '100 ms', r.started_at + (k + 1) * interval '100 ms', '{"rows":12}', r.ended_at
    from run_history as r, generate_series(0, ${nodes - 1}) as k
    where r.workspace = 1 and r.ended_at >= ${day(ago)} and r.ended_at < ${day(ago)} + interval '1 day'`;
}
