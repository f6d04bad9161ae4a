import type { Reason } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

/**
 * Moves a quarantined run with its task runs to history as failed, in one statement; false when it is not quarantined.
 * What was open is recorded as cancelled.
 */
export async function endQuarantined(
  database: Database,
  workspace: number,
  id: string,
  end: { readonly now: number; readonly openReason: Reason },
): Promise<boolean> {
  const { rows } = await database.api.query<{ moved: number }>({
    name: "end-quarantined",
    text: `with gone as (
        delete from run where workspace = $1 and id = $2 and state = 'quarantined'
        returning *
      ), ended as (
        insert into run_history (
          workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason, depth, parent, labels, params,
          params_blob, created_at, started_at, ended_at
        )
        select
          workspace, id, lane, shard, pipeline, project, bundle, generation, 'failed', reason, depth, parent, labels, params,
          params_blob, created_at, started_at, $3
        from gone
        returning id
      ), waits as (
        delete from wait as w
        using gone
        where w.workspace = gone.workspace and w.run_id = gone.id
        returning w.id, w.match_keys
      ), matches as (
        delete from wait_match as m
        using waits, unnest(waits.match_keys) as k (key)
        where m.key = k.key and m.wait_id = waits.id
      ), code as (
        delete from task_code as c
        using gone
        where c.workspace = gone.workspace and c.run_id = gone.id
      ), parts as (
        delete from task_run as t
        using gone
        where t.workspace = gone.workspace and t.run_id = gone.id
        returning t.*, t.ended_at is null as is_open
      ), history as (
        insert into task_run_history (
          workspace, run_id, generation, node, item, state, attempt, dispatch, worker, started_at, ended_at, output,
          output_blob, output_bytes, reason, error, child_run_id, run_ended_at
        )
        select
          workspace, run_id, generation, node, item, case when is_open then 'cancelled' else state end, attempt, dispatch,
          worker, started_at, coalesce(ended_at, $3), output, output_blob, output_bytes,
          case when is_open then $4::json else reason end, error, child_run_id, $3
        from parts
        where not carried
      )
      select count(*)::integer as moved from ended`,
    values: [workspace, id, toTimestamp(end.now), JSON.stringify(end.openReason)],
  });
  return (rows[0]?.moved ?? 0) > 0;
}
