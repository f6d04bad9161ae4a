/**
 * What people do to runs: cancel, rerun, mark.
 *
 * C1: a command that can't have an effect is refused, with the reason.
 * C2: a rerun or a late mark makes the next generation (`Generations`).
 */
import {
  isRunEnded,
  isEndState,
  MillraceError,
  taskRunsBelow,
  unknownItem,
  type Graph,
  type Reason,
} from "@millrace/core";
import type {
  CancelRequest,
  MarkRequest,
  RerunRequest,
  RunChangePreview,
  RunSummary,
} from "@millrace/protocol";
import { findRun, type LiveRun } from "@millrace/store";
import { requireNode } from "../engine/generations.ts";
import { workspaceId } from "../engine/workspace.ts";
import { liveRowOf } from "../engine/run-entry.ts";
import type { ApiContext } from "./api-context.ts";
import { planView, previewLiveMark } from "./run-preview.ts";
import { sinceOf, unknownRun } from "./run-snapshot.ts";
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
    await tell(context, live, { kind: "cancel", by: "user", reason });
    return { run: await currentSummary(context, id) };
  }
  await requireOpen(context, live, node, item);
  await tell(context, live, {
    kind: "cancel_node",
    node,
    ...(item === undefined ? {} : { item }),
    reason,
  });
  return { run: await currentSummary(context, id) };
}

export async function markRun(
  context: ApiContext,
  id: string,
  request: MarkRequest,
): Promise<RunAnswer | RunChangePreview> {
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
    const message = { kind: "mark", node, item, state, output, reason } as const;
    if (request.preview) return previewLiveMark(context, id, message);
    await tell(context, current, message);
    return { run: await currentSummary(context, id) };
  }
  const mark = { node, item, state, output: state === "succeeded" ? output : undefined, reason };
  if (request.preview) {
    const preview = await context.host.run((running) => running.generations.previewMark(id, mark));
    return { ...planView(id, preview), marked: { node, item } };
  }
  await context.host.run((running) => running.generations.mark(id, mark));
  return { run: await currentSummary(context, id) };
}

export async function rerunRun(
  context: ApiContext,
  id: string,
  request: RerunRequest,
): Promise<RunAnswer | RunChangePreview> {
  const { scope, nodes = [], sameBundle = false } = request;
  if ((scope === "nodes") !== nodes.length > 0) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"nodes" names at least one node with the scope "nodes", and goes with no other.`,
    });
  }
  await findCurrent(context, id);
  const wish = { kind: scope, nodes, sameBundle };
  if (request.preview)
    return planView(id, await context.host.run((engine) => engine.generations.previewRerun(id, wish)));
  await context.host.run((engine) => engine.generations.rerun(id, wish));
  return { run: await currentSummary(context, id) };
}

async function requireGraph(context: ApiContext, run: LiveRun): Promise<Graph> {
  const graph = await context.host.engine.definitions.graph(run.workspace, run.bundle, run.pipeline);
  if (graph) return graph;
  throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
    message: `The bundle ${run.bundle} that the run ${run.id} ran with is gone.`,
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
  requireNode(entry?.run.graph ?? (await requireGraph(context, run)), node);
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

async function tell(
  context: ApiContext,
  { id, generation }: LiveRun,
  message: Parameters<ApiContext["host"]["engine"]["tellRun"]>[1],
): Promise<void> {
  const told = await context.host.run((engine) => engine.tellRun({ runId: id, generation }, message));
  if (told) return;
  throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", { message: `The run ${id} has ended meanwhile.` });
}
