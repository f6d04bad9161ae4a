/** Builds a run's state: fresh, or from the rows that were committed for it. */
import { isNode, type Graph, type GraphRegion } from "../graph/graph.ts";
import type { AttemptError } from "../retry/policy.ts";
import { decideRule } from "./rule.ts";
import { createRootScope, factsOf, fillExpansion, forEachScope, scopeAt, tallyOf } from "./scope.ts";
import { endTaskRun, finishClosing, newStep, readItems, setState, type Step } from "./progress.ts";
import {
  isEndState,
  type CancelRequest,
  type Expansion,
  type Reason,
  type Run,
  type RunState,
  type StoredValue,
  type TaskRun,
  type TaskRunState,
} from "./state.ts";
import { readCodeRecord, type CodeRecord } from "./wait.ts";

export interface RunIdentity {
  readonly id: string;
  readonly generation: number;
  readonly depth: number;
  readonly params: StoredValue;
  readonly firing?: StoredValue | undefined;
  readonly createdAt: number;
}

/** A run that nobody has started. */
export function createRun(graph: Graph, identity: RunIdentity): Run {
  return {
    ...identity,
    firing: identity.firing,
    graph,
    root: createRootScope(graph),
    state: "queued",
    reason: undefined,
    startedAt: undefined,
    endedAt: undefined,
    output: undefined,
    cancel: undefined,
    counts: { queued: 0, running: 0, waiting: 0, retrying: 0 },
  };
}

/** A run's own row. */
export interface RunRecord extends RunIdentity {
  readonly state: RunState;
  readonly reason: Reason | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly output: StoredValue | undefined;
  readonly cancel: CancelRequest | undefined;
}

/** A task run's row. Task runs without a row are pending, or queued for the first time after all upstream had ended. */
export interface TaskRunRecord {
  readonly node: string;
  readonly item: string;
  readonly state: TaskRunState;
  readonly reason: Reason | undefined;
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  readonly losses: number;
  readonly worker: string | undefined;
  readonly output: StoredValue | undefined;
  readonly error: AttemptError | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly resumeAt: number | undefined;
  readonly childRunId: string | undefined;
  readonly revoked: boolean;
  readonly carried: boolean;
  /** What its function has recorded and waits for; absent where it has not. */
  readonly code?: CodeRecord | undefined;
}

/**
 * Rebuilds a run from its rows. Outputs of structural nodes, and the parameters where a list or the run's output is
 * read from them, must be loaded (`StoredValue.value`). Rows of nodes that the graph does not have (an older bundle's)
 * and of items that its lists do not have are left out. Follow with `decide(run, { kind: "resume" }, now)`.
 */
export function hydrateRun(graph: Graph, record: RunRecord, taskRuns: Iterable<TaskRunRecord>): Run {
  const run = createRun(graph, record);
  run.state = record.state;
  run.reason = record.reason;
  run.startedAt = record.startedAt;
  run.endedAt = record.endedAt;
  run.output = record.output;
  run.cancel = record.cancel && { ...record.cancel };
  run.root.active = record.state !== "queued";
  const step = newStep(run, 0, true);
  const rows: Rows = { byName: new Map(), expandedBelow: new Map() };
  for (const row of taskRuns) {
    rows.byName.set(rowName(row.node, row.item), row);
    if (row.item !== "") noteExpanded(rows, graph, row);
  }
  for (const vertex of graph.order) {
    if (isNode(vertex))
      forEachScope(vertex.region, run.root, (scope) => applyRow(step, scope.taskRuns[vertex.slot]!, rows));
    else
      forEachScope(vertex.parent, run.root, (scope) =>
        rebuildExpansion(step, scope.expansions[vertex.slot]!, rows),
      );
  }
  return run;
}

interface Rows {
  readonly byName: Map<string, TaskRunRecord>;
  /** Items' paths that have rows, by region: such regions had been expanded. */
  readonly expandedBelow: Map<GraphRegion, Set<string>>;
}

function rowName(node: string, item: string): string {
  return `${node}\n${item}`;
}

function noteExpanded(rows: Rows, graph: Graph, row: TaskRunRecord): void {
  const indexes = row.item.split(".");
  let region = graph.byId.get(row.node)?.region;
  while (region && region.depth > indexes.length) region = region.parent;
  for (; region; region = region.parent) {
    const known = rows.expandedBelow.get(region) ?? new Set<string>();
    known.add(indexes.slice(0, region.depth - 1).join("."));
    rows.expandedBelow.set(region, known);
  }
}

function applyRow(step: Step, taskRun: TaskRun, rows: Rows): void {
  const row = rows.byName.get(rowName(taskRun.node.definition.id, taskRun.item));
  if (!row) return;
  copyRow(taskRun, row);
  if (isEndState(row.state))
    endTaskRun(step, taskRun, { state: row.state, ...(row.reason ? { reason: row.reason } : {}) });
  else {
    setState(step, taskRun, row.state);
    taskRun.reason = row.reason;
  }
}

function copyRow(taskRun: TaskRun, row: TaskRunRecord): void {
  taskRun.generation = row.generation;
  taskRun.attempt = row.attempt;
  taskRun.dispatch = row.dispatch;
  taskRun.losses = row.losses;
  taskRun.worker = row.worker;
  taskRun.output = row.output;
  taskRun.error = row.error;
  taskRun.startedAt = row.startedAt;
  taskRun.endedAt = row.endedAt;
  taskRun.resumeAt = row.resumeAt;
  taskRun.childRunId = row.childRunId;
  taskRun.revoked = row.revoked;
  taskRun.carried = row.carried;
  // What has ended waits for nothing: its row says so, and the one of its code is left as it was.
  taskRun.code = row.code && !isEndState(row.state) ? readCodeRecord(row.code) : undefined;
}

/**
 * An expansion that was closed has rows for all its placeholders, one that was expanded has rows of items or is found
 * due again. Which items are under way need not be known: they are the first open ones (`activateItems`).
 */
function rebuildExpansion(step: Step, expansion: Expansion, rows: Rows): void {
  const closing = expansion.placeholders.map((taskRun) =>
    rows.byName.get(rowName(taskRun.node.definition.id, taskRun.item)),
  );
  if (closing.every((row) => row !== undefined && isEndState(row.state))) {
    expansion.placeholders.forEach((taskRun, at) => {
      const row = closing[at]!;
      copyRow(taskRun, row);
      setState(step, taskRun, row.state);
      taskRun.reason = row.reason;
    });
    finishClosing(step, expansion);
    return;
  }
  if (!rows.expandedBelow.get(expansion.region)?.has(expansion.scope.path)) return;
  let facts = 0;
  for (const source of expansion.region.sources)
    facts |= factsOf(tallyOf(source.node, scopeAt(expansion.scope, source.level)));
  if (decideRule("all_success", facts) !== "run") return;
  const items = readItems(step.run, expansion);
  if (!("code" in items) && items.length > 0) fillExpansion(expansion, items);
}
