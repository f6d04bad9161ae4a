/** What a run's tasks see of its firing. */
import { compileCondition, manualFiringValue, type Graph, type StoredValue } from "@millrace/core";
import type { LiveRun } from "@millrace/store";

const manual = new WeakMap<Graph, StoredValue>();

/** A run that a person started, of a pipeline that has a trigger, sees operands without members. */
export function firingOfRun(run: {
  readonly identity: LiveRun;
  readonly graph: Graph;
}): StoredValue | undefined {
  const { identity, graph } = run;
  const { trigger } = graph.definition;
  if (identity.firing || !trigger) return identity.firing;
  const known = manual.get(graph) ?? { value: manualFiringValue(compileCondition(trigger.condition), null) };
  manual.set(graph, known);
  return known;
}
