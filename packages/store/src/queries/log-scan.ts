/**
 * A run's log from any place in either direction. Chunks are told by their places first, so that one request looks at a bounded
 * number of them; of those that can't hold what is looked for the lines stay in the database.
 */
import type { Json } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";
import type { ChunkPlace } from "./logs.ts";

export interface LogScan {
  readonly runId: string;
  /** No chunk is older. */
  readonly since: number;
  readonly node: string | undefined;
  readonly item: string | undefined;
  readonly attempt: number | undefined;
  readonly generation: number | undefined;
  /** Of these levels only, as JSON text has them; all, if absent. */
  readonly levels: readonly string[] | undefined;
  /** Part of a line's text, in whichever case. */
  readonly find: string | undefined;
  /** From this chunk on, itself included; from the end of the log, if absent. */
  readonly from: ChunkPlace | undefined;
  /** Chunks that are looked at. */
  readonly limit: number;
}

export interface ScannedChunk extends ChunkPlace {
  readonly attempt: number;
  /** Absent where none of them can be what is looked for. */
  readonly lines: readonly Json[] | undefined;
}

/** In the order in which they were stored. */
export async function scanLogsForward(
  database: Database,
  workspace: number,
  scan: LogScan,
): Promise<ScannedChunk[]> {
  const { rows } = await database.api.query<ScannedColumns>({
    name: "scan-logs-forward",
    text: `with near as materialized (
        select node, item, generation, attempt, dispatch, position, lines, created_at
        from log_chunk
        where workspace = $1 and run_id = $2 and created_at >= $3
          and ($4::text is null or node = $4)
          and ($5::text is null or item = $5)
          and ($6::integer is null or attempt = $6)
          and ($7::integer is null or generation = $7)
          and (created_at, node, item, generation, dispatch, position) >= ($10, $11, $12, $13, $14, $15)
        order by created_at, node, item, generation, dispatch, position
        limit $16
      )
      select node, item, generation, attempt, dispatch, position, created_at,
        case
          when ($8::text[] is null or lines::text like any ($8)) and ($9::text is null or lines::text ilike $9) then lines
        end as lines
      from near
      order by created_at, node, item, generation, dispatch, position`,
    values: [...valuesOf(workspace, scan), ...placeOf(scan.from, scan.since), scan.limit],
  });
  return rows.map(readScanned);
}

/** The last ones first. */
export async function scanLogsBackward(
  database: Database,
  workspace: number,
  scan: LogScan,
): Promise<ScannedChunk[]> {
  const { rows } = await database.api.query<ScannedColumns>({
    name: "scan-logs-backward",
    text: `with near as materialized (
        select node, item, generation, attempt, dispatch, position, lines, created_at
        from log_chunk
        where workspace = $1 and run_id = $2 and created_at >= $3
          and ($4::text is null or node = $4)
          and ($5::text is null or item = $5)
          and ($6::integer is null or attempt = $6)
          and ($7::integer is null or generation = $7)
          and (
            $10::timestamptz is null
            or (created_at, node, item, generation, dispatch, position) <= ($10, $11, $12, $13, $14, $15)
          )
        order by created_at desc, node desc, item desc, generation desc, dispatch desc, position desc
        limit $16
      )
      select node, item, generation, attempt, dispatch, position, created_at,
        case
          when ($8::text[] is null or lines::text like any ($8)) and ($9::text is null or lines::text ilike $9) then lines
        end as lines
      from near
      order by created_at desc, node desc, item desc, generation desc, dispatch desc, position desc`,
    values: [...valuesOf(workspace, scan), ...placeOf(scan.from, undefined), scan.limit],
  });
  return rows.map(readScanned);
}

function valuesOf(workspace: number, scan: LogScan): unknown[] {
  return [
    workspace,
    scan.runId,
    toTimestamp(scan.since),
    scan.node ?? null,
    scan.item ?? null,
    scan.attempt ?? null,
    scan.generation ?? null,
    scan.levels?.map((level) => `%"level":${JSON.stringify(level)}%`) ?? null,
    scan.find === undefined ? null : `%${likeText(scan.find)}%`,
  ];
}

/** As it stands in JSON, with nothing in it that a pattern reads otherwise. */
function likeText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[\\%_]/g, "\\$&");
}

function placeOf(from: ChunkPlace | undefined, since: number | undefined): unknown[] {
  if (!from) return [since === undefined ? null : toTimestamp(since), "", "", 0, 0, 0];
  const { createdAt, node, item, generation, dispatch, position } = from;
  return [toTimestamp(createdAt), node, item, generation, dispatch, position];
}

interface ScannedColumns {
  node: string;
  item: string;
  generation: number;
  attempt: number;
  dispatch: number;
  position: number;
  created_at: number;
  lines: Json[] | null;
}

function readScanned({ created_at: createdAt, lines, ...row }: ScannedColumns): ScannedChunk {
  return { ...row, createdAt, lines: lines ?? undefined };
}
