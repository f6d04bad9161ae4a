/** Whether a run that is under way can go on with another version of its pipeline. */
import type { Graph } from "../graph/graph.ts";
import { hydrateRun, type RunRecord, type TaskRunRecord } from "./hydrate.ts";
import { taskRunsBelow } from "./scope.ts";
import { isEndState } from "./state.ts";

/** Something that the run has and the other version has no place for. */
export interface MoveFault {
  readonly node: string;
  /** `""` outside fan-outs. */
  readonly item: string;
  /** A sentence without its full stop, after the node's name. */
  readonly text: string;
}

/**
 * What keeps a run from going on with `to`; nothing: it can. All that it has done and waits for must stand there under the same
 * name. Outputs of structural nodes of `to` must be at hand.
 */
export function findMoveFaults(
  from: Graph,
  to: Graph,
  { record, rows }: { readonly record: RunRecord; readonly rows: readonly TaskRunRecord[] },
): MoveFault[] {
  const faults = rows.flatMap((row) => faultsOf(from, to, row));
  if (faults.length > 0) return faults;
  const there = new Set<string>();
  for (const { node, item } of taskRunsBelow(hydrateRun(to, record, rows).root))
    there.add(`${node.definition.id}\n${item}`);
  return rows
    .filter(({ node, item }) => !there.has(`${node}\n${item}`))
    .map(({ node, item }) => ({ node, item, text: "has no such item: its list is another one" }));
}

function faultsOf(from: Graph, to: Graph, row: TaskRunRecord): MoveFault[] {
  const { node, item, state } = row;
  const before = from.byId.get(node);
  const after = to.byId.get(node);
  const fault = (text: string): MoveFault[] => [{ node, item, text }];
  if (!after) return fault(`is ${state}, and is not there`);
  if (before && regionsOf(before) !== regionsOf(after)) return fault("stands in another fan-out there");
  if (isEndState(state)) return [];
  if (before && kindOf(before) !== kindOf(after))
    return fault(`is ${state} as ${kindOf(before)}, and is ${kindOf(after)} there`);
  const { seq = 0, open = [] } = row.code ?? {};
  if (seq + open.length === 0) return [];
  return fault("has recorded steps or waits, which other code may not come to again");
}

type Node = NonNullable<ReturnType<Graph["byId"]["get"]>>;

function regionsOf({ region }: Node): string {
  const ids: string[] = [];
  for (let around = region; around; around = around.parent) ids.push(around.definition.id);
  return ids.join(" in ");
}

function kindOf({ definition }: Node): string {
  switch (definition.kind) {
    case "wait":
      return definition.wait?.approval ? "an approval" : "a wait";
    case "call":
      return `a call of "${definition.calls}"`;
    case "short_circuit":
      return "a short circuit";
    default:
      return `a ${definition.kind}`;
  }
}
