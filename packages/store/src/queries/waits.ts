/** Waits, as people look at them. */
import type { CodeRecord, OpenWait } from "@millrace/core";
import type { Database } from "../connect.ts";
import type { StepRow, WaitRow } from "../engine/wait-port.ts";
import { readWait, waitColumnsOf, type WaitColumns } from "../engine/wait-statements.ts";
import { toTimestamp } from "../value-types.ts";

/** A wait with what its run is. */
export interface FoundWait extends WaitRow {
  readonly pipeline: string;
  readonly project: string;
}

type FoundWaitColumns = WaitColumns & { pipeline: string; project: string };

/** After which wait a page goes on: they are in the order in which they began. */
export interface WaitAfter {
  readonly beganAt: number;
  readonly id: number;
}

function readFoundWait(row: FoundWaitColumns): FoundWait {
  return { ...readWait(row), pipeline: row.pipeline, project: row.project };
}

/** Those that wait for a person and have not ended, the oldest first. */
export async function listApprovals(
  database: Database,
  workspace: number,
  page: {
    readonly pipeline: string | undefined;
    readonly after: WaitAfter | undefined;
    readonly limit: number;
  },
): Promise<FoundWait[]> {
  const { rows } = await database.api.query<FoundWaitColumns>({
    name: "list-approvals",
    text: `select ${waitColumnsOf("w")}, r.pipeline, r.project
      from wait as w
      join run as r on r.workspace = w.workspace and r.id = w.run_id
      where w.workspace = $1 and w.approval is not null and w.outcome is null
        and (w.began_at, w.id) > ($2, $3) and ($4::text is null or r.pipeline = $4)
      order by w.began_at, w.id
      limit $5`,
    values: [
      workspace,
      page.after === undefined ? "-infinity" : toTimestamp(page.after.beganAt),
      page.after?.id ?? -1,
      page.pipeline ?? null,
      page.limit,
    ],
  });
  return rows.map(readFoundWait);
}

/** What one run waits for, those that have ended and were not taken yet included. */
export async function findWaitsOfRun(
  database: Database,
  workspace: number,
  runId: string,
): Promise<FoundWait[]> {
  const { rows } = await database.api.query<FoundWaitColumns>({
    name: "find-waits-of-run",
    text: `select ${waitColumnsOf("w")}, r.pipeline, r.project
      from wait as w
      join run as r on r.workspace = w.workspace and r.id = w.run_id
      where w.workspace = $1 and w.run_id = $2
      order by w.began_at, w.id`,
    values: [workspace, runId],
  });
  return rows.map(readFoundWait);
}

/** Waits that are looked at for one page where only some are wanted: some hundred milliseconds. */
const lookedMax = 20_000;

export const waitKinds = ["event", "approval", "time"] as const;
export type WaitKind = (typeof waitKinds)[number];

export interface WaitFilter {
  readonly pipeline: string | undefined;
  readonly kind: WaitKind | undefined;
  /** Of events: those that ask for this one somewhere in their condition. */
  readonly type: string | undefined;
  readonly afterId: number;
  readonly limit: number;
}

export interface WaitPage {
  readonly waits: readonly FoundWait[];
  /** After which id there may be more; absent when these are the last. */
  readonly next: number | undefined;
}

/** Open waits by their ids. A filter looks at so many that a page may hold fewer than its limit, and others follow. */
export async function listWaits(
  database: Database,
  workspace: number,
  { pipeline, kind, type, afterId, limit }: WaitFilter,
): Promise<WaitPage> {
  const isFiltered = pipeline !== undefined || kind !== undefined || type !== undefined;
  const looked = isFiltered ? lookedMax : limit;
  const { rows } = await database.api.query<
    Partial<FoundWaitColumns> & { looked_to: number | null; looked: number }
  >({
    name: "list-waits",
    text: `with looked as materialized (
        select id from wait where workspace = $1 and id > $2 order by id limit $3
      )
      select l.looked_to, l.looked, f.*
      from (select max(id) as looked_to, count(*) as looked from looked) as l
      left join lateral (
        select ${waitColumnsOf("w")}, r.pipeline, r.project
        from wait as w
        join run as r on r.workspace = w.workspace and r.id = w.run_id
        where w.id in (select id from looked) and w.outcome is null
          and ($4::text is null or r.pipeline = $4)
          and ($5::text is null or $5 = case
            when w.approval is not null then 'approval'
            when w.condition is not null then 'event'
            else 'time'
          end)
          and ($6::text is null or strpos(w.condition, $6) > 0)
        order by w.id
        limit $7
      ) as f on true
      order by f.id`,
    values: [
      workspace,
      afterId,
      looked,
      pipeline ?? null,
      kind ?? null,
      type === undefined ? null : `"type":${JSON.stringify(type)}`,
      limit,
    ],
  });
  const waits = rows.flatMap((row) =>
    typeof row.id === "number" ? [readFoundWait(row as FoundWaitColumns)] : [],
  );
  const [first] = rows;
  const last = waits.at(-1);
  if (waits.length === limit && last) return { waits, next: last.id };
  return { waits, next: first && first.looked === looked ? (first.looked_to ?? undefined) : undefined };
}

/** What functions of a run wait for that has no row of its own: calls. */
export async function findCallsOfRun(
  database: Database,
  workspace: number,
  runId: string,
): Promise<{ readonly node: string; readonly item: string; readonly open: readonly OpenWait[] }[]> {
  const { rows } = await database.api.query<{ node: string; item: string; code: CodeRecord }>({
    name: "find-calls-of-run",
    text: `select node, item, code from task_code where workspace = $1 and run_id = $2 order by node, item`,
    values: [workspace, runId],
  });
  return rows.map(({ node, item, code }) => ({
    node,
    item,
    open: code.open.filter(({ op }) => op.kind === "call"),
  }));
}

/** After which record a page goes on. */
export type StepAfter = Pick<StepRow, "node" | "item" | "generation" | "seq">;

/** What a run's functions have recorded: by node and item, the oldest first. */
export async function listSteps(
  database: Database,
  workspace: number,
  page: {
    readonly runId: string;
    readonly node: string | undefined;
    readonly after: StepAfter | undefined;
    readonly limit: number;
  },
): Promise<StepRow[]> {
  const { rows } = await database.api.query<{
    node: string;
    item: string;
    generation: number;
    kind: StepRow["kind"];
    name: string;
    occurrence: number;
    seq: number;
    attempt: number;
    dispatch: number;
    outcome: StepRow["outcome"];
    recorded_at: number;
  }>({
    name: "list-steps",
    text: `select node, item, generation, kind, name, occurrence, seq, attempt, dispatch, outcome, recorded_at
      from step
      where workspace = $1 and run_id = $2 and ($3::text is null or node = $3)
        and (node, item, generation, seq) > ($4, $5, $6, $7)
      order by node, item, generation, seq
      limit $8`,
    values: [
      workspace,
      page.runId,
      page.node ?? null,
      page.after?.node ?? "",
      page.after?.item ?? "",
      page.after?.generation ?? 0,
      page.after?.seq ?? 0,
      page.limit,
    ],
  });
  return rows.map(({ recorded_at: recordedAt, ...row }) => ({
    ...row,
    workspace,
    runId: page.runId,
    recordedAt,
  }));
}

/** A wait that an entry of the log was one of those to end. */
export interface EndedWait {
  readonly runId: string;
  /** Absent where the run's history is gone. */
  readonly pipeline: string | undefined;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  /** The empty text and 1 for the wait of a `wait` node. */
  readonly name: string;
  readonly occurrence: number;
  readonly endedAt: number;
}

/** The first ones to end. */
export async function findWaitsOfEvent(
  database: Database,
  workspace: number,
  { position, limit }: { readonly position: number; readonly limit: number },
): Promise<EndedWait[]> {
  const { rows } = await database.api.query<{
    run_id: string;
    pipeline: string | null;
    node: string;
    item: string;
    generation: number;
    name: string;
    occurrence: number;
    ended_at: number;
  }>({
    name: "find-waits-of-event",
    text: `select m.run_id, m.node, m.item, m.generation, m.name, m.occurrence, m.ended_at,
        coalesce(
          (select r.pipeline from run as r where r.workspace = m.workspace and r.id = m.run_id),
          (select h.pipeline from run_history as h where h.workspace = m.workspace and h.id = m.run_id limit 1)
        ) as pipeline
      from (
        select * from wait_member
        where workspace = $1 and position = $2
        order by ended_at, run_id, node, item, generation, name, occurrence
        limit $3
      ) as m
      order by m.ended_at, m.run_id, m.node, m.item, m.generation, m.name, m.occurrence`,
    values: [workspace, position, limit],
  });
  return rows.map(({ run_id: runId, ended_at: endedAt, pipeline, ...row }) => ({
    ...row,
    runId,
    endedAt,
    pipeline: pipeline ?? undefined,
  }));
}
