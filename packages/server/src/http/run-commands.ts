/**
 * What people do to runs: cancel, rerun, mark.
 *
 * C1: a command that can't have an effect is refused, with the reason.
 * C2: a rerun or a late mark makes the next generation from rows that are in history; a quarantined run's rows go there
 *     first.
 */
import {
  isRunEnded,
  isEndState,
  MillraceError,
  nearestName,
  planMark,
  planRerun,
  taskRunsBelow,
  unknownItem,
  type Graph,
  type Reason,
} from "@millrace/core";
import type { CancelRequest, MarkRequest, RerunRequest, RunSummary } from "@millrace/protocol";
import {
  endQuarantined,
  findRun,
  findRunRows,
  type EndedRun,
  type FoundRunRows,
  type LiveRun,
  type TaskRunRow,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import { liveRowOf } from "../engine/run-entry.ts";
import type { ApiContext } from "./api-context.ts";
import { newestRows, sinceOf, unknownRun, withOutputs } from "./run-snapshot.ts";
import { summaryOf } from "./run-summary.ts";

interface RunAnswer {
  readonly run: RunSummary;
}

export async function cancelRun(context: ApiContext, id: string, request: CancelRequest): Promise<RunAnswer> {
  const { node, item } = request;
  if (item !== undefined && node === undefined) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", { message: '"item" needs "node".' });
  }
  const live = await requireLive(context, id, "cancelled");
  const reason: Reason = { code: "cancelled", message: "Cancelled by a person." };
  if (node === undefined) {
    await tell(context, id, { kind: "cancel", by: "user", reason });
    return { run: await currentSummary(context, id) };
  }
  await requireOpen(context, live, node, item);
  await tell(context, id, {
    kind: "cancel_node",
    node,
    ...(item === undefined ? {} : { item }),
    reason,
  });
  return { run: await currentSummary(context, id) };
}

export async function markRun(context: ApiContext, id: string, request: MarkRequest): Promise<RunAnswer> {
  const { node, item = "", state } = request;
  if (request.output !== undefined && state !== "succeeded") {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"output" goes with the state "succeeded", not "${state}".`,
    });
  }
  const reason: Reason = { code: "marked", message: `Marked ${state} by a person.` };
  const { engine } = context.host;
  const output = await engine.values.loaded(await engine.values.store(request.output ?? null));
  const current = await findCurrent(context, id);
  if (!isRunEnded(current.state)) {
    requireNotQuarantined(current);
    await requireOpen(context, current, node, item);
    await tell(context, id, { kind: "mark", node, item, state, output, reason });
    return { run: await currentSummary(context, id) };
  }
  return nextGeneration(context, id, async (last, rows) => {
    const graph = await requireGraph(context, last, last.bundle);
    requireNode(graph, node);
    const mark = { node, item, state, output: state === "succeeded" ? output : undefined, reason };
    const kept = planMark(graph, rows, mark, last.generation + 1);
    return { graph, bundle: last.bundle, project: last.project, kept };
  });
}

export async function rerunRun(context: ApiContext, id: string, request: RerunRequest): Promise<RunAnswer> {
  const { scope, nodes = [], sameBundle = false } = request;
  if ((scope === "nodes") !== nodes.length > 0) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"nodes" names at least one node with the scope "nodes", and goes with no other.`,
    });
  }
  return nextGeneration(context, id, async (last, rows) => {
    const { graph, bundle, project } = sameBundle
      ? { graph: await requireGraph(context, last, last.bundle), bundle: last.bundle, project: last.project }
      : await newestVersion(context, last);
    if (scope === "nodes") for (const node of nodes) requireNode(graph, node);
    const kept = planRerun(graph, rows, { kind: scope, nodes });
    if (scope === "failed" && rows.length > 0 && kept.length === rows.length) {
      throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
        message: `Nothing of the run ${id} failed: there is nothing to run again.`,
        advice: "Rerun a node, or the whole run.",
      });
    }
    return { graph, bundle, project, kept };
  });
}

interface NextGeneration {
  readonly graph: Graph;
  readonly bundle: string;
  readonly project: string;
  readonly kept: readonly ReturnType<typeof planRerun>[number][];
}

/** Runs whose next generation is being made here: a second request for one is refused. */
const inMaking = new WeakMap<ApiContext, Set<string>>();

async function nextGeneration(
  context: ApiContext,
  id: string,
  plan: (last: EndedRun, rows: readonly TaskRunRow[]) => Promise<NextGeneration>,
): Promise<RunAnswer> {
  const making = inMaking.get(context) ?? new Set();
  inMaking.set(context, making);
  if (making.has(id)) {
    throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
      message: `The run ${id} is being rerun at this moment.`,
    });
  }
  making.add(id);
  try {
    return await makeNextGeneration(context, id, plan);
  } finally {
    making.delete(id);
  }
}

async function makeNextGeneration(
  context: ApiContext,
  id: string,
  plan: (last: EndedRun, rows: readonly TaskRunRow[]) => Promise<NextGeneration>,
): Promise<RunAnswer> {
  const { last, found } = await requireEnded(context, id);
  const rows = newestRows(found.endedTaskRuns, last.generation);
  const { graph, bundle, project, kept } = await plan(last, rows);
  const { engine } = context.host;
  const keptRows = kept.map((row) => ({ ...row, workspace: workspaceId, runId: id }));
  const succeeded = keptRows.filter((row) => row.state === "succeeded" && row.carried);
  const full = await withOutputs(context, id, keptRows, succeeded);
  const loaded = await Promise.all(
    full.map(async (row) =>
      row.output?.blob !== undefined && graph.byId.get(row.node)?.structural
        ? { ...row, output: await engine.values.loaded(row.output) }
        : row,
    ),
  );
  const identity: LiveRun = {
    workspace: last.workspace,
    id,
    lane: last.lane,
    shard: last.shard,
    pipeline: last.pipeline,
    project,
    bundle,
    generation: last.generation + 1,
    state: "running",
    reason: undefined,
    depth: last.depth,
    parent: undefined,
    labels: last.labels,
    params: await engine.values.loaded(last.params),
    cancel: undefined,
    createdAt: last.createdAt,
    startedAt: undefined,
    wakeAt: undefined,
  };
  await context.host.run((running) => running.rerun({ identity, graph, kept: loaded }));
  return { run: await currentSummary(context, id) };
}

async function requireEnded(
  context: ApiContext,
  id: string,
): Promise<{ readonly last: EndedRun; readonly found: FoundRunRows }> {
  const since = sinceOf(id);
  const current = await findCurrent(context, id);
  if (current.state === "quarantined") {
    const openReason: Reason = {
      code: "MILLRACE_RUN_QUARANTINED",
      message: "It was open when its run was quarantined.",
    };
    const now = context.host.engine.now();
    await endQuarantined(context.database, workspaceId, id, { now, openReason });
  } else if (!isRunEnded(current.state)) {
    throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
      message: `The run ${id} is ${current.state}: it can be rerun when it has ended.`,
      fields: { run: id, state: current.state },
    });
  }
  const found = await findRunRows(context.database, workspaceId, id, since);
  const last = found.ended[0];
  if (found.live || !last) {
    throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
      message: `The run ${id} has begun its next generation meanwhile.`,
    });
  }
  return { last, found };
}

async function newestVersion(
  context: ApiContext,
  last: LiveRun,
): Promise<{ readonly graph: Graph; readonly bundle: string; readonly project: string }> {
  const { definitions } = context.host.engine;
  const active = await definitions.active(workspaceId, last.pipeline);
  if (active) return { graph: definitions.graphOf(active), bundle: active.bundle, project: active.project };
  throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `The pipeline "${last.pipeline}" is not deployed any more.`,
    advice: "Rerun it with the bundle that it ran with (`--same-bundle`).",
  });
}

async function requireGraph(context: ApiContext, run: LiveRun, bundle: string): Promise<Graph> {
  const graph = await context.host.engine.definitions.graph(run.workspace, bundle, run.pipeline);
  if (graph) return graph;
  throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
    message: `The bundle ${bundle} that the run ${run.id} ran with is gone.`,
  });
}

/** The run's row as it stands: live, else its newest generation. */
export async function findCurrent(
  context: ApiContext,
  id: string,
): Promise<LiveRun & { readonly endedAt?: number }> {
  const entry = context.host.running?.entry(id);
  if (entry) {
    const row = liveRowOf(entry);
    await context.host.run((engine) => engine.committed());
    return row;
  }
  const found = await findRun(context.database, workspaceId, id, sinceOf(id));
  const run = found.live ?? found.ended[0];
  if (!run) throw unknownRun(id);
  return run;
}

async function currentSummary(context: ApiContext, id: string): Promise<RunSummary> {
  return summaryOf(await findCurrent(context, id));
}

async function requireLive(context: ApiContext, id: string, done: string): Promise<LiveRun> {
  const run = await findCurrent(context, id);
  requireNotQuarantined(run);
  if (!isRunEnded(run.state)) return run;
  throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
    message: `The run ${id} has ended (${run.state}): it can't be ${done}.`,
    fields: { run: id, state: run.state },
  });
}

function requireNotQuarantined(run: LiveRun): void {
  if (run.state !== "quarantined") return;
  throw new MillraceError("MILLRACE_RUN_QUARANTINED", {
    message: `The run ${run.id} is quarantined: ${run.reason?.message ?? ""}`,
    fields: { run: run.id },
  });
}

/** A node (and item) that is there and has not ended, as far as this server can see. */
async function requireOpen(
  context: ApiContext,
  run: LiveRun,
  node: string,
  item: string | undefined,
): Promise<void> {
  const entry = context.host.running?.entry(run.id);
  requireNode(entry?.run.graph ?? (await requireGraph(context, run, run.bundle)), node);
  if (!entry) return;
  const instances = [...taskRunsBelow(entry.run.root)].filter(
    (taskRun) => taskRun.node.definition.id === node,
  );
  const taskRuns = item === undefined ? instances : instances.filter((taskRun) => taskRun.item === item);
  if (item !== undefined && taskRuns.length === 0) throw unknownItem({ node, item }, instances);
  if (taskRuns.some((taskRun) => !isEndState(taskRun.state))) return;
  throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
    message: `"${node}" has ended (${taskRuns[0]?.state}) while its run goes on.`,
    advice: "Wait for the run's end, then mark or rerun it.",
  });
}

function requireNode(graph: Graph, node: string): void {
  if (graph.byId.has(node)) return;
  const near = nearestName(node, graph.byId.keys());
  throw new MillraceError("MILLRACE_NODE_UNKNOWN", {
    message: `The pipeline "${graph.definition.name}" has no node "${node}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: { nodes: [node] },
  });
}

async function tell(
  context: ApiContext,
  id: string,
  message: Parameters<ApiContext["host"]["engine"]["tellRun"]>[1],
): Promise<void> {
  const told = await context.host.run((engine) => engine.tellRun(id, message));
  if (told) return;
  throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", { message: `The run ${id} has ended meanwhile.` });
}
