/** What is tied to what: pipelines with what starts them, and who told of events lately. */
import type { Condition } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

export interface PipelineTies {
  readonly pipeline: string;
  readonly paused: boolean;
  readonly condition: Condition | null;
  /** Pipelines that it calls. */
  readonly calls: readonly string[];
}

export async function listPipelineTies(
  database: Database,
  workspace: number,
  limit: number,
): Promise<PipelineTies[]> {
  const { rows } = await database.api.query<PipelineTies>({
    name: "list-pipeline-ties",
    text: `select name as pipeline, paused, definition -> 'trigger' -> 'condition' as condition,
        array(
          select distinct n ->> 'calls' from json_array_elements(definition -> 'nodes') as n
          where n ->> 'calls' is not null
        ) as calls
      from pipeline
      where workspace = $1 and not retired
      order by name
      limit $2`,
    values: [workspace, limit],
  });
  return rows;
}

export interface TypeSource {
  readonly type: string;
  readonly source: string;
}

/** Who told the last entries of each type since then. With a star at its end a type stands for all that begin so. */
export async function listTypeSources(
  database: Database,
  workspace: number,
  wanted: { readonly types: readonly string[]; readonly since: number; readonly looked: number },
): Promise<TypeSource[]> {
  const { rows } = await database.api.query<TypeSource>({
    name: "list-type-sources",
    text: `select t.type, s.source
      from unnest($2::text[]) as t (type)
      cross join lateral (
        select distinct e.source from (
          (
            select source from event_log
            where workspace = $1 and right(t.type, 1) <> '*' and type = t.type and recorded_at >= $3
            order by position desc
            limit $4
          ) union all (
            select source from event_log
            where workspace = $1 and right(t.type, 1) = '*' and recorded_at >= $3
              and type >= left(t.type, -1) and type < left(t.type, -1) || chr(1114111)
            limit $4
          )
        ) as e
      ) as s
      order by t.type, s.source`,
    values: [workspace, wanted.types, toTimestamp(wanted.since), wanted.looked],
  });
  return rows;
}

/** Ids of these entries, as far as they are still there. */
export async function findEntryIds(
  database: Database,
  workspace: number,
  positions: readonly number[],
): Promise<{ readonly position: number; readonly id: string }[]> {
  const { rows } = await database.api.query<{ position: number; id: string }>({
    name: "find-entry-ids",
    text: "select position, id from event_log where workspace = $1 and position = any($2::bigint[])",
    values: [workspace, positions],
  });
  return rows;
}
