/** What led to runs and came of them. */
import type { Database } from "../connect.ts";

export interface EmittedNames {
  /** Sources under which something may stand, each with the beginning of its ids there, which ends with `/`. */
  readonly places: readonly { readonly source: string; readonly prefix: string }[];
  readonly limit: number;
}

/** Positions of the entries whose ids begin so, the first ones. */
export async function findEmitted(
  database: Database,
  workspace: number,
  { places, limit }: EmittedNames,
): Promise<number[]> {
  const { rows } = await database.api.query<{ position: number }>({
    name: "find-emitted",
    text: `select e.position
      from unnest($2::text[], $3::text[]) as p (source, prefix)
      cross join lateral (
        select i.position
        from event_identity as i
        where i.workspace = $1 and i.source = p.source
          and i.id >= p.prefix and i.id < left(p.prefix, -1) || '0'
        order by i.id
        limit $4
      ) as e
      order by e.position
      limit $4`,
    values: [workspace, places.map(({ source }) => source), places.map(({ prefix }) => prefix), limit],
  });
  return rows.map(({ position }) => position);
}

export interface EventFiring {
  /** Of the event. */
  readonly position: number;
  readonly pipeline: string;
  readonly runId: string | undefined;
  /** The run of the firing that it was merged into. */
  readonly intoRun: string | undefined;
  readonly gate: string | undefined;
  /** Why no run of its own could begin. */
  readonly reasonCode: string | undefined;
}

/** The firings that entries of the log are members of: the first ones of each. */
export async function findFiringsOfEvents(
  database: Database,
  workspace: number,
  { positions, each }: { readonly positions: readonly number[]; readonly each: number },
): Promise<EventFiring[]> {
  const { rows } = await database.api.query<{
    position: number;
    pipeline: string;
    run_id: string | null;
    into_run: string | null;
    gate: string | null;
    reason_code: string | null;
  }>({
    name: "find-firings-of-events",
    text: `select p.position, f.pipeline, f.run_id, f.into_run, f.gate, f.reason ->> 'code' as reason_code
      from unnest($2::bigint[]) as p (position)
      cross join lateral (
        select distinct on (f.pipeline, f.version, f.key, f.occurrence, f.revision)
          f.pipeline, f.run_id, f.into_run, f.gate, f.reason
        from (
          select e.run_id, e.ordinal from firing_member as e
          where e.workspace = $1 and e.position = p.position
          limit $3
        ) as e
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
      ) as f
      order by p.position, f.pipeline, f.run_id`,
    values: [workspace, positions, each],
  });
  return rows.map((row) => ({
    position: row.position,
    pipeline: row.pipeline,
    runId: row.run_id ?? undefined,
    intoRun: row.into_run ?? undefined,
    gate: row.gate ?? undefined,
    reasonCode: row.reason_code ?? undefined,
  }));
}
