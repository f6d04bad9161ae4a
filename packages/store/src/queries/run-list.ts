/**
 * Lists of runs, newest first.
 *
 * Each asks for a page, and looks at no more than `lookedMax` rows of history and of what is live for it, whatever it filters
 * by: a page may be short, or empty, and says where the next one begins. States have indexes of their own, so what is rare is
 * found at once.
 */
import { unreachable, type RunState } from "@millrace/core";
import type { PoolClient } from "pg";
import type { Database } from "../connect.ts";
import type { LiveRun } from "../engine/port.ts";
import { readLiveRun } from "../engine/rows.ts";
import { endedRunColumns, inSnapshot, readEndedRun, type EndedRun, type EndedRunColumns } from "./runs.ts";

export interface RunFilter {
  readonly pipeline: string | undefined;
  readonly state: RunState | undefined;
  readonly label: { readonly name: string; readonly value: string } | undefined;
  readonly beforeId: string;
  readonly limit: number;
}

export interface RunList {
  readonly runs: readonly (LiveRun | EndedRun)[];
  /** Runs with lower ids were not looked at; absent: there are no more. */
  readonly before: string | undefined;
}

export interface LookBounds {
  readonly lookedMax: number;
  /** Of each shard's rows in one state. */
  readonly lookedOfShardMax: number;
}

const usualBounds: LookBounds = { lookedMax: 5_000, lookedOfShardMax: 200 };

const liveColumns = `workspace, id, lane, shard, pipeline, project, bundle, generation, state, reason, depth, parent, labels, params,
  params_blob, null::json as output, null::text as output_blob, null::bigint as output_bytes, created_at, started_at,
  null::timestamptz as ended_at`;

interface Row extends Omit<EndedRunColumns, "ended_at"> {
  /** Rows below were not looked at. */
  readonly bound: string | null;
  readonly ended_at: number | null;
}

/** Each run once, in its newest generation. */
export async function listRuns(
  database: Database,
  workspace: number,
  filter: RunFilter,
  bounds: LookBounds = usualBounds,
): Promise<RunList> {
  const { live, ended } = await inSnapshot(database, async (client) => ({
    live: await readPage(client, { workspace, filter, bounds, part: livePart(filter.state) }),
    ended: await readPage(client, { workspace, filter, bounds, part: endedPart(filter.state) }),
  }));
  const bound = [live.bound, ended.bound]
    .filter((id) => id !== undefined)
    .toSorted()
    .at(-1);
  const runs = [...live.runs, ...ended.runs]
    .filter(({ id }) => bound === undefined || id >= bound)
    .toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const page = runs.slice(0, filter.limit);
  return { runs: page, before: runs.length > filter.limit ? page.at(-1)?.id : bound };
}

type Part = "live" | "live in a state" | "ended" | "ended otherwise";

function livePart(state: RunState | undefined): Part {
  return state === undefined ? "live" : "live in a state";
}

function endedPart(state: RunState | undefined): Part | undefined {
  if (state === undefined || state === "succeeded") return "ended";
  return state === "failed" || state === "cancelled" || state === "superseded"
    ? "ended otherwise"
    : undefined;
}

interface Found {
  readonly runs: readonly (LiveRun | EndedRun)[];
  readonly bound: string | undefined;
}

interface PageQuery {
  readonly workspace: number;
  readonly filter: RunFilter;
  readonly bounds: LookBounds;
  readonly part: Part | undefined;
}

async function readPage(client: PoolClient, { workspace, filter, bounds, part }: PageQuery): Promise<Found> {
  const { pipeline, state, label, beforeId, limit } = filter;
  if (part === undefined) return { runs: [], bound: undefined };
  const { rows } = await client.query<Row>({
    name: `list-runs ${part}${pipeline === undefined ? "" : " of a pipeline"}`,
    text: pageText(part, pipeline !== undefined),
    values: [
      workspace,
      beforeId,
      pipeline ?? null,
      state ?? null,
      label?.name ?? null,
      label?.value ?? null,
      limit + 1,
      part === "live in a state" ? bounds.lookedOfShardMax : lookedOf(bounds, filter),
    ],
  });
  const runs = rows.flatMap((row) => {
    if ((row.id as string | null) === null) return [];
    const { ended_at: endedAt } = row;
    return endedAt === null
      ? readLiveRun({ ...row, firing: null, cancel: null, wake_at: null })
      : readEndedRun({ ...row, ended_at: endedAt });
  });
  return { runs, bound: rows[0]?.bound ?? undefined };
}

/** Without a label nearly every row is wanted: its generations before, and those that did not succeed, are few. */
function lookedOf({ lookedMax }: LookBounds, { label, limit }: RunFilter): number {
  return label === undefined ? Math.min(lookedMax, 2 * limit + 50) : lookedMax;
}

/** `$8` rows are looked at, newest generations first; of those the newest that are wanted are given, and the lowest id, if there may be more. */
function pageText(part: Part, isOfPipeline: boolean): string {
  const pipeline = isOfPipeline ? "pipeline = $3" : "$3::text is null";
  const wanted = `($4::text is null or state = $4) and ($5::text is null or labels ->> $5 = $6)`;
  const isEnded = part === "ended" || part === "ended otherwise";
  const newest = isEnded
    ? `and not exists (select from run as r where r.workspace = l.workspace and r.id = l.id) and ${newestText(part)}`
    : "";
  const more = part === "ended otherwise" ? `, ${endedText}` : "";
  return `with looked as materialized (${lookedText(part, pipeline)})${more}, bound as (${boundText(part)})
    select bound.bound, page.*
    from bound
    left join lateral (
      select * from looked as l
      where workspace = $1 and ${pipeline} and ${wanted} ${newest}
      order by id desc
      limit $7
    ) as page on true`;
}

/**
 * Later generations of a run come before it where all states are looked at. Else they are looked up, all in one pass of each partition's
 * index: row by row that took 30 descents for each.
 */
function newestText(part: "ended" | "ended otherwise"): string {
  return part === "ended"
    ? "is_newest"
    : "not exists (select from ended as n where n.id = l.id and n.generation > l.generation)";
}

const endedText = `ended as materialized (
    select n.id, max(n.generation) as generation
    from run_history as n
    where n.workspace = $1 and n.id = any (array(select id from looked))
    group by n.id
  )`;

function lookedText(part: Part, pipeline: string): string {
  switch (part) {
    case "live":
      return `select ${liveColumns} from run where workspace = $1 and id < $2 and ${pipeline} order by id desc limit $8`;
    case "live in a state":
      return `select r.* from shard as s cross join lateral (
          select ${liveColumns} from run where shard = s.shard and state = $4 and id < $2 order by id desc limit $8
        ) as r`;
    case "ended":
      return `select *, lag(id) over (order by id desc, generation desc) is distinct from id as is_newest
        from (
          select ${endedRunColumns} from run_history
          where workspace = $1 and id < $2 and ${pipeline}
          order by id desc, generation desc
          limit $8
        ) as newest`;
    case "ended otherwise":
      return `select ${endedRunColumns} from run_history
        where workspace = $1 and id < $2 and state = $4 and state <> 'succeeded'
        order by id desc, generation desc
        limit $8`;
    default:
      return unreachable(part);
  }
}

function boundText(part: Part): string {
  if (part !== "live in a state")
    return "select case when count(*) = $8 then min(id) end as bound from looked";
  // The shard that was left earliest.
  return `select max(lowest) as bound
    from (select min(id) as lowest from looked group by shard having count(*) = $8) as shards`;
}
