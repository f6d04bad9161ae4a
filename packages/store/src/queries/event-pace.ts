/** How quickly the event log grows: positions at instants, so that what lies between is a difference and nothing is counted. */
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

/** Positions between two marks of the log that are looked at for one instant: marks stand each 4,096. */
const lookedMax = 20_000;

/**
 * For each instant, in ms since 1970, the position of the last entry that was recorded before it. Marks of the log bracket
 * it, and the primary key leads from there; only the partitions of that day are touched.
 */
export async function positionsAt(
  database: Database,
  workspace: number,
  instants: readonly number[],
): Promise<number[]> {
  const { rows } = await database.api.query<{ position: number }>({
    name: "log-positions-at",
    text: `select coalesce(e.position - 1, m.until) as position
      from unnest($2::timestamptz[]) with ordinality as i (at, n)
      cross join lateral (
        select
          coalesce((
            select position from log_mark
            where workspace = $1 and recorded_at < i.at order by recorded_at desc, position desc limit 1
          ), 0) as since,
          coalesce((
            select position - 1 from log_mark
            where workspace = $1 and recorded_at >= i.at order by recorded_at, position limit 1
          ), (select position from log_head where workspace = $1), 0) as until,
          coalesce((
            select recorded_at from log_mark
            where workspace = $1 and recorded_at >= i.at order by recorded_at, position limit 1
          ), (select clock from log_head where workspace = $1)) as until_at
      ) as m
      left join lateral (
        select looked.position from (
          select l.position, l.recorded_at from event_log as l
          where l.workspace = $1 and l.position >= m.since and l.position <= m.until
            and l.recorded_at >= i.at and l.recorded_at <= m.until_at
          order by l.position
          limit ${lookedMax}
        ) as looked
        order by looked.position
        limit 1
      ) as e on true
      order by i.n`,
    values: [workspace, instants.map(toTimestamp)],
  });
  return rows.map(({ position }) => position);
}

/** When the oldest entry of the log was recorded, as far as a mark tells. */
export async function logSince(database: Database, workspace: number): Promise<number | undefined> {
  const { rows } = await database.api.query<{ recorded_at: number }>({
    name: "log-since",
    text: "select recorded_at from log_mark where workspace = $1 order by position limit 1",
    values: [workspace],
  });
  return rows[0]?.recorded_at;
}

/** An event from outside as a tick on the time axis. */
export interface EventTick {
  readonly position: number;
  readonly type: string;
  readonly subject: string | undefined;
  readonly source: string;
  readonly recordedAt: number;
}

/** The newest entries after `after` that are not Millrace's own, of the last `looked` ones. */
export async function newestOutside(
  database: Database,
  workspace: number,
  page: { readonly after: number; readonly since: number; readonly looked: number; readonly limit: number },
): Promise<EventTick[]> {
  const { rows } = await database.api.query<{
    position: number;
    type: string;
    subject: string | null;
    source: string;
    recorded_at: number;
  }>({
    name: "newest-outside",
    text: `select position, type, subject, source, recorded_at from event_log
      where workspace = $1 and source <> 'millrace' and recorded_at >= $3
        and position > greatest($2, (select position from log_head where workspace = $1) - $4)
      order by position desc
      limit $5`,
    values: [workspace, page.after, toTimestamp(page.since), page.looked, page.limit],
  });
  return rows.map((row) => ({
    position: row.position,
    type: row.type,
    subject: row.subject ?? undefined,
    source: row.source,
    recordedAt: row.recorded_at,
  }));
}

/** Events of one source in each stretch between two positions of the log. */
export interface SourceCounts {
  readonly source: string;
  readonly counts: readonly number[];
  /** Of each stretch the position of the last event that was counted; none where there was none. */
  readonly lasts: readonly (number | null)[];
}

/**
 * Of each source beside Millrace itself, how many events stand between each two neighbours of `bounds`, positions that rise; up to
 * `each` in a stretch. Sources are found one after the other: those that had none after the first bound are left out, and beyond
 * `sourcesMax` by name they are not looked for.
 */
export async function countBySource(
  database: Database,
  workspace: number,
  ask: {
    readonly bounds: readonly number[];
    /** Nothing after the first bound was recorded before. */
    readonly since: number;
    readonly sourcesMax: number;
    readonly each: number;
  },
): Promise<SourceCounts[]> {
  const { bounds, since, sourcesMax, each } = ask;
  const { rows } = await database.api.query<SourceCounts>({
    name: "events-by-source",
    text: `with recursive sources (source, n) as (
        (select source, 1 from event_identity where workspace = $1 order by source limit 1)
        union all
        select next.source, s.n + 1 from sources as s
        cross join lateral (
          select i.source from event_identity as i
          where i.workspace = $1 and i.source > s.source
          order by i.source
          limit 1
        ) as next
        where s.n < $4
      )
      select s.source, array_agg(c.count order by b.n) as counts,
        array_agg(c.last order by b.n) as lasts
      from sources as s
      cross join (
        select n, lower, upper
        from unnest($2::bigint[], $3::bigint[]) with ordinality as pairs (lower, upper, n)
      ) as b
      cross join lateral (
        select count(*)::integer as count, max(position)::float8 as last from (
          select e.position from event_log as e
          where e.workspace = $1 and e.source = s.source and e.source <> 'millrace'
            and e.position > b.lower and e.position <= b.upper and e.recorded_at >= $5
          order by e.position
          limit $6
        ) as counted
      ) as c
      where s.source <> 'millrace'
      group by s.source
      having sum(c.count) > 0
      order by sum(c.count) desc, s.source`,
    values: [workspace, bounds.slice(0, -1), bounds.slice(1), sourcesMax, toTimestamp(since), each],
  });
  return rows;
}
