/** What a node reads of waits: when it takes a shard, and while it tells them the log. */
import type { Json, OperationOutcome, StepRecord } from "@millrace/core";
import type { Pool } from "pg";
import { toTimestamp } from "../value-types.ts";
import type {
  FoundWaits,
  KeyRange,
  LoadedWaits,
  StepKey,
  StoredShape,
  WaitEnd,
  WaitPlace,
  WaitRow,
} from "./wait-port.ts";

export interface WaitColumns {
  id: number;
  workspace: number;
  shard: number;
  run_id: string;
  node: string;
  item: string;
  generation: number;
  name: string;
  occurrence: number;
  condition: string | null;
  state: string | null;
  began_at: number;
  told_to: number;
  timeout_at: number | null;
  due_at: number | null;
  match_keys: (number | bigint)[] | null;
  approval: Json | null;
  joins_after: number | null;
  outcome: WaitEnd | null;
}

const waitColumns =
  "id, workspace, shard, run_id, node, item, generation, name, occurrence, condition, state, began_at, told_to, timeout_at, due_at, match_keys, approval, joins_after, outcome";

/** The columns of a table that has a name of its own in a statement. */
export function waitColumnsOf(name: string): string {
  return waitColumns
    .split(", ")
    .map((column) => `${name}.${column}`)
    .join(", ");
}

export function readWait(row: WaitColumns): WaitRow {
  return {
    id: row.id,
    workspace: row.workspace,
    shard: row.shard,
    runId: row.run_id,
    node: row.node,
    item: row.item,
    generation: row.generation,
    name: row.name,
    occurrence: row.occurrence,
    condition: row.condition ?? undefined,
    state: row.state ?? undefined,
    beganAt: row.began_at,
    toldTo: row.told_to,
    timeoutAt: row.timeout_at ?? undefined,
    dueAt: row.due_at ?? undefined,
    matchKeys: (row.match_keys ?? []).map(String),
    approval: row.approval ?? undefined,
    ...(row.joins_after === null ? {} : { joinsAfter: row.joins_after }),
    end: row.outcome ?? undefined,
  };
}

export async function loadWaits(
  pool: Pool,
  workspace: number,
  shards: readonly number[],
): Promise<LoadedWaits> {
  const [shapes, cursors] = await Promise.all([
    pool.query<{
      workspace: number;
      type: string;
      is_prefix: boolean;
      path: string;
      shard: number;
      is_old: boolean;
    }>({
      name: "load-wait-shapes",
      text: `select workspace, type, is_prefix, path, shard, before_wait is not null as is_old
        from wait_shape where workspace = $1`,
      values: [workspace],
    }),
    pool.query<{ shard: number; wait_position: number }>({
      name: "load-wait-cursors",
      text: "select shard, wait_position from shard where shard = any($1)",
      values: [shards],
    }),
  ]);
  return {
    shapes: shapes.rows.map((row): StoredShape => ({
      workspace: row.workspace,
      type: row.type,
      isPrefix: row.is_prefix,
      path: row.path,
      shard: row.shard,
      isOld: row.is_old,
    })),
    cursors: cursors.rows.map((row) => ({ shard: row.shard, position: row.wait_position })),
  };
}

/** The places of those of these ranges in which no wait of any shard has a key. */
export async function unusedKeyRanges(pool: Pool, ranges: readonly KeyRange[]): Promise<number[]> {
  const { rows } = await pool.query<{ at: number }>({
    name: "unused-key-ranges",
    text: `select (r.at - 1)::integer as at
      from unnest($1::bigint[], $2::bigint[]) with ordinality as r (first, last, at)
      where not exists (select from wait_match as m where m.key between r.first and r.last)
      order by r.at`,
    values: [ranges.map(({ first }) => first), ranges.map(({ last }) => last)],
  });
  return rows.map(({ at }) => at);
}

/** Whether a wait is left that began before keys were in ranges. */
export async function hasOldWaits(pool: Pool, workspace: number): Promise<boolean> {
  const { rows } = await pool.query<{ found: boolean }>({
    name: "has-old-waits",
    text: `select exists (
        select from wait where id < (select max(before_wait) from wait_shape where workspace = $1)
      ) as found`,
    values: [workspace],
  });
  return rows[0]!.found;
}

/** Found by their keys, in the order of (key, id); one that has two of the keys is found twice. */
export async function findWaits(
  pool: Pool,
  shards: readonly number[],
  keys: readonly string[],
  after: WaitPlace | undefined,
  limit: number,
): Promise<FoundWaits> {
  const { rows } = await pool.query<WaitColumns & { key: number | bigint }>({
    name: "find-waits",
    text: `select ${waitColumnsOf("w")}, m.key
      from wait_match as m
      join wait as w on w.id = m.wait_id
      where m.key = any($1) and m.shard = any($2) and (m.key, m.wait_id) > ($3, $4)
      order by m.key, m.wait_id
      limit $5`,
    values: [keys, shards, after?.key ?? smallestKey, after?.id ?? -1, limit],
  });
  const last = rows.at(-1);
  return {
    waits: rows.map(readWait),
    next: last && rows.length === limit ? { key: String(last.key), id: last.id } : undefined,
  };
}

const smallestKey = "-9223372036854775808";

/** Those without an end that time changes before `before`, the earliest first. */
export async function loadDueWaits(
  pool: Pool,
  shards: readonly number[],
  before: number,
  limit: number,
): Promise<WaitRow[]> {
  const { rows } = await pool.query<WaitColumns>({
    name: "load-due-waits",
    text: `select ${waitColumns} from wait
      where due_at < $1 and shard = any($2)
      order by due_at
      limit $3`,
    values: [toTimestamp(before), shards, limit],
  });
  return rows.map(readWait);
}

/** When time changes one of them next. */
export async function nextWaitDue(pool: Pool, shards: readonly number[]): Promise<number | undefined> {
  const { rows } = await pool.query<{ due_at: number }>({
    name: "next-wait-due",
    text: `select due_at from wait where due_at is not null and shard = any($1) order by due_at limit 1`,
    values: [shards],
  });
  return rows[0]?.due_at;
}

export async function loadWaitsOf(
  pool: Pool,
  workspace: number,
  runIds: readonly string[],
): Promise<WaitRow[]> {
  const { rows } = await pool.query<WaitColumns>({
    name: "load-waits-of",
    text: `select ${waitColumns} from wait where workspace = $1 and run_id = any($2)`,
    values: [workspace, runIds],
  });
  return rows.map(readWait);
}

/** Of runs that do not wait outside of memory. */
export async function loadWaitsInMemory(pool: Pool, shards: readonly number[]): Promise<WaitRow[]> {
  const columns = waitColumns
    .split(", ")
    .map((column) => `w.${column}`)
    .join(", ");
  const { rows } = await pool.query<WaitColumns>({
    name: "load-waits-in-memory",
    text: `select ${columns}
      from run as r
      join wait as w on w.workspace = r.workspace and w.run_id = r.id
      where r.shard = any($1) and r.state in ('running', 'waiting') and r.wake_at is null`,
    values: [shards],
  });
  return rows.map(readWait);
}

/** Runs with waits that have ended, which they have not taken. */
export async function loadEndedWaits(
  pool: Pool,
  shards: readonly number[],
): Promise<{ readonly workspace: number; readonly id: string; readonly shard: number }[]> {
  const { rows } = await pool.query<{ workspace: number; run_id: string; shard: number }>({
    name: "load-ended-waits",
    text: "select distinct workspace, run_id, shard from wait where shard = any($1) and outcome is not null",
    values: [shards],
  });
  return rows.map((row) => ({ workspace: row.workspace, id: row.run_id, shard: row.shard }));
}

export async function loadSteps(pool: Pool, key: StepKey): Promise<StepRecord[]> {
  const { rows } = await pool.query<{
    kind: StepRecord["kind"];
    name: string;
    occurrence: number;
    outcome: OperationOutcome;
  }>({
    name: "load-steps",
    text: `select kind, name, occurrence, outcome from step
      where workspace = $1 and run_id = $2 and node = $3 and item = $4 and generation = $5
        and (kind = 'wait' or attempt = $6 or outcome ->> 'kind' <> 'error')
      order by dispatch, kind, seq`,
    values: [key.workspace, key.runId, key.node, key.item, key.generation, key.attempt],
  });
  return rows.map((row, index) => ({ ...row, seq: index + 1 }));
}
