/** Inputs, keys and names of task runs. */
import { createHash } from "node:crypto";
import { canonicalJson, type DispatchName, type Json, type StoredValue, type TaskRun } from "@millrace/core";
import { inlineBytesMax, inspectLabel, type CarriedValue, type DispatchToken } from "@millrace/protocol";
import type { LiveRun, RunParent } from "@millrace/store";

/** What a worker is told again that may not have heard of a cancel. */
export function revokedText({ reason }: TaskRun): string {
  return reason?.message ?? "It was cancelled.";
}

export function tokenOf(runId: string, taskRun: TaskRun, dispatch = taskRun.dispatch): DispatchToken {
  return {
    runId,
    node: taskRun.node.definition.id,
    item: taskRun.item,
    generation: taskRun.generation,
    dispatch,
  };
}

/** The token under which a call waits for the run that has this parent. */
export function parentToken(parent: RunParent): DispatchName {
  return { node: parent.node, item: parent.item, generation: parent.generation, dispatch: parent.dispatch };
}

const firstItem = /^(?:0(?:\.0)*)?$/;

/** Whether the run's label asks for a debugger here; of a mapped node without an item it means the first one. */
export function isInspected(labels: LiveRun["labels"], taskRun: TaskRun): boolean {
  const wanted = labels[inspectLabel];
  if (wanted === undefined) return false;
  const { id } = taskRun.node.definition;
  return wanted === `${id}[${taskRun.item}]` || (wanted === id && firstItem.test(taskRun.item));
}

export function cacheKeyOf(run: LiveRun, task: string, version: string, input: Json): string {
  return createHash("sha256")
    .update(canonicalJson([run.project, task, version, input]))
    .digest("hex");
}

/** What a run without parameters has. */
export function isEmptyObject(value: Json | undefined): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}

/** Whether a value's JSON text is surely or probably longer than what travels inline. Stops counting there. */
export function isLargeValue(value: Json): boolean {
  let left = inlineBytesMax;
  const count = (part: Json): void => {
    if (left < 0) return;
    if (typeof part === "string") left -= part.length + 2;
    else if (part === null || typeof part !== "object") left -= 8;
    else if (Array.isArray(part)) for (const entry of part as readonly Json[]) count(entry);
    else {
      for (const [key, entry] of Object.entries(part)) {
        left -= key.length + 4;
        count(entry);
      }
    }
  };
  count(value);
  return left < 0;
}

export function carried(stored: StoredValue): CarriedValue {
  return stored.blob === undefined ? { value: stored.value } : { blob: stored.blob, bytes: stored.bytes };
}
