/** Triggers, their states and their firings, as people look at them. */
import type { LogEvent, Reason } from "@millrace/core";
import type { Database } from "../connect.ts";
import { logHead } from "../engine/log-statements.ts";
import type { LogHead } from "../engine/port.ts";
import type { GateAsk, GateRows, GateState, TriggerKeyRow, TriggerRow } from "../engine/trigger-port.ts";
import {
  loadDueTriggerKeys,
  loadGate,
  loadTriggerKeys,
  readEntries,
  readTrigger,
  readTriggerKey,
  type TriggerColumns,
  type TriggerKeyColumns,
} from "../engine/trigger-statements.ts";
import { toTimestamp } from "../value-types.ts";

/** A trigger with what its states and firings say, for a list. */
export interface TriggerOverview extends TriggerRow {
  /** Values of its key that have state, counted up to `keysCountedMax`. */
  readonly keys: number;
  /** The earliest deadline, where it is among the next `keysCountedMax` of its shard. */
  readonly dueAt: number | undefined;
  readonly lastFiring:
    | { readonly at: number; readonly runId: string | undefined; readonly reason: FoundFiring["reason"] }
    | undefined;
}

/** A key may have millions of values: nobody waits for all of them to be counted. */
export const keysCountedMax = 1_000;

interface OverviewColumns extends TriggerColumns {
  keys: number;
  due_at: number | null;
  fired_at: number | null;
  fired_run: string | null;
  fired_reason: Reason | null;
}

/** By name, after `afterName`, or one; only of pipelines that have a trigger now. */
export async function listTriggers(
  database: Database,
  workspace: number,
  page: { readonly afterName: string; readonly only?: string; readonly limit: number },
): Promise<TriggerOverview[]> {
  const { rows } = await database.api.query<OverviewColumns>({
    name: "list-triggers",
    text: `select t.workspace, t.pipeline, t.shard, t.version, t.definition, t.activated_position, t.activated_at,
        t.paused_position, t.paused_at, k.keys, d.due_at, f.at as fired_at, f.run_id as fired_run,
        case when f.run_id is null then f.reason end as fired_reason
      from (
        select * from trigger
        where workspace = $1 and pipeline > $2 and definition is not null and ($4::text is null or pipeline = $4)
        order by pipeline
        limit $3
      ) as t
      cross join lateral (
        select count(*) as keys from (
          select from trigger_key as k where k.workspace = t.workspace and k.pipeline = t.pipeline limit ${keysCountedMax}
        ) as counted
      ) as k
      cross join lateral (
        select least(
          (select k.due_at from trigger_key as k where k.workspace = t.workspace and k.pipeline = t.pipeline and k.key = ''),
          (
            select c.due_at
            from (
              select k.workspace, k.pipeline, k.due_at from trigger_key as k
              where k.shard = t.shard and k.due_at is not null
              order by k.due_at
              limit ${keysCountedMax}
            ) as c
            where c.workspace = t.workspace and c.pipeline = t.pipeline
            order by c.due_at
            limit 1
          )
        ) as due_at
      ) as d
      left join lateral (
        select f.at, f.run_id, f.reason from firing as f
        where f.workspace = t.workspace and f.pipeline = t.pipeline
        order by f.at desc
        limit 1
      ) as f on true
      order by t.pipeline`,
    values: [workspace, page.afterName, page.limit, page.only ?? null],
  });
  return rows.map((row) => ({
    ...readTrigger(row),
    keys: row.keys,
    dueAt: row.due_at ?? undefined,
    lastFiring:
      row.fired_at === null
        ? undefined
        : {
            at: row.fired_at,
            runId: row.fired_run ?? undefined,
            reason: row.fired_reason ?? undefined,
          },
  }));
}

/** The trigger of one pipeline, also where it has none any more. */
export async function findTrigger(
  database: Database,
  workspace: number,
  pipeline: string,
): Promise<TriggerRow | undefined> {
  const { rows } = await database.api.query<TriggerColumns>({
    name: "find-trigger",
    text: `select workspace, pipeline, shard, version, definition, activated_position, activated_at, paused_position, paused_at
      from trigger
      where workspace = $1 and pipeline = $2`,
    values: [workspace, pipeline],
  });
  return rows[0] && readTrigger(rows[0]);
}

/** Triggers as they are deployed, by the names of their pipelines. */
export async function listTriggerRows(
  database: Database,
  workspace: number,
  page: { readonly afterName: string; readonly limit: number },
): Promise<TriggerRow[]> {
  const { rows } = await database.api.query<TriggerColumns>({
    name: "list-trigger-rows",
    text: `select workspace, pipeline, shard, version, definition, activated_position, activated_at, paused_position, paused_at
      from trigger
      where workspace = $1 and pipeline > $2 and definition is not null
      order by pipeline
      limit $3`,
    values: [workspace, page.afterName, page.limit],
  });
  return rows.map(readTrigger);
}

/** For suggestions. */
export async function listTriggerNames(database: Database, workspace: number): Promise<string[]> {
  const { rows } = await database.api.query<{ pipeline: string }>({
    name: "list-trigger-names",
    text: "select pipeline from trigger where workspace = $1 and definition is not null order by pipeline limit 10000",
    values: [workspace],
  });
  return rows.map(({ pipeline }) => pipeline);
}

/** States of one trigger, those with the smallest keys first, after `afterKey`. */
export async function listTriggerKeys(
  database: Database,
  workspace: number,
  page: { readonly pipeline: string; readonly afterKey: string | undefined; readonly limit: number },
): Promise<TriggerKeyRow[]> {
  const { rows } = await database.api.query<TriggerKeyColumns>({
    name: "list-trigger-keys",
    text: `select workspace, pipeline, key, shard, state, firings, due_at, touched_at
      from trigger_key
      where workspace = $1 and pipeline = $2 and ($3::text is null or key > $3)
      order by key
      limit $4`,
    values: [workspace, page.pipeline, page.afterKey ?? null, page.limit],
  });
  return rows.map(readTriggerKey);
}

export function findTriggerKeys(
  database: Database,
  workspace: number,
  names: readonly { readonly pipeline: string; readonly key: string }[],
): Promise<TriggerKeyRow[]> {
  return loadTriggerKeys(database.api, workspace, names);
}

/** Keys of the triggers of a shard whose deadlines have passed. */
export function findDueTriggerKeys(
  database: Database,
  due: { readonly shard: number; readonly until: number; readonly limit: number },
): Promise<TriggerKeyRow[]> {
  return loadDueTriggerKeys(database.api, [due.shard], due.until, due.limit);
}

/** Firings that stand at the gate of a trigger. */
export function findGate(database: Database, ask: GateAsk): Promise<GateRows> {
  return loadGate(database.api, ask);
}

/** Entries of the log at these positions, as far as they are still there. */
export function findEntries(
  database: Database,
  workspace: number,
  positions: readonly number[],
): Promise<LogEvent[]> {
  return positions.length === 0 ? Promise.resolve([]) : readEntries(database.api, workspace, positions);
}

export function findLogHead(database: Database, workspace: number): Promise<LogHead> {
  return logHead(database.api, workspace);
}

/** Up to which position of the log the rows of a shard's triggers are known to reach. */
export async function findLogCursor(database: Database, shard: number): Promise<number> {
  const { rows } = await database.api.query<{ log_position: number }>({
    name: "find-log-cursor",
    text: "select log_position from shard where shard = $1",
    values: [shard],
  });
  return rows[0]?.log_position ?? 0;
}

/** The position of the last entry that was recorded before `time`; 0 where there is none. */
export async function positionBefore(database: Database, workspace: number, time: number): Promise<number> {
  const { rows: marks } = await database.api.query<{ position: number; recorded_at: number }>({
    name: "log-mark-before",
    text: `select position, recorded_at from log_mark
      where workspace = $1 and recorded_at < $2
      order by recorded_at desc, position desc
      limit 1`,
    values: [workspace, toTimestamp(time)],
  });
  const mark = marks[0];
  if (!mark) return 0;
  const { rows } = await database.api.query<{ position: number }>({
    name: "log-position-before",
    text: `select position from event_log
      where workspace = $1 and position >= $2 and recorded_at >= $3 and recorded_at < $4
      order by position desc
      limit 1`,
    values: [workspace, mark.position, toTimestamp(mark.recorded_at), toTimestamp(time)],
  });
  return rows[0]?.position ?? mark.position - 1;
}

// --- firings --------------------------------------------------------------------------------------------------------

export interface FoundFiring {
  readonly pipeline: string;
  readonly version: number;
  readonly key: string;
  readonly occurrence: number;
  readonly revision: number;
  readonly at: number;
  readonly position: number;
  readonly runId: string | undefined;
  readonly reason: Reason | undefined;
  /** Its own ones, and those of firings that were merged into it. */
  readonly members: number;
  /** The key of its run's partition, as far as its value stands in the row. */
  readonly partition: string | undefined;
  readonly isIncomplete: boolean;
  /** Where its value is too large for the row: that says both. */
  readonly valueBlob: string | undefined;
  readonly gate: GateState | undefined;
  /** The run of the firing that it was merged into. */
  readonly intoRun: string | undefined;
  /** Where its members begin below its run, or that one. */
  readonly memberFrom: number;
}

/**
 * What the value of a firing says that a list shows; a large one is in the blob store, and says nothing here. PostgreSQL can't
 * look into JSON that holds U+0000 or half of a character, which events may bring.
 */
const readable = String.raw`f.value::text !~ '\\u(0000|d[89ab])'`;
const aboutColumns = `case when ${readable} then f.value -> 'partition' ->> 'key' end as partition,
  case when ${readable} then f.value ->> 'incomplete' = 'true' end as incomplete`;

interface FiringColumns {
  pipeline: string;
  version: number;
  key: string;
  occurrence: number;
  revision: number;
  at: number;
  position: number;
  run_id: string | null;
  reason: Reason | null;
  members: number;
  partition: string | null;
  incomplete: boolean | null;
  value_blob: string | null;
  gate: GateState | null;
  into_run: string | null;
  member_from: number | null;
}

function readFiring(row: FiringColumns): FoundFiring {
  const {
    run_id: runId,
    reason,
    partition,
    incomplete,
    value_blob: valueBlob,
    gate,
    into_run: intoRun,
    member_from: memberFrom,
    ...rest
  } = row;
  return {
    ...rest,
    runId: runId ?? undefined,
    reason: reason ?? undefined,
    partition: partition ?? undefined,
    isIncomplete: incomplete === true,
    valueBlob: valueBlob ?? undefined,
    gate: gate ?? undefined,
    intoRun: intoRun ?? undefined,
    memberFrom: memberFrom ?? 0,
  };
}

const firingColumns = `f.pipeline, f.version, f.key, f.occurrence, f.revision, f.at, f.position, f.run_id, f.reason, f.gate, f.into_run, f.member_from, f.value_blob, ${aboutColumns},
        coalesce(
          f.member_count,
          (select count(*) from firing_member as m where m.workspace = f.workspace and m.run_id = f.run_id)
        ) as members`;

export interface FiringPlace {
  readonly at: number;
  readonly version: number;
  readonly key: string;
  readonly occurrence: number;
  readonly revision: number;
}

/** Newest first, before a place. */
export async function listFirings(
  database: Database,
  workspace: number,
  page: {
    readonly pipeline: string;
    readonly key: string | undefined;
    readonly before: FiringPlace | undefined;
    readonly limit: number;
  },
): Promise<FoundFiring[]> {
  const { pipeline, key, before, limit } = page;
  const { rows } = await database.api.query<FiringColumns>({
    name: key === undefined ? "list-firings" : "list-firings-of-key",
    text: `select ${firingColumns}
      from (
        select * from firing
        where workspace = $1 and pipeline = $2 and ${key === undefined ? "$3::text is null" : "key = $3"}
          and at <= $4 and (at < $4 or (version, key, occurrence, revision) < ($5::integer, $6::text, $7::bigint, $8::integer))
        order by at desc, version desc, key desc, occurrence desc, revision desc
        limit $9
      ) as f
      order by f.at desc, f.version desc, f.key desc, f.occurrence desc, f.revision desc`,
    values: [
      workspace,
      pipeline,
      key ?? null,
      before ? toTimestamp(before.at) : "infinity",
      before?.version ?? 0,
      before?.key ?? "",
      before?.occurrence ?? 0,
      before?.revision ?? 0,
      limit,
    ],
  });
  return rows.map(readFiring);
}

export async function findFiring(
  database: Database,
  workspace: number,
  name: Omit<FiringPlace, "at"> & { readonly pipeline: string },
): Promise<FoundFiring | undefined> {
  const { rows } = await database.api.query<FiringColumns>({
    name: "find-firing",
    text: `select ${firingColumns}
      from firing as f
      where f.workspace = $1 and f.pipeline = $2 and f.version = $3 and f.key = $4 and f.occurrence = $5 and f.revision = $6`,
    values: [workspace, name.pipeline, name.version, name.key, name.occurrence, name.revision],
  });
  return rows[0] && readFiring(rows[0]);
}

/** The firing that started a run. */
export async function findFiringOfRun(
  database: Database,
  workspace: number,
  runId: string,
): Promise<FoundFiring | undefined> {
  const { rows } = await database.api.query<FiringColumns>({
    name: "find-firing-of-run",
    text: `select ${firingColumns}
      from firing as f
      where f.workspace = $1 and f.run_id = $2`,
    values: [workspace, runId],
  });
  return rows[0] && readFiring(rows[0]);
}

/** The firings that an entry of the log is a member of, by pipeline; of one pipeline where it is named. */
export async function findFiringsOfEvent(
  database: Database,
  workspace: number,
  event: { readonly position: number; readonly pipeline: string | undefined; readonly limit: number },
): Promise<FoundFiring[]> {
  const { rows } = await database.api.query<FiringColumns>({
    name: "find-firings-of-event",
    text: `select ${firingColumns}
      from (
        select distinct on (f.pipeline, f.version, f.key, f.occurrence, f.revision) f.*
        from firing_member as e
        cross join lateral (
          (
            select m.*, 1 as place from firing as m
            where m.workspace = $1 and m.into_run = e.run_id and m.member_from <= e.ordinal
            order by m.member_from desc
            limit 1
          )
          union all
          (select h.*, 2 from firing as h where h.workspace = $1 and h.run_id = e.run_id)
          order by place
          limit 1
        ) as f
        where e.workspace = $1 and e.position = $2
      ) as f
      where $3::text is null or f.pipeline = $3
      order by f.pipeline, f.at, f.run_id
      limit $4`,
    values: [workspace, event.position, event.pipeline ?? null, event.limit],
  });
  return rows.map(readFiring);
}

export interface FoundMember {
  /** Its place below the run. */
  readonly ordinal: number;
  readonly operand: string;
  /** Absent for a tick or a silence, which have a span. */
  readonly position: number | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly isSilence: boolean;
}

export async function findFiringMembers(
  database: Database,
  workspace: number,
  page: { readonly runId: string; readonly from: number; readonly limit: number; readonly operand?: string },
): Promise<FoundMember[]> {
  const { rows } = await database.api.query<{
    ordinal: number;
    is_silence: boolean;
    operand: string;
    position: number | null;
    from_at: number | null;
    to_at: number | null;
  }>({
    name: "find-firing-members",
    text: `select ordinal, operand, position, from_at, to_at, is_silence from firing_member
      where workspace = $1 and run_id = $2 and ordinal >= $3 and ($5::text is null or operand = $5)
      order by ordinal
      limit $4`,
    values: [workspace, page.runId, page.from, page.limit, page.operand ?? null],
  });
  return rows.map((row) => ({
    ordinal: row.ordinal,
    operand: row.operand,
    position: row.position ?? undefined,
    from: row.from_at ?? undefined,
    to: row.to_at ?? undefined,
    isSilence: row.is_silence,
  }));
}
