/** Approvals in the log: a task asks, a person answers. */
import type { FiredEvent, Json, OperationName, TaskRun } from "@millrace/core";

export const approvalRequested = "millrace.approval.requested";
export const approvalAnswered = "millrace.approval.answered";

/** Names what is asked for: the subject of both events. */
export function approvalId(runId: string, taskRun: TaskRun, { name, occurrence }: OperationName): string {
  const { node, item, generation } = taskRun;
  const place = [runId, node.definition.id, ...(item === "" ? [] : [item])].join("/");
  return `${place}/g${generation}/${name}/${occurrence}`;
}

/** What the task sees of the answer. */
export function readAnswer(event: FiredEvent | undefined): Json {
  const { approved, by, form } = (event?.data ?? {}) as { readonly [name: string]: Json | undefined };
  return {
    approved: approved === true,
    by: by ?? null,
    at: event?.recordedAt ?? null,
    form: form ?? null,
  };
}
