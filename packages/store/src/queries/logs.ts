/** Logs and artifacts of attempts. */
import type { Json } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

export interface LogChunk {
  readonly workspace: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  /** Of its first line, in the attempt's log. */
  readonly position: number;
  readonly lines: readonly Json[];
}

/** Stores chunks; one that was stored before (a worker repeats itself) is left out. */
export async function appendLogs(
  database: Database,
  chunks: readonly LogChunk[],
  now: number,
): Promise<void> {
  await database.api.query({
    name: "append-logs",
    text: `insert into log_chunk (
        workspace, run_id, node, item, generation, attempt, dispatch, position, lines, created_at
      )
      select c.workspace, c.run_id, c.node, c.item, c.generation, c.attempt, c.dispatch, c.position, c.lines::json, $10
      from unnest(
        $1::integer[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::integer[], $8::integer[],
        $9::text[]
      ) as c (workspace, run_id, node, item, generation, attempt, dispatch, position, lines)
      where not exists (
        select from log_chunk as l
        where l.workspace = c.workspace and l.run_id = c.run_id and l.node = c.node and l.item = c.item
          and l.generation = c.generation and l.attempt = c.attempt and l.dispatch = c.dispatch
          and l.position = c.position and l.created_at > $10::timestamptz - interval '1 day'
      )
      on conflict do nothing`,
    values: [
      chunks.map((chunk) => chunk.workspace),
      chunks.map((chunk) => chunk.runId),
      chunks.map((chunk) => chunk.node),
      chunks.map((chunk) => chunk.item),
      chunks.map((chunk) => chunk.generation),
      chunks.map((chunk) => chunk.attempt),
      chunks.map((chunk) => chunk.dispatch),
      chunks.map((chunk) => chunk.position),
      chunks.map((chunk) => JSON.stringify(chunk.lines)),
      toTimestamp(now),
    ],
  });
}

/** Where a chunk stands among those of its run: by time of arrival, then by name. */
export interface ChunkPlace {
  readonly createdAt: number;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly dispatch: number;
  readonly position: number;
}

export interface StoredChunk extends ChunkPlace {
  readonly attempt: number;
  readonly lines: readonly Json[];
}

export interface LogFilter {
  readonly runId: string;
  readonly since: number;
  readonly node: string | undefined;
  readonly item: string | undefined;
  readonly attempt: number | undefined;
  readonly generation: number | undefined;
  /** From this chunk on, itself included. */
  readonly from: ChunkPlace;
  readonly limit: number;
}

export async function readLogs(
  database: Database,
  workspace: number,
  filter: LogFilter,
): Promise<StoredChunk[]> {
  const { from } = filter;
  const { rows } = await database.api.query<ChunkColumns>({
    name: "read-logs",
    text: `select node, item, generation, attempt, dispatch, position, lines, created_at
      from log_chunk
      where workspace = $1 and run_id = $2 and created_at >= $3
        and ($4::text is null or node = $4)
        and ($5::text is null or item = $5)
        and ($6::integer is null or attempt = $6)
        and ($7::integer is null or generation = $7)
        and (created_at, node, item, generation, dispatch, position) >= ($8, $9, $10, $11, $12, $13)
      order by created_at, node, item, generation, dispatch, position
      limit $14`,
    values: [
      workspace,
      filter.runId,
      toTimestamp(filter.since),
      filter.node ?? null,
      filter.item ?? null,
      filter.attempt ?? null,
      filter.generation ?? null,
      toTimestamp(from.createdAt),
      from.node,
      from.item,
      from.generation,
      from.dispatch,
      from.position,
      filter.limit,
    ],
  });
  return rows.map(readChunk);
}

interface ChunkColumns {
  node: string;
  item: string;
  generation: number;
  attempt: number;
  dispatch: number;
  position: number;
  lines: Json[];
  created_at: number;
}

function readChunk({ created_at: createdAt, ...row }: ChunkColumns): StoredChunk {
  return { ...row, createdAt };
}

export interface ChunkQuery {
  readonly runId: string;
  /** None of them is older. */
  readonly since: number;
  readonly names: readonly Pick<
    StoredChunk,
    "node" | "item" | "generation" | "attempt" | "dispatch" | "position"
  >[];
}

/** Chunks by name, in the order of their arrival. */
export async function readChunks(
  database: Database,
  workspace: number,
  { runId, since, names }: ChunkQuery,
): Promise<StoredChunk[]> {
  const { rows } = await database.api.query<ChunkColumns>({
    name: "read-chunks",
    text: `select l.node, l.item, l.generation, l.attempt, l.dispatch, l.position, l.lines, l.created_at
      from unnest($4::text[], $5::text[], $6::integer[], $7::integer[], $8::integer[], $9::integer[])
        as c (node, item, generation, attempt, dispatch, position)
      join log_chunk as l
        on l.workspace = $1 and l.run_id = $2 and l.node = c.node and l.item = c.item
          and l.generation = c.generation and l.attempt = c.attempt and l.dispatch = c.dispatch
          and l.position = c.position
      where l.created_at >= $3
      order by l.created_at, l.node, l.item, l.generation, l.dispatch, l.position`,
    values: [
      workspace,
      runId,
      toTimestamp(since),
      names.map(({ node }) => node),
      names.map(({ item }) => item),
      names.map(({ generation }) => generation),
      names.map(({ attempt }) => attempt),
      names.map(({ dispatch }) => dispatch),
      names.map(({ position }) => position),
    ],
  });
  return rows.map(readChunk);
}

export interface ArtifactRow {
  readonly workspace: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly name: string;
  readonly type: string;
  readonly mediaType: string;
  readonly blob: string;
  readonly bytes: number;
}

export async function addArtifact(database: Database, row: ArtifactRow, now: number): Promise<void> {
  await database.api.query({
    name: "add-artifact",
    text: `insert into artifact (
        workspace, run_id, node, item, generation, attempt, name, type, media_type, blob, bytes, created_at
      )
      select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
      where not exists (
        select from artifact
        where workspace = $1 and run_id = $2 and node = $3 and item = $4 and generation = $5 and attempt = $6
          and name = $7 and blob = $10
      )
      on conflict do nothing`,
    values: [
      row.workspace,
      row.runId,
      row.node,
      row.item,
      row.generation,
      row.attempt,
      row.name,
      row.type,
      row.mediaType,
      row.blob,
      row.bytes,
      toTimestamp(now),
    ],
  });
}

/** In the order of their making; the last one of a name wins over earlier ones of the same attempt. */
export async function listArtifacts(
  database: Database,
  workspace: number,
  query: { readonly runId: string; readonly since: number; readonly limit: number },
): Promise<ArtifactRow[]> {
  const { rows } = await database.api.query<{
    node: string;
    item: string;
    generation: number;
    attempt: number;
    name: string;
    type: string;
    media_type: string;
    blob: string;
    bytes: number;
  }>({
    name: "list-artifacts",
    text: `select node, item, generation, attempt, name, type, media_type, blob, bytes from (
        select distinct on (node, item, generation, attempt, name)
          node, item, generation, attempt, name, type, media_type, blob, bytes, created_at
        from artifact
        where workspace = $1 and run_id = $2 and created_at >= $3
        order by node, item, generation, attempt, name, created_at desc
      ) as a
      order by created_at, node, item, name
      limit $4`,
    values: [workspace, query.runId, toTimestamp(query.since), query.limit],
  });
  return rows.map(({ media_type: mediaType, ...row }) => ({
    ...row,
    workspace,
    runId: query.runId,
    mediaType,
  }));
}
