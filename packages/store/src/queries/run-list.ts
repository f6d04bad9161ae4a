/**
 * Lists of runs, newest first or oldest first.
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
  /** How they were begun: by their trigger, by a run that called them, by a person or program. */
  readonly by: RunBeginning | undefined;
  readonly order: RunOrder;
  /** Ids from one to another, which is left out. */
  readonly fromId: string;
  readonly beforeId: string;
  readonly limit: number;
}

export const runBeginnings = ["trigger", "call", "person"] as const;
export type RunBeginning = (typeof runBeginnings)[number];
export const runOrders = ["newest", "oldest"] as const;
export type RunOrder = (typeof runOrders)[number];

export interface RunList {
  readonly runs: readonly (LiveRun | EndedRun)[];
  /** Runs beyond this one in the order were not looked at; absent: there are no more. */
  readonly after: string | undefined;
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
  const isAhead = (a: string, b: string): boolean => (filter.order === "newest" ? a > b : a < b);
  const bound = [live.bound, ended.bound]
    .filter((id) => id !== undefined)
    .toSorted((a, b) => (isAhead(a, b) ? -1 : 1))
    .at(0);
  const runs = [...live.runs, ...ended.runs]
    .filter(({ id }) => bound === undefined || !isAhead(bound, id))
    .toSorted((a, b) => (isAhead(a.id, b.id) ? -1 : 1));
  const page = runs.slice(0, filter.limit);
  return { runs: page, after: runs.length > filter.limit ? page.at(-1)?.id : bound };
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
  const { pipeline, state, label, by, order, fromId, beforeId, limit } = filter;
  if (part === undefined) return { runs: [], bound: undefined };
  const { rows } = await client.query<Row>({
    name: `list-runs ${order} ${part}${pipeline === undefined ? "" : " of a pipeline"}`,
    text: pageText(part, order, pipeline !== undefined),
    values: [
      workspace,
      beforeId,
      pipeline ?? null,
      state ?? null,
      label?.name ?? null,
      label?.value ?? null,
      limit + 1,
      part === "live in a state" ? bounds.lookedOfShardMax : lookedOf(bounds, filter),
      fromId,
      by ?? null,
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

/** Without a label and a beginning nearly every row is wanted: its generations before, and those that did not succeed, are few. */
function lookedOf({ lookedMax }: LookBounds, { label, by, limit }: RunFilter): number {
  return label === undefined && by === undefined
    ? Math.min(lookedMax, Math.ceil(1.2 * limit) + 50)
    : lookedMax;
}

/** `$8` rows are looked at, newest generations first; of those the first that are wanted are given, and the last id, if there may be more. */
function pageText(part: Part, order: RunOrder, isOfPipeline: boolean): string {
  const direction = order === "newest" ? "desc" : "asc";
  const pipeline = isOfPipeline ? "pipeline = $3" : "$3::text is null";
  const wanted = `($4::text is null or state = $4) and ($5::text is null or labels ->> $5 = $6)
    and ($10::text is null or $10 = case
      when parent is not null then 'call'
      when exists (select from firing as f where f.workspace = $1 and f.run_id = l.id) then 'trigger'
      else 'person'
    end)`;
  const isEnded = part === "ended" || part === "ended otherwise";
  const newest = isEnded
    ? `and not exists (select from run as r where r.workspace = l.workspace and r.id = l.id) and ${newestText(part)}`
    : "";
  const more = part === "ended otherwise" ? `, ${endedText}` : "";
  return `with looked as materialized (${lookedText(part, pipeline, direction)})${more}, bound as (${boundText(part, order)})
    select bound.bound, page.*
    from bound
    left join lateral (
      select * from looked as l
      where workspace = $1 and ${pipeline} and ${wanted} ${newest}
      order by id ${direction}
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

function lookedText(part: Part, pipeline: string, direction: "asc" | "desc"): string {
  const within = "id >= $9 and id < $2";
  switch (part) {
    case "live":
      return `select ${liveColumns} from run where workspace = $1 and ${within} and ${pipeline} order by id ${direction} limit $8`;
    case "live in a state":
      return `select r.* from shard as s cross join lateral (
          select ${liveColumns} from run where shard = s.shard and state = $4 and ${within} order by id ${direction} limit $8
        ) as r`;
    case "ended":
      return `select *, lag(id) over (order by id ${direction}, generation desc) is distinct from id as is_newest
        from (
          select ${endedRunColumns} from run_history
          where workspace = $1 and ${within} and ${pipeline}
          order by id ${direction}, generation desc
          limit $8
        ) as nearest`;
    case "ended otherwise":
      return `select ${endedRunColumns} from run_history
        where workspace = $1 and ${within} and state = $4 and state <> 'succeeded'
        order by id ${direction}, generation desc
        limit $8`;
    default:
      return unreachable(part);
  }
}

function boundText(part: Part, order: RunOrder): string {
  const [last, first] = order === "newest" ? ["min", "max"] : ["max", "min"];
  if (part !== "live in a state")
    return `select case when count(*) = $8 then ${last}(id) end as bound from looked`;
  // The shard that was left earliest.
  return `select ${first}(last) as bound
    from (select ${last}(id) as last from looked group by shard having count(*) = $8) as shards`;
}
