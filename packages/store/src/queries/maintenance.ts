/** Upkeep: partitions ahead of time, and the end of what was kept long enough. Two servers may do it at once. */
import { keyIdleMs, retentionClassNames, retentionDaysOf } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

/** Partitioned by day, each by its own time. */
const dailyTables = [
  { table: "run_history", key: "ended_at" },
  { table: "task_run_history", key: "run_ended_at" },
  { table: "attempt_history", key: "ended_at" },
  { table: "log_chunk", key: "created_at" },
  { table: "artifact", key: "created_at" },
] as const;

/** Days for which partitions are made when nobody says, today included. */
const daysAheadDefault = 4;

export interface PartitionChange {
  readonly made: readonly string[];
  readonly dropped: readonly string[];
}

/** Makes the partitions of today and the next days, and drops those of days that ended more than `retentionDays` ago. */
export async function keepPartitions(
  database: Database,
  when: { readonly now: number; readonly retentionDays: number; readonly daysAhead?: number },
): Promise<PartitionChange> {
  const made: string[] = [];
  const dropped: string[] = [];
  const logs = retentionClassNames.map((name) => ({
    table: `event_log_${name}`,
    key: "recorded_at",
    days: retentionDaysOf(name, when.retentionDays),
  }));
  const histories = dailyTables.map((daily) => ({ ...daily, days: when.retentionDays }));
  for (const { table, key, days } of [...histories, ...logs]) {
    const { rows } = await database.api.query<PartitionChange>({
      text: "select made, dropped from keep_partitions($1, $2, $3, $4, $5)",
      values: [table, key, toTimestamp(when.now), when.daysAhead ?? daysAheadDefault, days],
    });
    made.push(...(rows[0]?.made ?? []));
    dropped.push(...(rows[0]?.dropped ?? []));
  }
  return { made, dropped };
}

/** Rows per statement: short locks, and a bounded time for each. */
const sweepBatch = 5_000;

/** What runs leave, which goes once it is old and its run has ended: tables, and what tells their age. */
const ofRuns = [
  ["idempotency_key", "created_at"],
  ["step", "recorded_at"],
  ["wait_member", "ended_at"],
] as const;

/** Deletes identities and recorded outputs that nothing guards or may use any more. Returns how many. */
export async function sweepRecords(
  database: Database,
  when: { readonly now: number; readonly retentionDays: number },
  signal: AbortSignal,
): Promise<number> {
  const before = toTimestamp(when.now - when.retentionDays * 86_400_000);
  let swept = 0;
  for (const [table, age] of ofRuns)
    swept += await inBatches(signal, () =>
      countDeleted(
        database,
        `delete from ${table} where ctid = any (array(
          select ctid from ${table} as old
          where ${age} < $1 and not exists (select from run as r where r.workspace = old.workspace and r.id = old.run_id)
          limit ${sweepBatch}
        ))`,
        [before],
      ),
    );
  swept += await inBatches(signal, () =>
    countDeleted(
      database,
      `delete from cached_output where ctid = any (array(
        select ctid from cached_output
        where expires_at < $2 or recorded_at < $1
        limit ${sweepBatch}
      ))`,
      [before, toTimestamp(when.now)],
    ),
  );
  swept += await sweepFirings(database, before, signal);
  swept += await sweepKeys(database, when.now, signal);
  swept += await sweepAssets(database, when, signal);
  swept += await sweepSources(database, { before, now: toTimestamp(when.now) }, signal);
  swept += await sweepProbes(database, before, signal);
  return swept + (await sweepLog(database, when, signal));
}

/** Firings go with the history of their runs. */
async function sweepFirings(database: Database, before: string, signal: AbortSignal): Promise<number> {
  const old = `f.at < $1 and f.gate is distinct from 'waiting' and not exists (select from run as r where r.workspace = f.workspace and r.id = f.run_id)`;
  const texts = [
    `delete from firing_member where ctid = any (array(
      select m.ctid
      from firing as f
      join firing_member as m on m.workspace = f.workspace and m.run_id = f.run_id
      where ${old}
      limit ${sweepBatch}
    ))`,
    `delete from firing where ctid = any (array(select ctid from firing as f where ${old} limit ${sweepBatch}))`,
  ];
  let swept = 0;
  for (const text of texts) swept += await inBatches(signal, () => countDeleted(database, text, [before]));
  return swept;
}

/**
 * Lineage goes with the history of its run; of an asset that no project declares, what was told of it goes with the entries.
 * What is told of a declared asset stays as long as it is declared.
 */
async function sweepAssets(
  database: Database,
  { now, retentionDays }: { readonly now: number; readonly retentionDays: number },
  signal: AbortSignal,
): Promise<number> {
  const dayMs = 86_400_000;
  const uses = await inBatches(signal, () =>
    countDeleted(
      database,
      `delete from asset_use where ctid = any (array(
        select u.ctid from asset_use as u
        where u.at < $1 and not exists (select from run as r where r.workspace = u.workspace and r.id = u.run_id)
        limit ${sweepBatch}
      ))`,
      [toTimestamp(now - retentionDays * dayMs)],
    ),
  );
  const before = toTimestamp(now - retentionDaysOf("long", retentionDays) * dayMs);
  let strays = 0;
  for (const text of [
    `delete from asset_partition where ctid = any (array(
      select p.ctid from asset_state as s
      join asset_partition as p on p.workspace = s.workspace and p.asset = s.asset and p.lane = s.lane
      where ${isStray}
      limit ${sweepBatch}
    ))`,
    `delete from asset_state where ctid = any (array(select s.ctid from asset_state as s where ${isStray} limit ${sweepBatch}))`,
  ])
    strays += await inBatches(signal, () => countDeleted(database, text, [before]));
  return uses + strays;
}

/** No active deployment has an asset of this name, and nothing was told of it since. */
const isStray = `(s.workspace, s.asset) not in (
    select d.workspace, a ->> 'name' from deployment as d, json_array_elements(d.definition -> 'assets') as a where d.active
  )
  and coalesce(greatest(s.updated_at, s.progress_at, s.rejected_at), '-infinity') < $1`;

/**
 * What a source remembers goes when no deployment has had it for so long: its row stays, as its number counts on. Whoever ran
 * it may not have lived to say that it stopped.
 */
async function sweepSources(
  database: Database,
  { before, now }: { readonly before: string; readonly now: string },
  signal: AbortSignal,
): Promise<number> {
  await database.api.query({
    name: "stop-sources",
    text: `update source as s set state = 'stopped', error = null, changed_at = $1
      where state <> 'stopped' and not exists (
        select from deployment as d, json_array_elements(d.definition -> 'sources') as deployed
        where d.workspace = s.workspace and d.active and deployed ->> 'name' = s.name
      )`,
    values: [now],
  });
  const text = `delete from source_memory where ctid = any (array(
      select m.ctid
      from source as s
      join source_memory as m on m.workspace = s.workspace and m.source = s.name
      where s.state = 'stopped' and s.changed_at < $1
      limit ${sweepBatch}
    ))`;
  return inBatches(signal, () => countDeleted(database, text, [before]));
}

/** Things that probes have looked at, and nobody has waited for since: who waits for one again sees it as if for the first time. */
async function sweepProbes(database: Database, before: string, signal: AbortSignal): Promise<number> {
  const text = `delete from probe where ctid = any (array(
      select ctid from probe
      where next_at is null and coalesce(looked_at, '-infinity') < $1
      limit ${sweepBatch}
    ))`;
  return inBatches(signal, () => countDeleted(database, text, [before]));
}

/**
 * Keys that begin anew with their next event, as nothing has touched them for long, and no time will: by the log's time, which is a little
 * behind where the log is read late. Of a paused trigger the resume will tell events of long ago, so its keys stay.
 */
async function sweepKeys(database: Database, now: number, signal: AbortSignal): Promise<number> {
  const text = `delete from trigger_key where ctid = any (array(
      select k.ctid
      from trigger_key as k
      where k.touched_at < $1 and k.due_at is null and k.key <> '' and not exists (
        select from trigger as t
        where t.workspace = k.workspace and t.pipeline = k.pipeline and t.paused_position is not null
      )
      limit ${sweepBatch}
    ))`;
  const before = toTimestamp(now - keyIdleMs - lateMs);
  return inBatches(signal, () => countDeleted(database, text, [before]));
}

/** How late the log may be read to triggers. */
const lateMs = 86_400_000;

/** Names of events, and marks of the log, for as long as any event is kept. */
async function sweepLog(
  database: Database,
  { now, retentionDays }: { readonly now: number; readonly retentionDays: number },
  signal: AbortSignal,
): Promise<number> {
  const longestDays = Math.max(...retentionClassNames.map((name) => retentionDaysOf(name, retentionDays)));
  // A day more than the entries: a partition goes with its whole day.
  const before = toTimestamp(now - (longestDays + 1) * 86_400_000);
  const identities = await inBatches(signal, () =>
    countDeleted(
      database,
      `delete from event_identity where ctid = any (array(
        select ctid from event_identity where recorded_at < $1 limit ${sweepBatch}
      ))`,
      [before],
    ),
  );
  const marks = await inBatches(signal, () =>
    countDeleted(
      database,
      `delete from log_mark where ctid = any (array(
        select ctid from log_mark where recorded_at < $1 limit ${sweepBatch}
      ))`,
      [before],
    ),
  );
  return identities + marks;
}

/** The node rows of processes that are gone for a day, without shards. */
export async function sweepNodes(database: Database, now: number): Promise<number> {
  return countDeleted(
    database,
    `delete from node as n
    where n.fenced and n.lease_until < $1 and not exists (select from shard as s where s.node_id = n.id)`,
    [toTimestamp(now - 86_400_000)],
  );
}

/** Which of these blobs something still refers to. */
export async function blobsInUse(database: Database, hashes: readonly string[]): Promise<Set<string>> {
  const { rows } = await database.api.query<{ hash: string }>({
    name: "blobs-in-use",
    text: `select w.hash
      from unnest($1::text[]) as w (hash)
      where exists (select from run where params_blob = w.hash)
        or exists (select from task_run where output_blob = w.hash)
        or exists (select from cached_output where output_blob = w.hash)
        or exists (select from run_history where params_blob = w.hash or output_blob = w.hash)
        or exists (select from task_run_history where output_blob = w.hash)
        or exists (select from artifact where blob = w.hash)
        or exists (select from event_log where data_blob = w.hash)
        or exists (select from firing where value_blob = w.hash)
        or exists (select from step where value_blob = w.hash)`,
    values: [hashes],
  });
  return new Set(rows.map((row) => row.hash));
}

async function inBatches(signal: AbortSignal, remove: () => Promise<number>): Promise<number> {
  let total = 0;
  while (!signal.aborted) {
    const removed = await remove();
    total += removed;
    if (removed < sweepBatch) break;
  }
  return total;
}

async function countDeleted(database: Database, text: string, values: readonly unknown[]): Promise<number> {
  const { rowCount } = await database.api.query({ text, values: [...values] });
  return rowCount ?? 0;
}
