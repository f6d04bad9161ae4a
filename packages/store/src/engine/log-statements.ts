/** Reading the event log by position. */
import { assert, type Json, type LogEvent } from "@millrace/core";
import type { Pool } from "pg";
import { toTimestamp } from "../value-types.ts";
import type { EventAttributes } from "./flush-parameters.ts";
import type { LogChange, LogHead, LogPage } from "./port.ts";
import { readStored } from "./rows.ts";

/** As `flush_with_log` answers. */
export interface LogChangeColumns {
  first: number;
  count: number;
  clock: number;
  others: LogChange["others"] | null;
}

export function readLogChange({ first, count, clock, others }: LogChangeColumns): LogChange {
  return { first, count, clock, others: others ?? [] };
}

export interface EventColumns {
  position: number;
  recorded_at: number;
  lane: string;
  source: string;
  id: string;
  type: string;
  subject: string | null;
  event_time: number | null;
  attributes: EventAttributes | null;
  data: Json;
  data_blob: string | null;
  data_bytes: number | null;
  invalid: string | null;
}

export const eventColumns =
  "position, recorded_at, lane, source, id, type, subject, event_time, attributes, data, data_blob, data_bytes, invalid";

export function readEvent(workspace: number, row: EventColumns): LogEvent {
  return {
    workspace,
    position: row.position,
    recordedAt: row.recorded_at,
    lane: row.lane,
    source: row.source,
    id: row.id,
    type: row.type,
    subject: row.subject ?? undefined,
    time: row.event_time ?? row.recorded_at,
    data: readStored(row.data, row.data_blob, row.data_bytes),
    isBinary: row.attributes?.isBinary ?? false,
    contentType: row.attributes?.contentType,
    dataSchema: row.attributes?.dataSchema,
    extensions: row.attributes?.extensions ?? {},
    invalid: row.invalid ?? undefined,
  };
}

export async function logHead(pool: Pool, workspace: number): Promise<LogHead> {
  const { rows } = await pool.query<LogHead>({
    name: "log-head",
    text: "select position, clock from log_head where workspace = $1",
    values: [workspace],
  });
  return rows[0] ?? emptyHead;
}

const emptyHead: LogHead = { position: 0, clock: 0 };

/** The head and, by the marks, between which times the entries lie: other partitions are not touched (V3). */
export async function readLog(pool: Pool, workspace: number, after: number, limit: number): Promise<LogPage> {
  assert(limit > 0, "a page has a size");
  const { rows: bounds } = await pool.query<{
    position: number;
    clock: number;
    oldest: number | null;
    low: number | null;
    high: number | null;
  }>({
    name: "log-bounds",
    text: `select position, clock,
        (select position from log_mark where workspace = $1 order by position limit 1) as oldest,
        (select recorded_at from log_mark where workspace = $1 and position <= $2::bigint + 1 order by position desc limit 1) as low,
        (select recorded_at from log_mark where workspace = $1 and position > $2::bigint + $3::bigint order by position limit 1) as high
      from log_head where workspace = $1`,
    values: [workspace, after, limit],
  });
  const found = bounds[0];
  if (!found) return { events: [], until: after, head: emptyHead };
  const head = { position: found.position, clock: found.clock };
  if (after >= head.position) return { events: [], until: after, head };
  // All before the first mark is gone.
  const first = found.low === null ? Math.max(after + 1, found.oldest ?? head.position + 1) : after + 1;
  const until = Math.min(after + limit, head.position);
  if (first > until) return { events: [], until: Math.min(first - 1, head.position), head };
  const { rows } = await pool.query<EventColumns>({
    name: "read-log",
    text: `select ${eventColumns} from event_log
      where workspace = $1 and position >= $2 and position <= $3 and recorded_at >= $4 and recorded_at <= $5
      order by position`,
    values: [workspace, first, until, boundOf(found.low, "-infinity"), boundOf(found.high, "infinity")],
  });
  return { events: rows.map((row) => readEvent(workspace, row)), until, head };
}

function boundOf(time: number | null, otherwise: string): string {
  return time === null ? otherwise : toTimestamp(time);
}
