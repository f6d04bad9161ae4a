/**
 * The run machine: `decide(run, message, now)`. All that happens to a run happens here; see
 * `docs/design/run-life-cycle.md` for the page with every state, every edge and its cause.
 *
 * R1: a message about a dispatch that is not the task run's current one changes nothing.
 * R2: what was revoked and then fails counts as cancelled, and is not retried.
 * R3: an ended or quarantined run takes no message but a rerun, which makes a new generation.
 * R5: each wait of a task run ends once: what ends it later, or under a name that is not open, changes nothing.
 * R6: a function that suspends is dispatched again after a wait of it has ended that this dispatch was not told of.
 * R7: a success updates each asset that its node declares to write, unless the function, or a step of it, told what became
 *     of that asset.
 * R4: a lost dispatch is repeated without counting as an attempt; `lossesMax` in a row that took their worker along
 *     quarantine the run.
 */
import { assert, unreachable } from "../assert.ts";
import { lossesMax } from "../limits.ts";
import type { AttemptError } from "../retry/policy.ts";
import {
  cancelledByUser,
  currentTaskRun,
  endRevoked,
  finishAttempt,
  finishDispatch,
  isUnderWay,
  lookup,
  recordAttempt,
} from "./attempt.ts";
import { codeCallEnded, codeCallStarted, recordStep, suspend, waitEnded } from "./code-wait.ts";
import { callTooDeep } from "./judge.ts";
import {
  closeExpansion,
  endTaskRun,
  enterScope,
  newStep,
  queueTaskRun,
  setState,
  settle,
  startAttempt,
  type Step,
} from "./progress.ts";
import { taskRunsBelow } from "./scope.ts";
import {
  isEndState,
  isRunEnded,
  type AttemptOutcome,
  type CancelRequest,
  type Decision,
  type DispatchName,
  type Reason,
  type Run,
  type RunMessage,
  type Scope,
  type TaskRun,
} from "./state.ts";

/** Steps `run` by one message. The state that was handed in belongs to the machine afterwards. */
export function decide(run: Run, message: RunMessage, now: number): Decision {
  if (isRunEnded(run.state) || run.state === "quarantined") return { run, effects: [] };
  const step = newStep(run, now);
  handle(step, message);
  return { run, effects: settle(step) };
}

function handle(step: Step, message: RunMessage): void {
  switch (message.kind) {
    case "start":
      return start(step);
    case "resume":
      return resume(step);
    case "dispatch":
      return dispatch(step, message.taskRun, message.worker);
    case "cached":
      return finishQueued(step, message.taskRun, { kind: "succeeded", output: message.output });
    case "refuse":
      return refuse(step, message.taskRun, message.error);
    case "result":
      return finishDispatch(step, message.token, message.outcome, message.random);
    case "suspended":
      return suspend(step, message.token, message.waits);
    case "step":
      return recordStep(step, message);
    case "wait_ended":
      return waitEnded(step, message);
    case "lost":
      return lose(step, message);
    case "returned":
      return giveBack(step, message.token);
    case "retry_due":
      return retryDue(step, message);
    case "deadline":
      return cancelRun(step, "deadline", {
        code: "MILLRACE_RUN_DEADLINE",
        message: "The run did not end before its deadline.",
      });
    case "call_started":
      return message.wait
        ? codeCallStarted(step, message.token, message.wait, message.childRunId)
        : callStarted(step, message.token, message.childRunId);
    case "call_failed":
      return finishDispatch(step, message.token, { kind: "failed", error: message.error }, 0);
    case "child_ended":
      return message.wait ? codeCallEnded(step, message.wait, message) : childEnded(step, message);
    case "cancel":
      return cancelRun(step, message.by, message.reason, message.force);
    case "cancel_node":
      return cancelNode(step, message.node, message.item, message.reason);
    case "mark":
      return mark(step, message);
    case "quarantine":
      return quarantine(step, message.reason);
    default:
      return unreachable(message);
  }
}

function start(step: Step): void {
  const { run } = step;
  if (run.state !== "queued") return;
  run.state = "running";
  run.startedAt = step.now;
  step.runTouched = true;
  const { deadlineMs } = run.graph.definition;
  if (deadlineMs !== undefined) step.effects.push({ kind: "deadline_at", at: step.now + deadlineMs });
  enterScope(step, run.root);
}

/** After hydration: everything that the rows imply is put to work again. */
function resume(step: Step): void {
  const { run } = step;
  if (run.state === "queued") return;
  const { deadlineMs } = run.graph.definition;
  if (deadlineMs !== undefined && run.startedAt !== undefined) {
    step.effects.push({ kind: "deadline_at", at: run.startedAt + deadlineMs });
  }
  for (const taskRun of taskRunsBelow(run.root)) resumeTaskRun(step, taskRun);
  enterScope(step, run.root);
}

function resumeTaskRun(step: Step, taskRun: TaskRun): void {
  if (taskRun.state === "queued") step.effects.push({ kind: "ready", taskRun });
  else if (taskRun.state === "retrying")
    step.effects.push({ kind: "retry_at", taskRun, at: taskRun.resumeAt ?? step.now });
  else if (taskRun.state === "waiting") resumeWaiting(step, taskRun);
  for (const wait of taskRun.code?.open.values() ?? [])
    step.effects.push({ kind: "wait", taskRun, wait, isAgain: true });
  if (taskRun.revoked)
    sendRevoke(step, taskRun, taskRun.reason ?? cancelledByUser, step.run.cancel?.force ?? false);
}

function resumeWaiting(step: Step, taskRun: TaskRun): void {
  const { kind } = taskRun.node.definition;
  if (kind === "wait") step.effects.push({ kind, taskRun, wait: undefined, isAgain: true });
  else if (kind === "call" && taskRun.childRunId === undefined) step.effects.push({ kind, taskRun });
}

function dispatch(step: Step, taskRun: TaskRun, worker: string): void {
  assert(taskRun.state === "queued", "only a queued task run is dispatched");
  setState(step, taskRun, "running");
  taskRun.dispatch += 1;
  taskRun.worker = worker;
  taskRun.startedAt = step.now;
  taskRun.endedAt = undefined;
  taskRun.error = undefined;
  taskRun.revoked = false;
  step.touched.add(taskRun);
  step.effects.push({ kind: "send", taskRun });
}

/** What makes a task run impossible to prepare stays so: it is not retried. */
function refuse(step: Step, taskRun: TaskRun, error: AttemptError): void {
  finishQueued(step, taskRun, { kind: "failed", error: { ...error, next: "fatal" } });
}

function finishQueued(step: Step, taskRun: TaskRun, outcome: AttemptOutcome): void {
  if (taskRun.state !== "queued") return;
  taskRun.startedAt = step.now;
  finishAttempt(step, taskRun, outcome, 0);
  if (outcome.kind === "succeeded")
    taskRun.reason = { code: "cached", message: "The output was recorded earlier for the same inputs." };
}

function lose(step: Step, message: Extract<RunMessage, { kind: "lost" }>): void {
  const taskRun = currentTaskRun(step.run, message.token);
  if (taskRun?.state !== "running") return;
  step.effects.push({ kind: "released", taskRun, dispatch: taskRun.dispatch });
  taskRun.error = message.error;
  if (taskRun.revoked) {
    endRevoked(step, taskRun);
    return;
  }
  recordAttempt(step, taskRun, "lost");
  if (message.blame) taskRun.losses += 1;
  taskRun.worker = undefined;
  queueTaskRun(step, taskRun);
  if (taskRun.losses < lossesMax) return;
  const text = `"${taskRun.node.definition.id}" took its worker down ${taskRun.losses} times in a row: ${message.error.message}`;
  quarantine(step, {
    code: "MILLRACE_RUN_QUARANTINED",
    message: text,
    fields: { node: taskRun.node.definition.id, item: taskRun.item },
  });
}

function giveBack(step: Step, token: DispatchName): void {
  const taskRun = currentTaskRun(step.run, token);
  if (!taskRun) return;
  step.effects.push({ kind: "released", taskRun, dispatch: taskRun.dispatch });
  if (taskRun.revoked) {
    endRevoked(step, taskRun);
    return;
  }
  taskRun.worker = undefined;
  queueTaskRun(step, taskRun);
}

function retryDue(step: Step, message: Extract<RunMessage, { kind: "retry_due" }>): void {
  const taskRun = lookup(step.run, message.node, message.item);
  if (!taskRun || taskRun.state !== "retrying" || taskRun.generation !== message.generation) return;
  if (taskRun.resumeAt !== undefined && taskRun.resumeAt > step.now) {
    step.effects.push({ kind: "retry_at", taskRun, at: taskRun.resumeAt });
    return;
  }
  startAttempt(step, taskRun);
}

/** A child that was made for a call which nobody waits for any more is cancelled; nothing else changes (R1). */
function callStarted(step: Step, token: DispatchName, childRunId: string): void {
  const taskRun = currentTaskRun(step.run, token);
  if (!taskRun) {
    const left = lookup(step.run, token.node, token.item);
    if (left && left.childRunId !== childRunId)
      step.effects.push({ kind: "cancel_child", taskRun: left, childRunId, force: false });
    return;
  }
  if (taskRun.childRunId !== undefined) return;
  taskRun.childRunId = childRunId;
  step.touched.add(taskRun);
  if (taskRun.revoked)
    sendRevoke(step, taskRun, taskRun.reason ?? cancelledByUser, step.run.cancel?.force ?? false);
}

function childEnded(step: Step, message: Extract<RunMessage, { kind: "child_ended" }>): void {
  const { state, reason } = message;
  const call = currentTaskRun(step.run, message.token);
  if (!call) return;
  call.childRunId ??= message.childRunId;
  if (state === "succeeded") {
    return finishDispatch(step, message.token, { kind: "succeeded", output: message.output }, message.random);
  }
  if (reason?.code === callTooDeep) {
    // As it stands and without a retry at any level, which would multiply the runs: its caller is far above.
    const error = { name: callTooDeep, code: callTooDeep, message: reason.message, next: "fatal" } as const;
    return finishDispatch(step, message.token, { kind: "failed", error }, message.random);
  }
  const text = `The called run ${message.childRunId} ended ${state}${reason ? `: ${reason.message}` : "."}`;
  if (state === "cancelled") {
    if (!call.revoked) call.reason = { code: "child_cancelled", message: text };
    return finishDispatch(step, message.token, { kind: "cancelled" }, message.random);
  }
  finishDispatch(
    step,
    message.token,
    { kind: "failed", error: { name: "ChildRunFailed", message: text } },
    message.random,
  );
}

/**
 * The first request lets teardowns run; a second one of a person, or one that says so, cancels them, too. What a parent
 * or the deadline says twice is heard once, as such messages may be doubled.
 */
function cancelRun(step: Step, by: CancelRequest["by"], reason: Reason, forced = false): void {
  const { run } = step;
  if (run.state === "queued") {
    run.state = "cancelled";
    run.reason = reason;
    run.endedAt = step.now;
    step.runTouched = true;
    step.effects.push({ kind: "ended" });
    return;
  }
  if (run.cancel && by !== "user" && !forced) return;
  const force = run.cancel !== undefined || forced;
  run.cancel = { by: run.cancel?.by ?? by, reason: run.cancel?.reason ?? reason, force };
  step.runTouched = true;
  sweep(step, run.root, { reason: run.cancel.reason, force });
}

interface Sweep {
  readonly reason: Reason;
  readonly force: boolean;
}

/** Last items first: those held back by concurrency are over before an ending one could let them begin. */
function sweep(step: Step, scope: Scope, options: Sweep): void {
  const everything = options.force || !scope.active;
  for (const expansion of scope.expansions) {
    if (expansion.state === "pending")
      closeExpansion(step, expansion, { state: "cancelled", reason: options.reason });
    else for (const item of expansion.items.toReversed()) sweep(step, item, options);
  }
  for (const taskRun of scope.taskRuns) {
    if (everything || !taskRun.node.teardown) cancelTaskRun(step, taskRun, options);
  }
}

function cancelTaskRun(step: Step, taskRun: TaskRun, options: Sweep): void {
  switch (taskRun.state) {
    case "queued":
      step.effects.push({ kind: "unready", taskRun });
      return endTaskRun(step, taskRun, { state: "cancelled", reason: options.reason });
    case "pending":
    case "retrying":
      return endTaskRun(step, taskRun, { state: "cancelled", reason: options.reason });
    case "running":
      return revoke(step, taskRun, options);
    case "waiting":
      if (taskRun.node.definition.kind === "call") return revoke(step, taskRun, options);
      return endTaskRun(step, taskRun, { state: "cancelled", reason: options.reason });
    default:
      return undefined;
  }
}

function revoke(step: Step, taskRun: TaskRun, options: Sweep): void {
  if (taskRun.revoked && !options.force) return;
  taskRun.revoked = true;
  taskRun.reason = options.reason;
  step.touched.add(taskRun);
  sendRevoke(step, taskRun, options.reason, options.force);
}

/** A call whose child is not known yet is told to it when it is (`callStarted`). */
function sendRevoke(step: Step, taskRun: TaskRun, reason: Reason, force: boolean): void {
  const { childRunId, dispatch: number, worker } = taskRun;
  if (taskRun.state === "waiting") {
    if (childRunId !== undefined) step.effects.push({ kind: "cancel_child", taskRun, childRunId, force });
  } else if (taskRun.state === "running" && worker !== undefined) {
    step.effects.push({ kind: "revoke", taskRun, dispatch: number, worker, reason: reason.message });
  }
}

/** Without `item`: every instance of the node. */
function cancelNode(step: Step, node: string, item: string | undefined, reason: Reason): void {
  const options = { reason, force: false };
  for (const taskRun of taskRunsBelow(step.run.root)) {
    if (taskRun.node.definition.id !== node || (item !== undefined && taskRun.item !== item)) continue;
    if (isPlaceholder(taskRun)) continue;
    cancelTaskRun(step, taskRun, options);
  }
}

export function isPlaceholder(taskRun: TaskRun): boolean {
  return taskRun.scope.depth !== taskRun.node.depth;
}

/** A person's verdict on a task run that has not ended. */
function mark(step: Step, message: Extract<RunMessage, { kind: "mark" }>): void {
  const taskRun = lookup(step.run, message.node, message.item);
  if (!taskRun || isEndState(taskRun.state) || isPlaceholder(taskRun)) return;
  if (taskRun.state === "queued") step.effects.push({ kind: "unready", taskRun });
  if (isUnderWay(taskRun)) {
    revoke(step, taskRun, { reason: message.reason, force: false });
    step.effects.push({ kind: "released", taskRun, dispatch: taskRun.dispatch });
    recordAttempt(step, taskRun, "cancelled");
    taskRun.dispatch += 1;
  }
  if (message.state === "succeeded") taskRun.output = message.output;
  endTaskRun(step, taskRun, { state: message.state, reason: message.reason });
}

function quarantine(step: Step, reason: Reason): void {
  const { run } = step;
  for (const taskRun of taskRunsBelow(run.root)) {
    if (taskRun.state === "queued") step.effects.push({ kind: "unready", taskRun });
    else if (taskRun.state === "running") {
      revoke(step, taskRun, { reason, force: true });
      step.effects.push({ kind: "released", taskRun, dispatch: taskRun.dispatch });
    }
  }
  run.state = "quarantined";
  run.reason = reason;
  step.runTouched = true;
}
