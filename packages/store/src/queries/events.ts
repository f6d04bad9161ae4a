/** Lists of the event log, newest first, and entries by name. */
import type { LogEvent } from "@millrace/core";
import type { Database } from "../connect.ts";
import { eventColumns, readEvent, type EventColumns } from "../engine/log-statements.ts";
import { toTimestamp } from "../value-types.ts";

export interface EventFilter {
  /** With a star at its end: all types that begin so. */
  readonly type: string | undefined;
  readonly subject: string | undefined;
  readonly source: string | undefined;
  /** Only those that do not fit their type's declaration. */
  readonly onlyInvalid: boolean;
  /** ms since 1970: recorded then or later. */
  readonly since: number | undefined;
  /** Recorded before. */
  readonly until: number | undefined;
  /** After this position; 0 for all. */
  readonly after: number;
  /** Before this position; nothing for all. */
  readonly before: number | undefined;
  readonly limit: number;
}

const dayMs = 86_400_000;

/**
 * Newest first. Looks at one day, then at twice as many each time, until there is enough: partitions of days that are not
 * needed are not touched.
 */
export async function listEvents(
  database: Database,
  workspace: number,
  filter: EventFilter,
): Promise<LogEvent[]> {
  const bounds = await boundsOf(database, workspace, filter);
  if (!bounds) return [];
  const events: LogEvent[] = [];
  let to = bounds.to;
  for (let days = 1; events.length < filter.limit && to >= bounds.from; days *= 2) {
    const from = Math.max(to - days * dayMs, bounds.from);
    const { rows } = await database.api.query<EventColumns>({
      text: `select ${eventColumns} from event_log
        where workspace = $1 and position > $2 and position < $3 and recorded_at >= $4 and recorded_at <= $5
          and ($6::text is null or type = $6 or right($6, 1) = '*' and starts_with(type, left($6, -1)))
          and ($7::text is null or subject = $7) and ($8::text is null or source = $8)
          and (not $10 or invalid is not null)
        order by position desc
        limit $9`,
      values: [
        workspace,
        bounds.after,
        bounds.before,
        toTimestamp(from),
        toTimestamp(to),
        filter.type ?? null,
        filter.subject ?? null,
        filter.source ?? null,
        filter.limit - events.length,
        filter.onlyInvalid,
      ],
    });
    events.push(...rows.map((row) => readEvent(workspace, row)));
    // Times are whole microseconds.
    to = from - 0.001;
  }
  return events;
}

interface Bounds {
  readonly after: number;
  readonly before: number;
  /** Times of the entries between, both included. */
  readonly from: number;
  readonly to: number;
}

/** What the marks of the log say about where its entries lie. */
async function boundsOf(
  database: Database,
  workspace: number,
  { since, until, after, before }: EventFilter,
): Promise<Bounds | undefined> {
  const { rows } = await database.api.query<{
    position: number;
    clock: number;
    oldest: number | null;
    since_position: number | null;
    until_position: number | null;
    after_time: number | null;
    before_time: number | null;
  }>({
    name: "event-bounds",
    text: `select position, clock,
        (select recorded_at from log_mark where workspace = $1 order by position limit 1) as oldest,
        (select position from log_mark where workspace = $1 and recorded_at < $2 order by recorded_at desc, position desc limit 1)
          as since_position,
        (select position from log_mark where workspace = $1 and recorded_at >= $3 order by recorded_at, position limit 1)
          as until_position,
        (select recorded_at from log_mark where workspace = $1 and position <= $4 order by position desc limit 1) as after_time,
        (select recorded_at from log_mark where workspace = $1 and position >= $5 order by position limit 1) as before_time
      from log_head where workspace = $1`,
    values: [
      workspace,
      since === undefined ? null : toTimestamp(since),
      until === undefined ? null : toTimestamp(until),
      after,
      before ?? null,
    ],
  });
  const row = rows[0];
  if (!row || row.oldest === null) return undefined;
  return {
    after: Math.max(after, (row.since_position ?? 1) - 1),
    before: Math.min(before ?? row.position + 1, row.until_position ?? row.position + 1),
    from: Math.max(row.oldest, row.after_time ?? row.oldest, since ?? row.oldest),
    to: Math.min(row.clock, row.before_time ?? row.clock, until === undefined ? row.clock : until - 0.001),
  };
}

/** The JSON text of an entry's data as it was given, or the hash of its blob; nothing where there is neither. */
export async function findEventText(
  database: Database,
  workspace: number,
  position: number,
): Promise<{ readonly text: string | null; readonly blob: string | null } | undefined> {
  const { rows } = await database.api.query<{ text: string | null; blob: string | null }>({
    name: "event-text",
    text: "select data::text as text, data_blob as blob from event_log where workspace = $1 and position = $2",
    values: [workspace, position],
  });
  return rows[0];
}

/** Sources that are looked through for an id that is given without one. */
const sourcesMax = 1_000;
const namesakesMax = 20;

/** Positions of the entries with this id, of one source or of any, the newest first. */
export async function findEventPositions(
  database: Database,
  workspace: number,
  { id, source }: { readonly id: string; readonly source: string | undefined },
): Promise<number[]> {
  const { rows } =
    source === undefined
      ? await database.api.query<{ position: number }>({
          name: "event-positions-by-id",
          text: `with recursive sources (source) as (
              (select source from event_identity where workspace = $1 order by source limit 1)
              union all
              select (
                select i.source from event_identity as i
                where i.workspace = $1 and i.source > s.source
                order by i.source
                limit 1
              )
              from sources as s
              where s.source is not null
            )
            select i.position
            from (select source from sources where source is not null limit ${sourcesMax}) as s
            join event_identity as i on i.workspace = $1 and i.source = s.source and i.id = $2
            order by i.position desc
            limit ${namesakesMax}`,
          values: [workspace, id],
        })
      : await database.api.query<{ position: number }>({
          name: "event-position",
          text: "select position from event_identity where workspace = $1 and source = $2 and id = $3",
          values: [workspace, source, id],
        });
  return rows.map(({ position }) => position);
}
