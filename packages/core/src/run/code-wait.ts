/** What functions of tasks record and wait for: steps, waits, calls. R5, R6 (`machine.ts`). */
import { currentTaskRun, endRevoked, lookup, recordAttempt } from "./attempt.ts";
import { endNodeWait } from "./node-wait.ts";
import { cancelCalled, queueTaskRun, setState, type Step } from "./progress.ts";
import type { DispatchName, RunMessage, TaskRun } from "./state.ts";
import { noteTold } from "./told-assets.ts";
import {
  newCodeState,
  operationKey,
  type OpenWait,
  type OperationName,
  type OperationOutcome,
  type StepRecord,
  type WaitRequest,
} from "./wait.ts";

/** What its function waits for from now on; what it asked for before and does not any more is let go. */
export function suspend(step: Step, token: DispatchName, waits: readonly WaitRequest[]): void {
  const taskRun = currentTaskRun(step.run, token);
  if (taskRun?.state !== "running") return;
  step.effects.push({ kind: "released", taskRun, dispatch: taskRun.dispatch });
  taskRun.losses = 0;
  if (taskRun.revoked) {
    endRevoked(step, taskRun);
    return;
  }
  recordAttempt(step, taskRun, "suspended");
  taskRun.worker = undefined;
  const code = (taskRun.code ??= newCodeState());
  code.ranMs += Math.max(0, step.now - (taskRun.startedAt ?? step.now));
  const asked = new Map(waits.map((wait) => [operationKey(wait), wait]));
  for (const [key, wait] of code.open) {
    if (asked.has(key)) continue;
    code.open.delete(key);
    letGo(step, taskRun, wait);
  }
  step.effects.push({ kind: "code", taskRun });
  if (code.wokenAt === taskRun.dispatch) {
    queueTaskRun(step, taskRun);
    return;
  }
  for (const [key, { name, occurrence, op }] of asked) {
    if (code.open.has(key)) continue;
    const wait = { name, occurrence, op };
    code.open.set(key, wait);
    step.effects.push({ kind: "wait", taskRun, wait, isAgain: false });
  }
  setState(step, taskRun, "waiting");
  step.touched.add(taskRun);
}

function letGo(step: Step, taskRun: TaskRun, wait: OpenWait): void {
  step.effects.push({ kind: "unwait", taskRun, wait });
  cancelCalled(step, taskRun, wait);
}

/** A step that is recorded already keeps its first outcome: the store sees to that. */
export function recordStep(step: Step, message: Extract<RunMessage, { kind: "step" }>): void {
  const taskRun = currentTaskRun(step.run, message.token);
  if (taskRun?.state !== "running") return;
  record(step, taskRun, { kind: "step", ...message.step });
  const { events, assets = [] } = message;
  if (events.length + assets.length === 0) return;
  step.effects.push({ kind: "emitted", taskRun, events, assets, writes: [] });
  if (noteTold(taskRun, assets)) step.effects.push({ kind: "code", taskRun });
}

function record(step: Step, taskRun: TaskRun, recorded: Omit<StepRecord, "seq">): void {
  const code = (taskRun.code ??= newCodeState());
  code.seq += 1;
  step.effects.push({ kind: "record", taskRun, record: { ...recorded, seq: code.seq } });
}

export function waitEnded(step: Step, message: Extract<RunMessage, { kind: "wait_ended" }>): void {
  const { node, item, name, occurrence, outcome, position } = message;
  const taskRun = lookup(step.run, node, item);
  if (!taskRun || taskRun.generation !== message.generation) return;
  if (taskRun.node.definition.kind === "wait") {
    if (taskRun.state === "waiting") endNodeWait(step, taskRun, outcome);
    return;
  }
  const { code } = taskRun;
  const wait = code?.open.get(operationKey(message));
  if (!code || !wait) return;
  code.open.delete(operationKey(message));
  step.effects.push({ kind: "unwait", taskRun, wait });
  if (position !== undefined) code.seen.set(name, position);
  record(step, taskRun, { kind: "wait", name, occurrence, outcome });
  code.wokenAt = taskRun.dispatch;
  step.effects.push({ kind: "code", taskRun });
  if (taskRun.state !== "waiting") return;
  queueTaskRun(step, taskRun);
  step.touched.add(taskRun);
}

/** A call in code, by its name: it may be told at any dispatch of the generation. */
function openCall(step: Step, token: DispatchName, name: OperationName): OpenWait | undefined {
  const taskRun = lookup(step.run, token.node, token.item);
  return taskRun?.generation === token.generation ? taskRun.code?.open.get(operationKey(name)) : undefined;
}

export function codeCallStarted(
  step: Step,
  token: DispatchName,
  name: OperationName,
  childRunId: string,
): void {
  const taskRun = lookup(step.run, token.node, token.item);
  if (!taskRun) return;
  const wait = openCall(step, token, name);
  if (!wait) step.effects.push({ kind: "cancel_child", taskRun, childRunId, force: false });
  if (!wait || wait.childRunId !== undefined) return;
  wait.childRunId = childRunId;
  step.effects.push({ kind: "code", taskRun });
}

export function codeCallEnded(
  step: Step,
  name: OperationName,
  { token, state, childRunId, output, reason }: Extract<RunMessage, { kind: "child_ended" }>,
): void {
  const message = `The called run ${childRunId} ended ${state}${reason ? `: ${reason.message}` : "."}`;
  const outcome: OperationOutcome =
    state === "succeeded"
      ? { kind: "value", value: output }
      : { kind: "error", error: { name: "ChildRunFailed", message } };
  const { node, item, generation } = token;
  waitEnded(step, { kind: "wait_ended", node, item, generation, ...name, outcome, position: undefined });
}
