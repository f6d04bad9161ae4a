import type { Database } from "../connect.ts";

export interface PoolRow {
  readonly name: string;
  readonly slots: number;
  readonly setByOperator: boolean;
  readonly used: number;
  readonly waiting: number;
}

/** Pools that operators set or tasks used, with what is granted and what waits. */
export async function listPools(database: Database, workspace: number): Promise<PoolRow[]> {
  const { rows } = await database.api.query<{
    name: string;
    slots: number;
    set_by_operator: boolean;
    used: number;
    waiting: number;
  }>({
    name: "list-pools",
    text: `select l.name, l.slots, l.set_by_operator, (
        select coalesce(sum(g.slots), 0)::integer from limit_grant as g
        where g.workspace = l.workspace and g.kind = l.kind and g.name = l.name
      ) as used, (
        select count(*)::integer from limit_request as r
        where r.workspace = l.workspace and r.kind = l.kind and r.name = l.name
      ) as waiting
      from shared_limit as l
      where l.workspace = $1 and l.kind = 'pool'
      order by l.name
      limit 10000`,
    values: [workspace],
  });
  return rows.map(({ set_by_operator: setByOperator, ...row }) => ({ ...row, setByOperator }));
}
