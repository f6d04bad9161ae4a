/**
 * A run as it stands, from wherever it is: this server's memory, another's rows, or history.
 *
 * V1: what is read from memory is answered only after everything decided before it is committed.
 * V2: in generation g a node's item shows its newest row of a generation ≤ g; items that the generation's lists do not
 *     have are left out.
 */
import {
  compileGraph,
  decide,
  firingId,
  hydrateRun,
  MillraceError,
  taskRunsBelow,
  type Graph,
  type Run,
  type StoredValue,
} from "@millrace/core";
import {
  findFiringOfRun,
  findOutputs,
  findRunRows,
  type EndedRun,
  type FoundRunRows,
  type LiveRun,
  type TaskRunRow,
} from "@millrace/store";
import type { Engine } from "../engine/engine.ts";
import { workspaceId } from "../engine/workspace.ts";
import { newestRows, outputName } from "../engine/generation-rows.ts";
import { liveRowOf, taskRunRowOf, type RunEntry } from "../engine/run-entry.ts";
import { runIdTime } from "../engine/run-id.ts";
import type { ApiContext } from "./api-context.ts";

/** Ids are made with the node's estimate of database time, which is off by less than this. */
const idSlackMs = 60_000;

export interface RunSnapshot {
  readonly run: LiveRun & { readonly endedAt?: number; readonly output?: StoredValue | undefined };
  readonly graph: Graph;
  /** One per node and item, with pending ones; outputs of ended ones may be absent (`findOutputs`). */
  readonly taskRuns: readonly TaskRunRow[];
  /** Rows of earlier generations. */
  readonly earlier: readonly TaskRunRow[];
  /** Outputs are to be fetched. */
  readonly ended: boolean;
  /** No row of the run is older. */
  readonly since: number;
}

/** The time before which nothing of this run was written. Throws MILLRACE_RUN_UNKNOWN for what is no id. */
export function sinceOf(id: string): number {
  const time = runIdTime(id);
  if (time === undefined) throw unknownRun(id);
  return time - idSlackMs;
}

export function unknownRun(id: string): MillraceError {
  return new MillraceError("MILLRACE_RUN_UNKNOWN", {
    message: `There is no run ${JSON.stringify(id.slice(0, 100))}.`,
  });
}

/** The firings that wait for a slot have names of runs already. */
async function notBegun({ database }: ApiContext, id: string): Promise<MillraceError> {
  const firing = await findFiringOfRun(database, workspaceId, id);
  if (firing?.gate !== "waiting") return unknownRun(id);
  const { pipeline } = firing;
  return new MillraceError("MILLRACE_RUN_UNKNOWN", {
    message: `The run ${id} has not begun: its firing waits for a slot of the pipeline "${pipeline}".`,
    advice: `See what it waits for with \`millrace trigger explain ${pipeline}\`.`,
    fields: { pipeline, firing: firingId(firing) },
  });
}

export async function snapshotOf(
  context: ApiContext,
  id: string,
  generation: number | undefined,
): Promise<RunSnapshot> {
  const since = sinceOf(id);
  const entry = context.host.running?.entry(id);
  const wantsCurrent = generation === undefined || generation === entry?.identity.generation;
  if (entry && wantsCurrent) return fromMemory(context, entry, since);
  const found = await findRunRows(context.database, workspaceId, id, since);
  const newest = found.live ?? found.ended[0];
  if (!newest) throw await notBegun(context, id);
  if (found.live && (generation === undefined || generation === found.live.generation))
    return fromRows(context, found.live, found, since);
  const ended =
    generation === undefined
      ? found.ended[0]
      : found.ended.find((candidate) => candidate.generation === generation);
  if (!ended) {
    throw new MillraceError("MILLRACE_RUN_UNKNOWN", {
      message: `The run ${id} has no generation ${generation}: its newest is ${newest.generation}.`,
    });
  }
  return fromHistory(context, ended, found.endedTaskRuns, since);
}

async function fromMemory(context: ApiContext, entry: RunEntry, since: number): Promise<RunSnapshot> {
  const run = liveRowOf(entry);
  const taskRuns = Array.from(taskRunsBelow(entry.run.root), (taskRun) => taskRunRowOf(entry, taskRun));
  await context.host.run((engine) => engine.committed());
  const earlier =
    run.generation === 1
      ? []
      : (await findRunRows(context.database, workspaceId, run.id, since)).endedTaskRuns;
  return {
    run,
    graph: entry.run.graph,
    taskRuns,
    earlier: earlier.filter((row) => row.generation < run.generation),
    ended: false,
    since,
  };
}

/** Its rows and its graph give what is pending or queued, too. */
async function fromRows(
  context: ApiContext,
  run: LiveRun,
  found: FoundRunRows,
  since: number,
): Promise<RunSnapshot> {
  const { engine } = context.host;
  const graph = await graphOf(engine, run);
  const hydrated = await hydrate(engine, graph, run, found.liveTaskRuns);
  if (run.state === "running" || run.state === "waiting")
    decide(hydrated, { kind: "resume" }, run.startedAt ?? run.createdAt);
  const earlier = found.endedTaskRuns.filter((row) => row.generation < run.generation);
  return { run, graph, taskRuns: rowsOf(run, hydrated), earlier, ended: false, since };
}

async function fromHistory(
  context: ApiContext,
  run: EndedRun,
  rows: readonly TaskRunRow[],
  since: number,
): Promise<RunSnapshot> {
  const { engine } = context.host;
  const graph = await graphOf(engine, run);
  const newest = newestRows(rows, run.generation);
  const several = graph.regions.length > 0 && newest.some((row) => row.generation < run.generation);
  const taskRuns = several
    ? rowsOf(run, await hydrate(engine, graph, run, await withStructuralOutputs(context, graph, run, newest)))
    : newest;
  const shown = new Set(newest);
  const earlier = rows.filter((row) => row.generation <= run.generation && !shown.has(row));
  return { run, graph, taskRuns, earlier, ended: true, since };
}

/** The machine reads lists and the run's output from these itself. */
export async function withStructuralOutputs(
  context: ApiContext,
  graph: Graph,
  run: LiveRun,
  rows: readonly TaskRunRow[],
): Promise<TaskRunRow[]> {
  const names = rows.filter(
    (row) => row.state === "succeeded" && graph.byId.get(row.node)?.structural === true,
  );
  return withOutputs(context, run.id, rows, names);
}

/** `rows`, with the outputs of those in `wanted` from history. */
export async function withOutputs(
  context: ApiContext,
  runId: string,
  rows: readonly TaskRunRow[],
  wanted: readonly TaskRunRow[],
): Promise<TaskRunRow[]> {
  const since = sinceOf(runId);
  const found = await findOutputs(context.database, workspaceId, runId, { since, names: wanted });
  const outputs = new Map(found.map(({ name, output }) => [outputName(name), output]));
  return rows.map((row) => {
    const output = outputs.get(outputName(row));
    return output === undefined ? row : { ...row, output };
  });
}

export async function graphOf(engine: Engine, run: LiveRun): Promise<Graph> {
  const graph = await engine.definitions.graph(run.workspace, run.bundle, run.pipeline);
  if (graph) return graph;
  return compileGraph({ name: run.pipeline, tags: [], paused: false, nodes: [], regions: [] });
}

export async function hydrate(
  engine: Engine,
  graph: Graph,
  run: LiveRun & { readonly endedAt?: number; readonly output?: StoredValue | undefined },
  rows: readonly TaskRunRow[],
): Promise<Run> {
  const { values } = engine;
  const loaded = await Promise.all(
    rows.map(async (row) =>
      row.output?.blob !== undefined && graph.byId.get(row.node)?.structural
        ? { ...row, output: await values.loaded(row.output) }
        : row,
    ),
  );
  const record = {
    ...run,
    params: await values.loaded(run.params),
    endedAt: run.endedAt,
    output: run.output,
    cancel: run.cancel && { ...run.cancel },
  };
  return hydrateRun(graph, record, loaded);
}

function rowsOf(identity: LiveRun, run: Run): TaskRunRow[] {
  return Array.from(taskRunsBelow(run.root), (taskRun) => taskRunRowOf({ identity }, taskRun));
}
