import type { Database } from "../connect.ts";

/** What waits for a pool is counted up to this. */
export const poolWaitingMax = 1_001;

export interface PoolRow {
  readonly name: string;
  readonly slots: number;
  readonly setByOperator: boolean;
  readonly used: number;
  readonly waiting: number;
}

/** Pools that operators set, or that tasks hold or wait for, with what is granted and what waits. A configuration's numbers are not here. */
export async function listPools(database: Database, workspace: number): Promise<PoolRow[]> {
  const { rows } = await database.api.query<{
    name: string;
    slots: number;
    set_by_operator: boolean;
    used: number;
    waiting: number;
  }>({
    name: "list-pools",
    // Names that wait are found one after the other, and counted up to a bound: half a million may wait for one pool.
    text: `with recursive names (name) as (
        (select name from limit_request where workspace = $1 and kind = 'pool' order by name limit 1)
        union all
        select (
          select r.name from limit_request as r
          where r.workspace = $1 and r.kind = 'pool' and r.name > n.name
          order by r.name
          limit 1
        )
        from names as n
        where n.name is not null
      )
      select name, coalesce(l.slots, w.slots, u.used) as slots, coalesce(l.set_by_operator, false) as set_by_operator,
        coalesce(u.used, 0) as used, coalesce(w.waiting, 0) as waiting
      from (select name, slots, set_by_operator from shared_limit where workspace = $1 and kind = 'pool') as l
      full join (
        select name, sum(slots)::integer as used from limit_grant where workspace = $1 and kind = 'pool' group by name
      ) as u using (name)
      full join (
        select n.name, (
            select count(*)::integer from (
              select from limit_request as r
              where r.workspace = $1 and r.kind = 'pool' and r.name = n.name
              order by r.holder
              limit ${poolWaitingMax}
            ) as counted
          ) as waiting, (
            select r.limit_slots from limit_request as r
            where r.workspace = $1 and r.kind = 'pool' and r.name = n.name
            order by r.holder
            limit 1
          ) as slots
        from names as n
        where n.name is not null
      ) as w using (name)
      order by name
      limit 10000`,
    values: [workspace],
  });
  return rows.map(({ set_by_operator: setByOperator, ...row }) => ({ ...row, setByOperator }));
}

/** What a task run waits for, of a shared limit. */
export interface LimitRequestRow {
  readonly kind: string;
  readonly name: string;
  readonly holder: string;
  /** Of the limit, as the task run knew it, and how many of them are taken. */
  readonly slots: number;
  readonly used: number;
}

/** The shared limits for which task runs of a run wait. */
export async function findLimitRequests(
  database: Database,
  workspace: number,
  runId: string,
): Promise<LimitRequestRow[]> {
  const { rows } = await database.api.query<LimitRequestRow>({
    name: "find-limit-requests",
    text: `with own as (
        select kind, name, holder, limit_slots from limit_request where workspace = $1 and run_id = $2
      ), taken as (
        select kind, name, (
          select coalesce(sum(g.slots), 0)::integer from limit_grant as g
          where g.workspace = $1 and g.kind = l.kind and g.name = l.name
        ) as used
        from (select distinct kind, name from own) as l
      )
      select kind, name, holder, limit_slots as slots, used from own join taken using (kind, name)`,
    values: [workspace, runId],
  });
  return rows;
}
