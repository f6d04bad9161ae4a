/** Names of dispatches. */
import type { DispatchName, Run, TaskRun } from "@millrace/core";

/** Names one dispatch among all. */
export interface DispatchId extends DispatchName {
  readonly runId: string;
}

export function dispatchName(run: Run, taskRun: TaskRun, dispatch: number): DispatchId {
  return { runId: run.id, ...tokenOf(taskRun), dispatch };
}

export function namedToken({ node, item, generation, dispatch }: DispatchId): DispatchName {
  return { node, item, generation, dispatch };
}

export function tokenOf({ node, item, generation, dispatch }: TaskRun): DispatchName {
  return { node: node.definition.id, item, generation, dispatch };
}
