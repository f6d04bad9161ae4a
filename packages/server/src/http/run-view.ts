/** What `GET /runs/:id` and its pages of nodes answer. */
import type { Reason, TaskRunState } from "@millrace/core";
import type { AttemptView, Page, RunDetail, TaskRunView } from "@millrace/protocol";
import { findAttempts, type AttemptRow, type TaskRunRow } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { attemptsMax, detailNodesMax } from "./limits.ts";
import { snapshotOf, withOutputs, type RunSnapshot } from "./run-snapshot.ts";
import { isoTime, outputMembers, summaryOf } from "./run-summary.ts";
import { waitReasons } from "./wait-reason.ts";
import { waitsOfRun, withWaits } from "./wait-view.ts";

export async function runDetail(
  context: ApiContext,
  id: string,
  generation: number | undefined,
): Promise<RunDetail> {
  return detailOf(context, await snapshotOf(context, id, generation));
}

export async function detailOf(context: ApiContext, snapshot: RunSnapshot): Promise<RunDetail> {
  const page = await nodePage(context, snapshot, { limit: detailNodesMax });
  const { run, graph } = snapshot;
  const { maxActiveRuns } = graph.definition;
  const waits =
    run.state === "queued" && run.reason === undefined && maxActiveRuns !== undefined
      ? { reason: runsAtMost(maxActiveRuns) }
      : {};
  const values = context.host.running?.values;
  const params =
    run.params.blob === undefined ? run.params.value : ((await values?.load(run.params.blob)) ?? null);
  return {
    run: {
      ...summaryOf(run),
      ...waits,
      params,
      ...outputMembers(run.state === "succeeded" ? run.output : undefined),
    },
    nodes: page.items,
    ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
  };
}

function runsAtMost(maxActiveRuns: number): Reason {
  return {
    code: "max_active_runs",
    message: `Its pipeline has at most ${maxActiveRuns === 1 ? "one run" : `${maxActiveRuns} runs`} under way at once (\`maxActiveRuns\`).`,
    fields: { maxActiveRuns },
  };
}

export interface NodeQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly node?: string | undefined;
  readonly state?: TaskRunState | undefined;
}

function isNodePlace(place: unknown): place is readonly [node: string, item: string] {
  return isPlace(["string", "string"], place);
}

/** Nodes in the graph's order, items by number. */
export async function nodePage(
  context: ApiContext,
  snapshot: RunSnapshot,
  query: NodeQuery,
): Promise<Page<TaskRunView>> {
  const after = readCursor(query.cursor, isNodePlace);
  const positions = new Map(snapshot.graph.nodes.map((node) => [node.definition.id, node.index]));
  const compare = (a: Place, b: Place): number =>
    (positions.get(a.node) ?? positions.size) - (positions.get(b.node) ?? positions.size) ||
    (a.node < b.node ? -1 : a.node > b.node ? 1 : compareItems(a.item, b.item));
  const wanted = snapshot.taskRuns
    .filter(
      (row) =>
        (query.node === undefined || row.node === query.node) &&
        (query.state === undefined || row.state === query.state) &&
        (!after || compare(row, { node: after[0], item: after[1] }) > 0),
    )
    .sort(compare);
  const rows = wanted.slice(0, query.limit);
  const last = rows.at(-1);
  return {
    items: await viewsOf(context, snapshot, rows),
    ...(last && wanted.length > rows.length ? { nextCursor: writeCursor([last.node, last.item]) } : {}),
  };
}

interface Place {
  readonly node: string;
  readonly item: string;
}

/** `""` before `"2"` before `"10"` before `"10.1"`. */
export function compareItems(a: string, b: string): number {
  if (a === b) return 0;
  const left = a === "" ? [] : a.split(".");
  const right = b === "" ? [] : b.split(".");
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = Number(left[at]) - Number(right[at]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

export async function viewsOf(
  context: ApiContext,
  snapshot: RunSnapshot,
  rows: readonly TaskRunRow[],
): Promise<TaskRunView[]> {
  const { run, since } = snapshot;
  const succeeded = rows.filter((row) => row.state === "succeeded");
  const missing = snapshot.ended
    ? succeeded
    : succeeded.filter((row) => row.carried && row.output === undefined);
  const full = missing.length === 0 ? rows : await withOutputs(context, run.id, rows, missing);
  const tried = full.filter((row) => (row.dispatch > 0 && !isFirstUnderWay(row)) || row.generation > 1);
  const past = await findAttempts(context.database, workspaceId, run.id, {
    since,
    generation: run.generation,
    names: tried,
    limit: attemptsMax,
  });
  const pastOf = Map.groupBy(past, nameOf);
  const earlierOf = Map.groupBy(snapshot.earlier, nameOf);
  const [waitReason, waits] = await Promise.all([
    waitReasons(context, snapshot.graph, full),
    waitsOfRun(context, run.id, snapshot.ended ? [] : full),
  ]);
  return full.map((row) => {
    const reason = waitReason(row);
    const own = pastOf.get(nameOf(row)) ?? [];
    const attempts = [
      ...own.map(pastAttempt),
      ...(earlierOf.get(nameOf(row)) ?? []).flatMap((earlier) => ownAttempt(earlier)),
      // A dispatch that suspended is told already.
      ...ownAttempt(row).filter((attempt) => !own.some((past) => isSameDispatch(past, attempt))),
    ];
    return withWaits(taskRunView(context, reason ? { ...row, reason } : row, attempts), waits);
  });
}

/** Nothing is recorded of it yet, so that nobody need look. */
function isFirstUnderWay(row: TaskRunRow): boolean {
  return row.state === "running" && row.dispatch === 1;
}

function nameOf(row: Place): string {
  return `${row.node}\n${row.item}`;
}

export function taskRunView(
  context: ApiContext,
  row: TaskRunRow,
  attempts: readonly AttemptView[] = ownAttempt(row),
): TaskRunView {
  const { runId, node, item, generation, dispatch } = row;
  const progress =
    row.state === "running" ? context.progress.get({ runId, node, item, generation, dispatch }) : undefined;
  return {
    id: node,
    item,
    state: row.state,
    ...(row.reason === undefined ? {} : { reason: row.reason }),
    generation,
    ...outputMembers(row.state === "succeeded" ? row.output : undefined),
    attempts: inOrder(attempts),
    ...(row.startedAt === undefined ? {} : { startedAt: isoTime(row.startedAt) }),
    ...(row.endedAt === undefined ? {} : { endedAt: isoTime(row.endedAt) }),
    ...(progress === undefined ? {} : { progress }),
    ...(row.childRunId === undefined ? {} : { childRunId: row.childRunId }),
  };
}

/** Each dispatch once: where both are there, the recorded one comes first and counts. */
function inOrder(attempts: readonly AttemptView[]): AttemptView[] {
  const byDispatch = new Map<string, AttemptView>();
  for (const attempt of attempts) {
    const name = `${attempt.generation}/${attempt.dispatch}`;
    if (!byDispatch.has(name)) byDispatch.set(name, attempt);
  }
  return [...byDispatch.values()].sort((a, b) => a.generation - b.generation || a.dispatch - b.dispatch);
}

function isSameDispatch(
  a: Pick<AttemptRow, "generation" | "dispatch">,
  b: Pick<AttemptView, "generation" | "dispatch">,
): boolean {
  return a.generation === b.generation && a.dispatch === b.dispatch;
}

function pastAttempt(row: AttemptRow): AttemptView {
  return {
    generation: row.generation,
    attempt: row.attempt,
    dispatch: row.dispatch,
    state: row.state,
    ...(row.worker === undefined ? {} : { worker: row.worker }),
    startedAt: isoTime(row.startedAt),
    endedAt: isoTime(row.endedAt),
    ...(row.error === undefined ? {} : { error: errorOf(row.error) }),
  };
}

/** The dispatch that the task run's own row tells of; `isSuspended`: its function waits. */
export function ownAttempt(row: TaskRunRow, isSuspended = false): AttemptView[] {
  const state = isSuspended ? "suspended" : attemptState(row.state);
  if (row.dispatch === 0 || row.startedAt === undefined || state === undefined) return [];
  return [
    {
      generation: row.generation,
      attempt: row.attempt,
      dispatch: row.dispatch,
      state,
      ...(row.worker === undefined ? {} : { worker: row.worker }),
      startedAt: isoTime(row.startedAt),
      ...(row.endedAt === undefined ? {} : { endedAt: isoTime(row.endedAt) }),
      ...(row.error === undefined || state === "succeeded" ? {} : { error: errorOf(row.error) }),
    },
  ];
}

function attemptState(state: TaskRunState): AttemptView["state"] | undefined {
  switch (state) {
    case "running":
    case "waiting":
      return "running";
    case "succeeded":
    case "failed":
    case "skipped":
    case "cancelled":
      return state;
    default:
      return undefined;
  }
}

function errorOf(error: NonNullable<TaskRunRow["error"]>): NonNullable<AttemptView["error"]> {
  const { name, message, stack, code, cause } = error;
  return {
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause }),
  };
}
