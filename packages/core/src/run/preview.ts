/**
 * What a rerun or a mark would affect, before it is done: told from the very plan that would be carried out
 * (`planRerun`, `planMark`, `decide`).
 */
import { downstreamOf, type Graph } from "../graph/graph.ts";
import type { TaskRunRecord } from "./hydrate.ts";
import { decide } from "./machine.ts";
import { taskRunsBelow } from "./scope.ts";
import { isEndState, type Run, type RunMessage, type TaskRunState } from "./state.ts";

/** Task runs of one node. */
export interface AffectedNode {
  readonly node: string;
  readonly items: readonly string[];
  /** How many of them are in which state now. */
  readonly states: ReadonlyMap<TaskRunState, number>;
}

export interface ChangePreview {
  /** Starts afresh, or is decided again. */
  readonly again: readonly AffectedNode[];
  /** Keeps its state and its output. */
  readonly stays: readonly AffectedNode[];
  /** Nodes that have no task run yet and begin: those that the version has added, and items whose list is made again. */
  readonly added: readonly string[];
  /** Nodes that the version does not have any more. */
  readonly gone: readonly string[];
}

interface Named {
  readonly node: string;
  readonly item: string;
  readonly state: TaskRunState;
}

/** Of a plan: `kept` is what `planRerun` or `planMark` would keep of `rows`. */
export function previewPlan(
  graph: Graph,
  rows: readonly TaskRunRecord[],
  kept: readonly TaskRunRecord[],
): ChangePreview {
  const keptNames = new Set(kept.map(nameOf));
  const carried = new Set(kept.filter((row) => row.carried).map(nameOf));
  const inGraph = rows.filter(({ node }) => graph.byId.has(node));
  const known = new Set(rows.map(({ node }) => node));
  return {
    again: grouped(
      graph,
      inGraph.filter((row) => !keptNames.has(nameOf(row))),
    ),
    stays: grouped(
      graph,
      inGraph.filter((row) => carried.has(nameOf(row))),
    ),
    added: graph.nodes.map(({ definition: { id } }) => id).filter((id) => !known.has(id)),
    gone: [...known].filter((node) => !graph.byId.has(node)),
  };
}

/** Of a mark of a run that goes on: what it decides at once, and what is still to be decided below it. `run` is changed: give a copy. */
export function previewMark(
  run: Run,
  message: Extract<RunMessage, { kind: "mark" }>,
  now: number,
): ChangePreview {
  const named = (): Named[] =>
    Array.from(taskRunsBelow(run.root), ({ node, item, state }) => ({
      node: node.definition.id,
      item,
      state,
    }));
  const before = named();
  decide(run, message, now);
  const after = new Map(named().map((row) => [nameOf(row), row.state]));
  const start = run.graph.byId.get(message.node);
  const below = start ? downstreamOf([start]) : new Set();
  const isAgain = (row: Named): boolean => {
    if (row.node === message.node && row.item === message.item) return false;
    const state = after.get(nameOf(row));
    return state !== row.state || (!isEndState(row.state) && below.has(run.graph.byId.get(row.node)!));
  };
  const others = before.filter((row) => row.node !== message.node || row.item !== message.item);
  return {
    again: grouped(run.graph, others.filter(isAgain)),
    stays: grouped(
      run.graph,
      others.filter((row) => !isAgain(row)),
    ),
    added: [],
    gone: [],
  };
}

function nameOf({ node, item }: Pick<Named, "node" | "item">): string {
  return `${node}\n${item}`;
}

/** In the graph's order. */
function grouped(graph: Graph, rows: readonly Named[]): AffectedNode[] {
  const byNode = Map.groupBy(rows, ({ node }) => node);
  return [...byNode]
    .sort(([a], [b]) => graph.byId.get(a)!.index - graph.byId.get(b)!.index)
    .map(([node, own]) => {
      const states = new Map<TaskRunState, number>();
      for (const { state } of own) states.set(state, (states.get(state) ?? 0) + 1);
      return { node, items: own.map(({ item }) => item).filter((item) => item !== ""), states };
    });
}
