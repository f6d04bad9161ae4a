/** How many entries of the log came when, and what they are: the newest, up to a bound. */
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

export interface EventCountFilter {
  /** With a star at its end: all types that begin so. */
  readonly type: string | undefined;
  readonly subject: string | undefined;
  readonly source: string | undefined;
  readonly onlyInvalid: boolean;
  readonly by: "type" | "source";
  /** ms since 1970: recorded then or later, and before. */
  readonly since: number;
  readonly until: number;
  readonly stretches: number;
  /** Entries that are looked at. */
  readonly lookedMax: number;
}

export interface EventCount {
  readonly stretch: number;
  readonly name: string;
  readonly count: number;
  /** The first of them. */
  readonly from: number;
}

export async function countEvents(
  database: Database,
  workspace: number,
  filter: EventCountFilter,
): Promise<EventCount[]> {
  const { rows } = await database.api.query<EventCount>({
    name: "count-events",
    text: `select
        width_bucket(extract(epoch from recorded_at), extract(epoch from $2::timestamptz), extract(epoch from $3::timestamptz), $4) - 1
          as stretch,
        case when $5 = 'type' then type else source end as name,
        count(*) as count, min(recorded_at) as from
      from (
        select type, source, recorded_at from event_log
        where workspace = $1 and recorded_at >= $2 and recorded_at < $3
          and ($6::text is null or type = $6 or right($6, 1) = '*' and starts_with(type, left($6, -1)))
          and ($7::text is null or subject = $7) and ($8::text is null or source = $8)
          and (not $9 or invalid is not null)
        order by position desc
        limit $10
      ) as e
      group by 1, 2
      order by 1, 2`,
    values: [
      workspace,
      toTimestamp(filter.since),
      toTimestamp(filter.until),
      filter.stretches,
      filter.by,
      filter.type ?? null,
      filter.subject ?? null,
      filter.source ?? null,
      filter.onlyInvalid,
      filter.lookedMax,
    ],
  });
  return rows;
}

/** Positions of what a run's tasks emitted, and of what Millrace told of assets for them, by the names that such entries have. */
export async function findEventsOfRun(
  database: Database,
  workspace: number,
  run: { readonly runId: string; readonly sources: readonly string[]; readonly limit: number },
): Promise<number[]> {
  const { runId, sources, limit } = run;
  const { rows } = await database.api.query<{ position: number }>({
    name: "events-of-run",
    text: `select n.position
      from unnest($2::text[]) as s (source)
      cross join lateral (
        (
          select i.position from event_identity as i
          where i.workspace = $1 and i.source = s.source and i.id >= $3 || '/' and i.id < $3 || '0'
          limit $4
        )
        union all
        (
          select i.position from event_identity as i
          where i.workspace = $1 and i.source = 'millrace'
            and i.id >= 'asset ' || s.source || ' ' || $3 || '/' and i.id < 'asset ' || s.source || ' ' || $3 || '0'
          limit $4
        )
      ) as n
      order by n.position
      limit $4`,
    values: [workspace, sources, runId, limit],
  });
  return rows.map(({ position }) => position);
}
