/** The next generation of a run that has ended: what a rerun or a late mark keeps is the core's plan. */
import {
  hydrateRun,
  isEndState,
  isRunEnded,
  MillraceError,
  planMark,
  planRerun,
  taskRunsBelow,
  unknownItem,
  type LateMark,
  type Run,
  type TaskRun,
  type TaskRunRecord,
} from "@millrace/core";
import { unknown } from "./definitions.ts";

/** What runs again: what did not succeed, unless one of them says otherwise; and what hangs on it. */
export interface RerunOptions {
  /** Ids of nodes that run again although they succeeded. */
  readonly nodes?: readonly string[];
  readonly all?: true;
}

/** Throws MILLRACE_RUN_STATE_CONFLICT, MILLRACE_NODE_UNKNOWN. */
export function rerunOf(run: Run, { nodes = [], all }: RerunOptions): Run {
  if (!isRunEnded(run.state))
    throw conflict(run, `The run ${run.id} is ${run.state}: it can be rerun when it has ended.`);
  for (const node of nodes) requireNode(run, node);
  const kind = all ? "all" : nodes.length > 0 ? "nodes" : "failed";
  const rows = rowsOf(run);
  const kept = planRerun(run.graph, rows, { kind, nodes });
  if (kind === "failed" && rows.length > 0 && kept.length === rows.length)
    throw conflict(run, `Nothing of the run ${run.id} failed: there is nothing to run again.`, {
      advice: 'Rerun a node (`{ nodes: ["…"] }`), or the whole run (`{ all: true }`).',
    });
  return nextOf(run, kept);
}

/** Throws MILLRACE_NODE_UNKNOWN. */
export function markOf(run: Run, mark: LateMark): Run {
  requireNode(run, mark.node);
  return nextOf(run, planMark(run.graph, rowsOf(run), mark, run.generation + 1));
}

/** A node (and item) that has not ended. Throws MILLRACE_RUN_STATE_CONFLICT, MILLRACE_NODE_UNKNOWN. */
export function requireOpen(run: Run, node: string, item: string | undefined): void {
  requireNode(run, node);
  const instances = [...taskRunsBelow(run.root)].filter((taskRun) => taskRun.node.definition.id === node);
  const meant = item === undefined ? instances : instances.filter((taskRun) => taskRun.item === item);
  if (item !== undefined && meant.length === 0) throw unknownItem({ node, item }, instances);
  if (meant.some((taskRun) => !isEndState(taskRun.state))) return;
  throw conflict(run, `"${node}" has ended (${meant[0]?.state}) while its run goes on.`, {
    advice: "Wait for the run's end, then mark or rerun it.",
  });
}

export function requireLive(run: Run): void {
  if (isRunEnded(run.state))
    throw conflict(run, `The run ${run.id} has ended (${run.state}): it can't be cancelled.`);
}

function requireNode({ graph }: Run, node: string): void {
  if (graph.byId.has(node)) return;
  throw unknown("MILLRACE_NODE_UNKNOWN", "node", node, [...graph.byId.keys()]);
}

function conflict(
  { id, state }: Run,
  message: string,
  more: { readonly advice?: string } = {},
): MillraceError {
  return new MillraceError("MILLRACE_RUN_STATE_CONFLICT", { message, ...more, fields: { run: id, state } });
}

function nextOf(run: Run, kept: readonly TaskRunRecord[]): Run {
  const fresh = {
    state: "queued",
    reason: undefined,
    startedAt: undefined,
    endedAt: undefined,
    output: undefined,
    cancel: undefined,
  } as const;
  const { id, generation, depth, params, firing, createdAt, graph } = run;
  const record = { id, generation: generation + 1, depth, params, firing, createdAt, ...fresh };
  return hydrateRun(graph, record, kept);
}

function rowsOf({ root }: Run): TaskRunRecord[] {
  return [...taskRunsBelow(root)].map(rowOf);
}

function rowOf({ node, item, code: _code, scope: _scope, ...row }: TaskRun): TaskRunRecord {
  return { ...row, node: node.definition.id, item };
}
