/** What a run's tasks see of its firing. */
import {
  compileCondition,
  findPartition,
  manualFiringValue,
  type Graph,
  type StoredValue,
} from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { LiveRun } from "@millrace/store";

const manual = new WeakMap<Graph, StoredValue>();

/** A run that a person started, of a pipeline that has a trigger, sees operands without members, and its partition. */
export function firingOfRun(run: {
  readonly identity: LiveRun;
  readonly graph: Graph;
}): StoredValue | undefined {
  const { identity, graph } = run;
  const { trigger } = graph.definition;
  if (identity.firing || !trigger) return identity.firing;
  const text = identity.labels[partitionLabel];
  if (text !== undefined) {
    // After a rerun with other code it may be none any more: then its key is what is left.
    const partition = findPartition(trigger.condition, text) ?? { key: text };
    return { value: manualFiringValue(compileCondition(trigger.condition), null, partition) };
  }
  const known = manual.get(graph) ?? { value: manualFiringValue(compileCondition(trigger.condition), null) };
  manual.set(graph, known);
  return known;
}
