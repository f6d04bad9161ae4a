/** Shared limits (pools, concurrency keys, active runs of a pipeline) as people look at them: who holds them, who waits. */
import type { Database } from "../connect.ts";

export type LimitKind = "pool" | "key" | "pipeline";

/** Requests for one limit are counted up to this. */
export const requestsCountedMax = 1_000;

export interface LimitRow {
  readonly kind: LimitKind;
  readonly name: string;
  /** As those that wait for it knew it. */
  readonly slots: number;
  readonly used: number;
  /** At most `requestsCountedMax + 1`. */
  readonly waiting: number;
}

/** Limits that somebody waits for, by kind and name: each found by one descent of the index, whatever waits behind it. */
export async function listAwaitedLimits(
  database: Database,
  workspace: number,
  limit: number,
): Promise<LimitRow[]> {
  const { rows } = await database.api.query<LimitRow>({
    name: "list-awaited-limits",
    text: `with recursive names (kind, name) as (
        (select kind, name from limit_request where workspace = $1 order by kind, name limit 1)
        union all
        select n.kind, n.name from names as b
        cross join lateral (
          select r.kind, r.name from limit_request as r
          where r.workspace = $1 and (r.kind, r.name) > (b.kind, b.name)
          order by r.kind, r.name
          limit 1
        ) as n
      )
      select n.kind, n.name,
        (
          select limit_slots from limit_request as r
          where r.workspace = $1 and r.kind = n.kind and r.name = n.name order by r.holder limit 1
        ) as slots,
        (
          select coalesce(sum(g.slots), 0)::integer from limit_grant as g
          where g.workspace = $1 and g.kind = n.kind and g.name = n.name
        ) as used,
        (
          select count(*)::integer from (
            select from limit_request as r
            where r.workspace = $1 and r.kind = n.kind and r.name = n.name
            order by r.holder limit ${requestsCountedMax + 1}
          ) as counted
        ) as waiting
      from (select kind, name from names limit $2) as n`,
    values: [workspace, limit],
  });
  return rows;
}

/** Who holds slots of a limit or waits for them: a task run, or a run. */
export interface LimitUseRow {
  readonly holder: string;
  readonly runId: string;
  /** Absent where the run is not live. */
  readonly pipeline: string | undefined;
  readonly slots: number;
}

/** Some of those that hold slots of a limit, and some of those that wait, in their turn. */
export async function findLimitUses(
  database: Database,
  workspace: number,
  ask: { readonly kind: LimitKind; readonly name: string; readonly limit: number },
): Promise<{ readonly held: readonly LimitUseRow[]; readonly waiting: readonly LimitUseRow[] }> {
  const values = [workspace, ask.kind, ask.name, ask.limit];
  const pipeline = `(select run.pipeline from run where run.workspace = $1 and run.id = u.run_id) as pipeline`;
  const [held, waiting] = await Promise.all([
    database.api.query<UseColumns>({
      name: "limit-holders",
      text: `select u.holder, u.run_id, u.slots, ${pipeline} from limit_grant as u
        where u.workspace = $1 and u.kind = $2 and u.name = $3
        order by u.holder
        limit $4`,
      values,
    }),
    database.api.query<UseColumns>({
      name: "limit-requests",
      text: `select u.holder, u.run_id, u.slots, ${pipeline}
        from (
          select * from (
            select * from limit_request
            where workspace = $1 and kind = $2 and name = $3
            order by holder
            limit ${requestsCountedMax}
          ) as looked
          order by rank, holder
          limit $4
        ) as u
        order by u.rank, u.holder`,
      values,
    }),
  ]);
  return { held: held.rows.map(readUse), waiting: waiting.rows.map(readUse) };
}

/** Some holders of each of these limits, in the order of the limits. */
export async function findLimitHolders(
  database: Database,
  workspace: number,
  ask: { readonly limits: readonly Pick<LimitRow, "kind" | "name">[]; readonly each: number },
): Promise<readonly (readonly LimitUseRow[])[]> {
  const { limits, each } = ask;
  if (limits.length === 0) return [];
  const { rows } = await database.api.query<UseColumns & { n: number }>({
    name: "holders-of-limits",
    text: `select l.n::integer as n, u.holder, u.run_id, u.slots,
        (select run.pipeline from run where run.workspace = $1 and run.id = u.run_id) as pipeline
      from unnest($2::text[], $3::text[]) with ordinality as l (kind, name, n)
      cross join lateral (
        select g.holder, g.run_id, g.slots from limit_grant as g
        where g.workspace = $1 and g.kind = l.kind and g.name = l.name
        order by g.holder
        limit $4
      ) as u
      order by l.n, u.holder`,
    values: [workspace, limits.map(({ kind }) => kind), limits.map(({ name }) => name), each],
  });
  return limits.map((_, at) => rows.filter(({ n }) => n === at + 1).map(readUse));
}

interface UseColumns {
  holder: string;
  run_id: string;
  slots: number;
  pipeline: string | null;
}

function readUse(row: UseColumns): LimitUseRow {
  return { holder: row.holder, runId: row.run_id, pipeline: row.pipeline ?? undefined, slots: row.slots };
}
