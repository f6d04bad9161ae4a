/**
 * What the first page shows: what is live, what waits, what fails. Nothing here grows with how much there is: each statement
 * looks at so many rows at most, through an index, and says where there were more.
 */
import type { Json, Reason, RunState } from "@millrace/core";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";

/** Things are counted up to this: beyond, there are "1,000+". */
export const countedMax = 1_000;

export interface LiveCounts {
  readonly queued: number;
  readonly running: number;
  readonly waiting: number;
  readonly quarantined: number;
  /** Open waits of all kinds, and those for a person. */
  readonly waits: number;
  readonly approvals: number;
}

/** Each shard's part of the index is entered by itself, so that a rare state costs 64 descents and no more. */
function countOf(state: RunState): string {
  return `(
    select count(*)::integer from (
      select from generate_series(0, 63) as s (shard)
      cross join lateral (
        select from run where run.shard = s.shard::smallint and state = '${state}' order by run.id limit ${countedMax + 1}
      ) as r
      limit ${countedMax + 1}
    ) as counted
  ) as ${state}`;
}

/** Each is at most `countedMax + 1`. */
export async function countLive(database: Database, workspace: number): Promise<LiveCounts> {
  const { rows } = await database.api.query<LiveCounts>({
    name: "count-live",
    text: `select ${countOf("queued")}, ${countOf("running")}, ${countOf("waiting")}, ${countOf("quarantined")},
      (select count(*)::integer from (select from wait where id > 0 order by id limit ${countedMax + 1}) as w) as waits,
      (
        select count(*)::integer from (
          select from wait where workspace = $1 and approval is not null and outcome is null
          order by began_at
          limit ${countedMax + 1}
        ) as a
      ) as approvals`,
    values: [workspace],
  });
  return rows[0]!;
}

/** A run as a block on the time axis. */
export interface RunBlock {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly generation: number;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly reason: Reason | undefined;
}

interface BlockColumns {
  id: string;
  pipeline: string;
  state: RunState;
  generation: number;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  reason: Reason | null;
}

function readBlock(row: BlockColumns): RunBlock {
  return {
    id: row.id,
    pipeline: row.pipeline,
    state: row.state,
    generation: row.generation,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    reason: row.reason ?? undefined,
  };
}

/** The newest live runs of a state. */
export async function newestLive(
  database: Database,
  workspace: number,
  { state, limit }: { readonly state: RunState; readonly limit: number },
): Promise<RunBlock[]> {
  const { rows } = await database.api.query<BlockColumns>({
    name: "newest-live",
    text: `select r.id, r.pipeline, r.state, r.generation, r.created_at, r.started_at, null::timestamptz as ended_at, r.reason
      from (
        select n.id from generate_series(0, 63) as s (shard)
        cross join lateral (
          select run.id from run where run.shard = s.shard::smallint and state = $2 order by run.id desc limit $3
        ) as n
        order by n.id desc
        limit $3
      ) as n
      cross join lateral (select * from run where run.workspace = $1 and run.id = n.id) as r
      order by r.id desc`,
    values: [workspace, state, limit],
  });
  return rows.map(readBlock);
}

const blockColumns = "id, pipeline, state, generation, created_at, started_at, ended_at, reason";

/** Runs from before the first stretch that are looked at for those that ended within. */
const earlierLookedMax = 500;

export interface EndedSample {
  readonly runs: readonly RunBlock[];
  /** There are others. */
  readonly isThinned: boolean;
}

export interface EndedAsk {
  /** They ended since then. */
  readonly since: number;
  /** Ids that rise: each two neighbours hold a stretch of time between them. */
  readonly bounds: readonly string[];
  /** All, up to so many; else so many of each stretch. */
  readonly most: number;
  readonly each: number;
}

/**
 * Ended runs: those of earlier that ended since, and all that were made since; or some of each stretch, where there are too many,
 * so that a busy day is drawn as evenly as a calm one.
 */
export async function sampleEnded(
  database: Database,
  workspace: number,
  ask: EndedAsk,
): Promise<EndedSample> {
  const { since, bounds, most } = ask;
  const [newest, earlier] = await Promise.all([
    database.api.query<BlockColumns>({
      name: "newest-ended",
      text: `select ${blockColumns} from run_history
        where workspace = $1 and id >= $2 and ended_at >= $3
        order by id desc
        limit $4`,
      values: [workspace, bounds[0], toTimestamp(since), most + 1],
    }),
    database.api.query<BlockColumns>({
      name: "ended-of-earlier",
      // The whole day stands in the inner part: it leaves partitions out, and nearly no row that was looked at.
      text: `select ${blockColumns}
        from (
          select ${blockColumns} from run_history
          where workspace = $1 and id < $2 and ended_at >= date_trunc('day', $3::timestamptz, 'utc')
          order by id desc
          limit ${earlierLookedMax}
        ) as looked
        where ended_at >= $3
        order by id desc`,
      values: [workspace, bounds[0], toTimestamp(since)],
    }),
  ]);
  const isThinned = newest.rows.length > most;
  const within = isThinned ? await someOfEach(database, workspace, ask) : newest.rows;
  return { runs: [...within, ...earlier.rows].map(readBlock), isThinned };
}

async function someOfEach(
  database: Database,
  workspace: number,
  { since, bounds, each }: EndedAsk,
): Promise<BlockColumns[]> {
  const { rows } = await database.api.query<BlockColumns>({
    name: "some-ended-of-each",
    text: `select h.*
      from unnest($2::text[], $3::text[]) with ordinality as s (from_id, to_id, n)
      cross join lateral (
        select ${blockColumns} from run_history
        where workspace = $1 and id >= s.from_id and id < s.to_id and ended_at >= $4
        order by id desc
        limit $5
      ) as h
      order by s.n, h.id desc`,
    values: [workspace, bounds.slice(0, -1), bounds.slice(1), toTimestamp(since), each],
  });
  return rows;
}

/** Ended generations of these runs. */
export async function endedBlocks(
  database: Database,
  workspace: number,
  { ids, since }: { readonly ids: readonly string[]; readonly since: number },
): Promise<RunBlock[]> {
  if (ids.length === 0) return [];
  const { rows } = await database.api.query<BlockColumns>({
    name: "ended-blocks",
    text: `select ${blockColumns} from run_history
      where workspace = $1 and id = any ($2::text[]) and ended_at >= $3
      order by id desc`,
    values: [workspace, ids, toTimestamp(since)],
  });
  return rows.map(readBlock);
}

/** What became of runs that failed: whether they are live again, and how their newest ended generation ended. */
export interface RunFate {
  readonly isLive: boolean;
  readonly state: RunState | undefined;
  readonly reason: Reason | undefined;
}

export async function fatesOf(
  database: Database,
  workspace: number,
  { ids, since }: { readonly ids: readonly string[]; readonly since: number },
): Promise<Map<string, RunFate>> {
  if (ids.length === 0) return new Map();
  const { rows } = await database.api.query<{
    id: string;
    is_live: boolean;
    state: RunState | null;
    reason: Reason | null;
  }>({
    name: "fates-of-runs",
    text: `select w.id, exists (select from run as r where r.workspace = $1 and r.id = w.id) as is_live, h.state, h.reason
      from unnest($2::text[]) as w (id)
      left join lateral (
        select state, reason from run_history as h
        where h.workspace = $1 and h.id = w.id and h.ended_at >= $3
        order by generation desc
        limit 1
      ) as h on true`,
    values: [workspace, ids, toTimestamp(since)],
  });
  return new Map(
    rows.map((row) => [
      row.id,
      { isLive: row.is_live, state: row.state ?? undefined, reason: row.reason ?? undefined },
    ]),
  );
}

/** Task runs of an ended run that are looked at for one that failed. */
const failedLookedMax = 1_000;

/** What failed first in runs that failed, as far as it is found quickly. */
export async function firstErrors(
  database: Database,
  workspace: number,
  { ids, since }: { readonly ids: readonly string[]; readonly since: number },
): Promise<Map<string, { readonly node: string; readonly name: string; readonly message: string }>> {
  if (ids.length === 0) return new Map();
  const { rows } = await database.api.query<{ id: string; node: string; name: string; message: string }>({
    name: "first-errors",
    text: `select w.id, f.node, f.name, f.message
      from unnest($2::text[]) as w (id)
      cross join lateral (
        select node, error ->> 'name' as name, error ->> 'message' as message
        from (
          select node, state, error, ended_at from task_run_history as h
          where h.workspace = $1 and h.run_id = w.id and h.run_ended_at >= $3
          limit ${failedLookedMax}
        ) as looked
        where state = 'failed' and error is not null
        order by ended_at
        limit 1
      ) as f`,
    values: [workspace, ids, toTimestamp(since)],
  });
  return new Map(rows.map(({ id, ...error }) => [id, error]));
}

/** Newer runs of a pipeline that are looked at for one that succeeded. */
const newerLookedMax = 20;

/** Of pipelines with a run that failed: those of which a newer one succeeded. */
export async function recoveredPipelines(
  database: Database,
  workspace: number,
  {
    failed,
    since,
  }: {
    readonly failed: readonly { readonly pipeline: string; readonly run: string }[];
    readonly since: number;
  },
): Promise<Set<string>> {
  if (failed.length === 0) return new Set();
  const { rows } = await database.api.query<{ pipeline: string }>({
    name: "recovered-pipelines",
    text: `select w.pipeline
      from unnest($2::text[], $3::text[]) as w (pipeline, run)
      where exists (
        select from (
          select state from run_history as h
          where h.workspace = $1 and h.pipeline = w.pipeline and h.id > w.run and h.ended_at >= $4
          order by h.id desc
          limit ${newerLookedMax}
        ) as newer
        where newer.state = 'succeeded'
      )`,
    values: [
      workspace,
      failed.map(({ pipeline }) => pipeline),
      failed.map(({ run }) => run),
      toTimestamp(since),
    ],
  });
  return new Set(rows.map(({ pipeline }) => pipeline));
}

/** A wait as it is grouped by what is awaited. */
export interface SampledWait {
  readonly runId: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly condition: string | undefined;
  readonly approval: Json | undefined;
  readonly beganAt: number;
  readonly timeoutAt: number | undefined;
}

/** The waits that began first and last, `each` of them: with a million, nobody reads all. */
export async function sampleWaits(
  database: Database,
  workspace: number,
  each: number,
): Promise<SampledWait[]> {
  const { rows } = await database.api.query<{
    run_id: string;
    pipeline: string;
    node: string;
    item: string;
    condition: string | null;
    approval: Json;
    began_at: number;
    timeout_at: number | null;
  }>({
    name: "sample-waits",
    text: `select w.run_id, r.pipeline, w.node, w.item, w.condition, w.approval, w.began_at, w.timeout_at
      from wait as w
      cross join lateral (select run.pipeline from run where run.workspace = w.workspace and run.id = w.run_id) as r
      where w.id = any (array(
          (select id from wait where id > 0 order by id limit $2)
          union
          (select id from wait where id > 0 order by id desc limit $2)
        )) and w.workspace = $1 and w.outcome is null
      order by w.id`,
    values: [workspace, each],
  });
  return rows.map((row) => ({
    runId: row.run_id,
    pipeline: row.pipeline,
    node: row.node,
    item: row.item,
    condition: row.condition ?? undefined,
    approval: row.approval ?? undefined,
    beganAt: row.began_at,
    timeoutAt: row.timeout_at ?? undefined,
  }));
}

export interface OfferedTasks {
  readonly queue: string;
  /** At most `countedMax + 1`. */
  readonly count: number;
}

/** Task runs that other nodes offer, by queue. */
export async function countOffers(database: Database, exceptNode: number): Promise<OfferedTasks[]> {
  const { rows } = await database.api.query<OfferedTasks>({
    name: "count-offers",
    text: `with recursive queues (queue) as (
        (select queue from offer order by queue limit 1)
        union all
        select (select o.queue from offer as o where o.queue > q.queue order by o.queue limit 1)
        from queues as q
        where q.queue is not null
      )
      select q.queue, (
        select count(*)::integer from (
          select from offer as o where o.queue = q.queue and o.node_id <> $1 limit ${countedMax + 1}
        ) as counted
      ) as count
      from (select queue from queues where queue is not null limit 1000) as q`,
    values: [exceptNode],
  });
  return rows.filter(({ count }) => count > 0);
}

export interface PausedPipeline {
  readonly pipeline: string;
  readonly byOperator: boolean;
  /** Absent where it has no trigger. */
  readonly since: number | undefined;
}

/** Pipelines that are paused, by name. */
export async function listPaused(
  database: Database,
  workspace: number,
  limit: number,
): Promise<PausedPipeline[]> {
  const { rows } = await database.api.query<{
    pipeline: string;
    by_operator: boolean;
    since: number | null;
  }>({
    name: "list-paused",
    text: `select p.name as pipeline, p.paused_by_operator as by_operator, t.paused_at as since
      from pipeline as p
      left join trigger as t on t.workspace = p.workspace and t.pipeline = p.name and t.definition is not null
      where p.workspace = $1 and p.paused and not p.retired
      order by p.name
      limit $2`,
    values: [workspace, limit],
  });
  return rows.map((row) => ({
    pipeline: row.pipeline,
    byOperator: row.by_operator,
    since: row.since ?? undefined,
  }));
}

/** Conditions of triggers that listen to a calendar and are not paused. */
export async function listCalendarTriggers(
  database: Database,
  workspace: number,
  limit: number,
): Promise<{ readonly pipeline: string; readonly condition: Json }[]> {
  const { rows } = await database.api.query<{ pipeline: string; condition: Json }>({
    name: "list-calendar-triggers",
    text: `select pipeline, definition -> 'condition' as condition from trigger
      where workspace = $1 and definition is not null and paused_position is null
        and strpos(definition::text, '"schedule"') > 0
      order by pipeline
      limit $2`,
    values: [workspace, limit],
  });
  return rows;
}
