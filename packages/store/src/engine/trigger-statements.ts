/** What a node reads of triggers: when it takes a shard, and while it evaluates. */
import type { FiringName, Json, LogEvent, Member, TriggerDefinition } from "@millrace/core";
import type { Pool } from "pg";
import { toTimestamp } from "../value-types.ts";
import { eventColumns, readEvent, type EventColumns } from "./log-statements.ts";
import { byGateOrder } from "./gate-order.ts";
import type { RunKey } from "./port.ts";
import type {
  GateAsk,
  GateRows,
  LoadedTriggers,
  LogCursor,
  OutboxRow,
  TriggerKeyRow,
  TriggerRow,
} from "./trigger-port.ts";

export interface TriggerColumns {
  workspace: number;
  pipeline: string;
  shard: number;
  version: number;
  definition: TriggerDefinition | null;
  activated_position: number;
  activated_at: number;
  paused_position: number | null;
  paused_at: number | null;
}

const triggerColumns =
  "workspace, pipeline, shard, version, definition, activated_position, activated_at, paused_position, paused_at";

export function readTrigger(row: TriggerColumns): TriggerRow {
  return {
    workspace: row.workspace,
    pipeline: row.pipeline,
    shard: row.shard,
    version: row.version,
    definition: row.definition ?? undefined,
    activated: { position: row.activated_position, recordedAt: row.activated_at },
    paused:
      row.paused_position === null || row.paused_at === null
        ? undefined
        : { position: row.paused_position, recordedAt: row.paused_at },
  };
}

export interface TriggerKeyColumns {
  workspace: number;
  pipeline: string;
  key: string;
  shard: number;
  state: Json;
  firings: number;
  due_at: number | null;
  touched_at: number;
}

const triggerKeyColumns = "workspace, pipeline, key, shard, state, firings, due_at, touched_at";

export function readTriggerKey(row: TriggerKeyColumns): TriggerKeyRow {
  return {
    workspace: row.workspace,
    pipeline: row.pipeline,
    key: row.key,
    shard: row.shard,
    state: row.state,
    firings: row.firings,
    dueAt: row.due_at ?? undefined,
    touchedAt: row.touched_at,
  };
}

export async function loadTriggers(pool: Pool, shards: readonly number[]): Promise<LoadedTriggers> {
  const [triggers, keys, cursors] = await Promise.all([
    pool.query<TriggerColumns>({
      name: "load-triggers",
      text: `select ${triggerColumns} from trigger where shard = any($1) order by pipeline`,
      values: [shards],
    }),
    pool.query<TriggerKeyColumns>({
      name: "load-trigger-states",
      text: `select ${prefixed("k", triggerKeyColumns)}
        from trigger as t
        join trigger_key as k on k.workspace = t.workspace and k.pipeline = t.pipeline and k.key = ''
        where t.shard = any($1)`,
      values: [shards],
    }),
    pool.query<{ shard: number; log_position: number }>({
      name: "load-cursors",
      text: "select shard, log_position from shard where shard = any($1)",
      values: [shards],
    }),
  ]);
  return {
    triggers: triggers.rows.map(readTrigger),
    keys: keys.rows.map(readTriggerKey),
    cursors: cursors.rows.map((row): LogCursor => ({ shard: row.shard, position: row.log_position })),
  };
}

export async function loadTriggerKeys(
  pool: Pool,
  workspace: number,
  names: readonly { readonly pipeline: string; readonly key: string }[],
): Promise<TriggerKeyRow[]> {
  const { rows } = await pool.query<TriggerKeyColumns>({
    name: "load-trigger-keys",
    text: `select ${prefixed("k", triggerKeyColumns)}
      from unnest($2::text[], $3::text[]) as n (pipeline, key)
      join trigger_key as k on k.workspace = $1 and k.pipeline = n.pipeline and k.key = n.key`,
    values: [workspace, names.map(({ pipeline }) => pipeline), names.map(({ key }) => key)],
  });
  return rows.map(readTriggerKey);
}

export async function loadKeysOf(
  pool: Pool,
  workspace: number,
  pipeline: string,
  limit: number,
): Promise<TriggerKeyRow[]> {
  const { rows } = await pool.query<TriggerKeyColumns>({
    name: "load-keys-of-trigger",
    text: `select ${triggerKeyColumns} from trigger_key
      where workspace = $1 and pipeline = $2 and key <> ''
      order by touched_at desc, key
      limit $3`,
    values: [workspace, pipeline, limit],
  });
  return rows.map(readTriggerKey);
}

export async function loadDueTriggerKeys(
  pool: Pool,
  shards: readonly number[],
  until: number,
  limit: number,
): Promise<TriggerKeyRow[]> {
  const { rows } = await pool.query<TriggerKeyColumns>({
    name: "load-due-trigger-keys",
    text: `select ${triggerKeyColumns} from trigger_key
      where shard = any($1) and due_at <= $2 and key <> ''
      order by due_at
      limit $3`,
    values: [shards, toTimestamp(until), limit],
  });
  return rows.map(readTriggerKey);
}

/** Versions of a trigger that are looked through for a window's earlier run: it is revised for some days, and so often nothing changes. */
export const earlierVersionsMax = 20;

export async function revisedRun(
  pool: Pool,
  workspace: number,
  { pipeline, version, key, occurrence, revision }: FiringName,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ run_id: string }>({
    name: "revised-run",
    text: `select f.run_id
      from generate_series(greatest(1, $3::integer - $7::integer), $3) as v (version)
      join firing as f on f.workspace = $1 and f.pipeline = $2 and f.version = v.version and f.key = $4
        and f.occurrence = $5 and f.revision < $6
      where f.run_id is not null
      order by f.version desc, f.revision desc
      limit 1`,
    values: [workspace, pipeline, version, key, occurrence, revision, earlierVersionsMax],
  });
  return rows[0]?.run_id;
}

interface GateColumns {
  run_id: string;
  gate: string;
  version: number;
  key: string;
  occurrence: number;
  revision: number;
  at: number;
  position: number;
  value: Json;
  causes: string | null;
}

export async function loadGate(
  pool: Pool,
  { workspace, pipeline, keys, oldest }: GateAsk,
): Promise<GateRows> {
  const { rows } = await pool.query<GateColumns & { is_beyond: boolean }>({
    name: "load-gate",
    text: `select run_id, gate, version, key, occurrence, revision, at, position, value, causes, is_beyond
      from (
        select f.*, false as is_beyond from firing as f
        where workspace = $1 and pipeline = $2 and gate = 'started'
        union all
        select f.*, false from (
          select * from firing
          where workspace = $1 and pipeline = $2 and gate = 'waiting'
          order by at, position, key, occurrence, revision
          limit $4
        ) as f
        union all
        select f.*, true
        from unnest($3::text[]) as k (key)
        cross join lateral (
          select * from firing
          where workspace = $1 and pipeline = $2 and gate = 'waiting' and firing.key = k.key
          order by at desc, position desc, occurrence desc, revision desc
          limit 1
        ) as f
      ) as g`,
    values: [workspace, pipeline, keys, oldest + 1],
  });
  const waiting = new Map<string, GateColumns>();
  const oldestRows = rows.filter((row) => row.gate === "waiting" && !row.is_beyond);
  for (const row of oldestRows.slice(0, oldest)) waiting.set(row.run_id, row);
  for (const row of rows) if (row.is_beyond) waiting.set(row.run_id, row);
  return {
    active: rows.filter(({ gate }) => gate === "started").map((row) => row.run_id),
    waiting: [...waiting.values()].toSorted(byGateOrder).map((row) => ({
      runId: row.run_id,
      version: row.version,
      key: row.key,
      occurrence: row.occurrence,
      revision: row.revision,
      at: row.at,
      position: row.position,
      value: row.value,
      causes: row.causes ?? undefined,
    })),
    hasMore: oldestRows.length > oldest,
  };
}

export async function loadFiringMembers(
  pool: Pool,
  { workspace, id }: RunKey,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<Member[]> {
  const { rows } = await pool.query<MemberColumns>({
    name: "load-firing-members",
    text: `select operand, position, from_at, to_at, is_silence from firing_member
      where workspace = $1 and run_id = $2 and ordinal >= $3
      order by ordinal
      limit $4`,
    values: [workspace, id, from, limit],
  });
  return rows.map(readMember);
}

export interface MemberColumns {
  operand: string;
  position: number | null;
  from_at: number | null;
  to_at: number | null;
  is_silence: boolean;
}

export function readMember({ operand, position, from_at, to_at, is_silence }: MemberColumns): Member {
  if (position !== null) return { kind: "event", operand, position, recordedAt: 0 };
  return { kind: is_silence ? "silence" : "tick", operand, from: from_at ?? 0, at: to_at ?? 0 };
}

export async function loadOutbox(pool: Pool, limit: number): Promise<OutboxRow[]> {
  const { rows } = await pool.query<OutboxRow>({
    name: "load-outbox",
    text: "select id, workspace, type, subject, data from log_outbox order by id limit $1",
    values: [limit],
  });
  return rows;
}

export async function readEntries(
  pool: Pool,
  workspace: number,
  positions: readonly number[],
): Promise<LogEvent[]> {
  const { rows } = await pool.query<EventColumns>({
    name: "read-entries",
    text: `select ${eventColumns} from event_log where workspace = $1 and position = any($2) order by position`,
    values: [workspace, positions],
  });
  return rows.map((row) => readEvent(workspace, row));
}

/** The partitions of earlier days are not looked at. */
export async function readTypes(
  pool: Pool,
  workspace: number,
  {
    types,
    after,
    since,
    until,
  }: {
    readonly types: readonly string[];
    readonly after: number;
    readonly since: number;
    readonly until: number;
  },
  limit: number,
): Promise<LogEvent[]> {
  const { rows } = await pool.query<EventColumns>({
    name: "read-types",
    text: `select ${eventColumns} from event_log
      where workspace = $1 and type = any($2) and position > $3 and position <= $4 and recorded_at >= $5
      order by position
      limit $6`,
    values: [workspace, types, after, until, toTimestamp(since), limit],
  });
  return rows.map((row) => readEvent(workspace, row));
}

function prefixed(table: string, columns: string): string {
  return columns
    .split(", ")
    .map((column) => `${table}.${column}`)
    .join(", ");
}
