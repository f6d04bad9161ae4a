/** What a node reads of sources: when it starts one, and while that reads. */
import type { RememberedThing, SourceDetail, SourceProblem } from "@millrace/core";
import type { Pool } from "pg";
import type { SourceName, SourceRow, SourceState } from "./source-port.ts";

export interface SourceColumns {
  workspace: number;
  name: string;
  shard: number;
  place: string;
  events: number;
  last_event_at: number | null;
  state: SourceState;
  changed_at: number;
  detail: SourceDetail | null;
  error: SourceProblem | null;
}

export const sourceColumns =
  "workspace, name, shard, place, events, last_event_at, state, changed_at, detail, error";

export function readSource(row: SourceColumns): SourceRow {
  return {
    workspace: row.workspace,
    name: row.name,
    shard: row.shard,
    place: row.place,
    events: row.events,
    lastEventAt: row.last_event_at ?? undefined,
    state: row.state,
    changedAt: row.changed_at,
    detail: row.detail ?? undefined,
    error: row.error ?? undefined,
  };
}

export async function loadSource(
  pool: Pool,
  { workspace, source }: SourceName,
): Promise<SourceRow | undefined> {
  const { rows } = await pool.query<SourceColumns>({
    name: "load-source",
    text: `select ${sourceColumns} from source where workspace = $1 and name = $2`,
    values: [workspace, source],
  });
  return rows[0] && readSource(rows[0]);
}

export async function recallThings(
  pool: Pool,
  { workspace, source }: SourceName,
  keys: readonly string[],
): Promise<RememberedThing[]> {
  const { rows } = await pool.query<RememberedThing>({
    name: "recall-things",
    text: `select key, fingerprint, version from source_memory
      where workspace = $1 and source = $2 and key = any($3)`,
    values: [workspace, source, keys],
  });
  return rows;
}

export async function recallPage(
  pool: Pool,
  { workspace, source }: SourceName,
  page: { readonly after: string; readonly limit: number },
): Promise<RememberedThing[]> {
  const { rows } = await pool.query<RememberedThing>({
    name: "recall-page",
    text: `select key, fingerprint, version from source_memory
      where workspace = $1 and source = $2 and key > $3
      order by key
      limit $4`,
    values: [workspace, source, page.after, page.limit],
  });
  return rows;
}

export async function countThings(pool: Pool, { workspace, source }: SourceName): Promise<number> {
  const { rows } = await pool.query<{ count: number }>({
    name: "count-things",
    text: "select count(*) as count from source_memory where workspace = $1 and source = $2",
    values: [workspace, source],
  });
  return rows[0]?.count ?? 0;
}
