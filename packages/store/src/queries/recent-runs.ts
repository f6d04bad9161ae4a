/** The newest runs of some pipelines, and when time alone may start the next: for a list of pipelines. */
import type { RunState } from "@millrace/core";
import type { Database } from "../connect.ts";

export interface RecentRun {
  readonly pipeline: string;
  readonly id: string;
  readonly state: RunState;
  readonly createdAt: number;
}

/** Each run once, in its newest generation; of each pipeline the newest first. */
export async function listRecentRuns(
  database: Database,
  workspace: number,
  asked: { readonly pipelines: readonly string[]; readonly limit: number },
): Promise<RecentRun[]> {
  const { rows } = await database.api.query<Omit<RecentRun, "createdAt"> & { created_at: number }>({
    name: "recent-runs",
    text: `select p.pipeline, l.id, l.state, l.created_at
      from unnest($2::text[]) as p (pipeline)
      cross join lateral (
        select distinct on (id) id, state, created_at from (
          (
            select id, state, created_at, 1000000 as generation from run as r
            where r.workspace = $1 and r.pipeline = p.pipeline
            order by id desc
            limit $3
          )
          union all
          (
            select id, state, created_at, generation from run_history as h
            where h.workspace = $1 and h.pipeline = p.pipeline
            order by id desc
            limit $3
          )
        ) as newest
        order by id desc, generation desc
        limit $3
      ) as l
      order by p.pipeline, l.id desc`,
    values: [workspace, asked.pipelines, asked.limit],
  });
  return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }));
}

/** Of triggers without keys in whose condition the word of a schedule stands: other deadlines start nothing by themselves. */
export async function findNextDue(
  database: Database,
  workspace: number,
  pipelines: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await database.api.query<{ pipeline: string; due_at: number }>({
    name: "next-due",
    text: `select k.pipeline, k.due_at
      from trigger_key as k
      join trigger as t on t.workspace = k.workspace and t.pipeline = k.pipeline
      where k.workspace = $1 and k.pipeline = any ($2::text[]) and k.key = '' and k.due_at is not null
        and strpos(t.definition::text, '"schedule"') > 0`,
    values: [workspace, pipelines],
  });
  return new Map(rows.map(({ pipeline, due_at: dueAt }) => [pipeline, dueAt]));
}
