/** Approvals in the log: a task asks, a person answers. */
import { liveLane, type EventDraft } from "../event/event.ts";
import { ownSource } from "../event/own.ts";
import type { Json } from "../json.ts";
import type { Run, TaskRun } from "../run/state.ts";
import type { OpenWait, OperationName } from "../run/wait.ts";
import type { FiredEvent } from "../trigger/firing.ts";

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

/** What is asked for. */
export function approvalOf(wait: OpenWait | undefined): Json | undefined {
  if (wait?.op.kind !== "approval") return undefined;
  const { title, by, form } = wait.op;
  return { title: title ?? null, by: by ? [...by] : null, form: (form as Json | undefined) ?? null };
}

/** The entry of the log that asks. */
export function approvalRequest(run: Run, pipeline: string, taskRun: TaskRun, wait: OpenWait): EventDraft {
  const id = approvalId(run.id, taskRun, wait);
  const asked = { ...(approvalOf(wait) as object), run: run.id, pipeline };
  return ownApproval(`${id}/requested`, approvalRequested, id, {
    ...asked,
    node: taskRun.node.definition.id,
    item: taskRun.item,
  });
}

/** What a person answers. */
export interface ApprovalAnswer {
  readonly approved: boolean;
  readonly by: string;
  readonly form: Json;
}

/** The entry of the log that answers. An approval is answered once: its name makes a second answer another content. */
export function approvalAnswer(id: string, { approved, by, form }: ApprovalAnswer): EventDraft {
  return ownApproval(`${id}/answered`, approvalAnswered, id, { approved, by, form });
}

function ownApproval(id: string, type: string, subject: string, value: Json): EventDraft {
  return {
    lane: liveLane,
    source: ownSource,
    id,
    type,
    subject,
    time: undefined,
    data: { value },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: undefined,
  };
}
