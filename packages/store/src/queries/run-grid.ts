/** Many runs of one pipeline at once, each with the states of its nodes: as a grid shows them. */
import type { RunState, TaskRunState } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

/** The narrow part of a run's row. */
export interface GridRunRow {
  readonly id: string;
  readonly generation: number;
  readonly state: RunState;
  readonly labels: { readonly [name: string]: string };
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}

interface GridRunColumns {
  id: string;
  generation: number;
  state: RunState;
  labels: { readonly [name: string]: string } | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

/** As `listRuns`: each run once, in its newest generation, newest first by id. */
export async function listGridRuns(
  database: Database,
  workspace: number,
  page: { readonly pipeline: string; readonly beforeId: string; readonly limit: number },
): Promise<GridRunRow[]> {
  const { rows } = await database.api.query<GridRunColumns>({
    name: "list-grid-runs",
    text: `select id, generation, state, labels, created_at, started_at, ended_at from (
        (
          select id, generation, state, labels, created_at, started_at, null::timestamptz as ended_at
          from run
          where workspace = $1 and id < $2 and pipeline = $3
          order by id desc
          limit $4
        )
        union all
        (
          select distinct on (id) id, generation, state::text, labels, created_at, started_at, ended_at
          from run_history as h
          where workspace = $1 and id < $2 and pipeline = $3
            and not exists (select from run as r where r.workspace = h.workspace and r.id = h.id)
          order by id desc, generation desc
          limit $4
        )
      ) as runs
      order by id desc
      limit $4`,
    values: [workspace, page.beforeId, page.pipeline, page.limit],
  });
  return rows.map((row) => ({
    id: row.id,
    generation: row.generation,
    state: row.state,
    labels: row.labels ?? {},
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
  }));
}

/** Of each node its most telling state, as its place in the order that was asked for. */
export interface NodeStates {
  readonly runId: string;
  readonly states: { readonly [node: string]: number };
  /** Rows that were read: as many as the bound where there may be more. */
  readonly rows: number;
}

interface NodeStatesColumns {
  run_id: string;
  states: { readonly [node: string]: number };
  rows: number;
}

function readNodeStates(row: NodeStatesColumns): NodeStates {
  return { runId: row.run_id, states: row.states, rows: row.rows };
}

/** `order`: states, the least telling first. */
export interface NodeStatesQuery {
  readonly order: readonly TaskRunState[];
  readonly rowsMax: number;
}

/** Of runs that ended in their first generation: their rows all have the day of that end. */
export async function endedNodeStates(
  database: Database,
  workspace: number,
  runs: readonly { readonly id: string; readonly endedAt: number }[],
  { order, rowsMax }: NodeStatesQuery,
): Promise<NodeStates[]> {
  if (runs.length === 0) return [];
  const { rows } = await database.api.query<NodeStatesColumns>({
    name: "ended-node-states",
    text: `select w.run_id, s.states, s.rows
      from unnest($2::text[], $3::timestamptz[]) as w (run_id, ended_at)
      cross join lateral (
        select json_object_agg(n.node, n.state) as states, sum(n.rows)::integer as rows
        from (
          select r.node, max(array_position($4::text[], r.state)) - 1 as state, count(*) as rows
          from (
            select node, state
            from task_run_history as h
            where h.workspace = $1 and h.run_id = w.run_id and h.generation = 1 and h.run_ended_at = w.ended_at
            order by node, item
            limit $5
          ) as r
          group by r.node
        ) as n
        having count(*) > 0
      ) as s`,
    values: [
      workspace,
      runs.map(({ id }) => id),
      runs.map(({ endedAt }) => toTimestamp(endedAt)),
      order,
      rowsMax,
    ],
  });
  return rows.map(readNodeStates);
}

/** Of runs that are under way at another server. */
export async function liveNodeStates(
  database: Database,
  workspace: number,
  runIds: readonly string[],
  { order, rowsMax }: NodeStatesQuery,
): Promise<NodeStates[]> {
  if (runIds.length === 0) return [];
  const { rows } = await database.api.query<NodeStatesColumns>({
    name: "live-node-states",
    text: `select w.run_id, s.states, s.rows
      from unnest($2::text[]) as w (run_id)
      cross join lateral (
        select json_object_agg(n.node, n.state) as states, sum(n.rows)::integer as rows
        from (
          select r.node, max(array_position($3::text[], r.state)) - 1 as state, count(*) as rows
          from (
            select node, state
            from task_run as t
            where t.workspace = $1 and t.run_id = w.run_id
            order by node, item
            limit $4
          ) as r
          group by r.node
        ) as n
        having count(*) > 0
      ) as s`,
    values: [workspace, runIds, order, rowsMax],
  });
  return rows.map(readNodeStates);
}

/** A row of a run that has several generations. */
export interface GenerationStateRow {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly state: TaskRunState;
}

/** Of a run in a later generation all rows, the newest generation of each node and item first. */
export async function generationStates(
  database: Database,
  workspace: number,
  run: { readonly id: string; readonly since: number; readonly generation: number; readonly rowsMax: number },
): Promise<GenerationStateRow[]> {
  const { rows } = await database.api.query<GenerationStateRow>({
    name: "generation-states",
    text: `select node, item, generation, state
      from task_run_history
      where workspace = $1 and run_id = $2 and generation <= $3 and run_ended_at >= $4
      order by node, item, generation desc
      limit $5`,
    values: [workspace, run.id, run.generation, toTimestamp(run.since), run.rowsMax],
  });
  return rows;
}
