/** How one attempt of a task run ends: what its result means, and whether another one follows. R1, R2 (`machine.ts`). */
import { unreachable } from "../assert.ts";
import { decideRetry, type AttemptError } from "../retry/policy.ts";
import { chosen, endTaskRun, setState, startAttempt, type Step } from "./progress.ts";
import { findTaskRun } from "./scope.ts";
import type { AttemptOutcome, AttemptRecord, DispatchName, Reason, Run, TaskRun } from "./state.ts";
import { tellEmitted } from "./told-assets.ts";

/** The task run that a token names, if the token is current (R1). */
export function currentTaskRun(run: Run, token: DispatchName): TaskRun | undefined {
  const taskRun = lookup(run, token.node, token.item);
  if (!taskRun || taskRun.generation !== token.generation || taskRun.dispatch !== token.dispatch)
    return undefined;
  return isUnderWay(taskRun) ? taskRun : undefined;
}

/** A worker, or a called run, answers for its dispatch. */
export function isUnderWay({ state, node }: TaskRun): boolean {
  return state === "running" || (state === "waiting" && node.definition.kind === "call");
}

export function lookup(run: Run, node: string, item: string): TaskRun | undefined {
  const graphNode = run.graph.byId.get(node);
  return graphNode && findTaskRun(run.root, graphNode, item);
}

export function finishDispatch(
  step: Step,
  token: DispatchName,
  outcome: AttemptOutcome,
  random: number,
): void {
  const taskRun = currentTaskRun(step.run, token);
  if (!taskRun) return;
  step.effects.push({ kind: "released", taskRun, dispatch: taskRun.dispatch });
  taskRun.losses = 0;
  finishAttempt(step, taskRun, outcome, random);
}

export function finishAttempt(step: Step, taskRun: TaskRun, outcome: AttemptOutcome, random: number): void {
  const checked = checkBranch(taskRun, outcome);
  switch (checked.kind) {
    case "succeeded":
      taskRun.output = checked.output;
      taskRun.error = undefined;
      tellEmitted(step.effects, taskRun, checked);
      return endTaskRun(step, taskRun, { state: "succeeded" });
    case "skipped":
      return endTaskRun(step, taskRun, {
        state: "skipped",
        reason: { code: "skipped_by_task", message: checked.reason },
      });
    case "cancelled":
      return endRevoked(step, taskRun);
    case "failed":
      return failAttempt(step, taskRun, checked.error, random);
    default:
      return unreachable(checked);
  }
}

export const cancelledByUser: Reason = { code: "cancelled", message: "It was cancelled." };

function checkBranch(taskRun: TaskRun, outcome: AttemptOutcome): AttemptOutcome {
  const { choices, id, kind } = taskRun.node.definition;
  if (outcome.kind !== "succeeded" || kind !== "branch") return outcome;
  const wrong = chosen(outcome.output.value).find(
    (answer) => typeof answer !== "string" || !choices?.includes(answer),
  );
  if (wrong === undefined) return outcome;
  const message = `The branch "${id}" answered ${JSON.stringify(wrong)}; its choices are ${(choices ?? []).join(", ")}.`;
  const code = "MILLRACE_BRANCH_UNKNOWN_CHOICE";
  return { kind: "failed", error: { name: code, code, message, next: "fatal" } };
}

function failAttempt(step: Step, taskRun: TaskRun, error: AttemptError, random: number): void {
  taskRun.error = error;
  if (taskRun.revoked) {
    endRevoked(step, taskRun);
    return;
  }
  const decision = decideRetry(taskRun.node.definition.options.retry, taskRun.attempt, error, random);
  if (decision.kind === "stop" || (step.run.cancel && !taskRun.node.teardown)) {
    endTaskRun(step, taskRun, {
      state: "failed",
      reason: { code: error.code ?? "task_failed", message: error.message },
    });
    return;
  }
  recordAttempt(step, taskRun, "failed");
  if (decision.delayMs === 0) {
    startAttempt(step, taskRun);
    return;
  }
  setState(step, taskRun, "retrying");
  taskRun.resumeAt = step.now + decision.delayMs;
  taskRun.reason = { code: "retry", message: `Attempt ${taskRun.attempt} failed: ${error.message}` };
  step.touched.add(taskRun);
  step.effects.push({ kind: "retry_at", taskRun, at: taskRun.resumeAt });
}

export function recordAttempt(step: Step, taskRun: TaskRun, state: AttemptRecord["state"]): void {
  const { generation, attempt, dispatch, worker, error } = taskRun;
  const startedAt = taskRun.startedAt ?? step.now;
  step.effects.push({
    kind: "attempt",
    record: { taskRun, generation, attempt, dispatch, state, worker, error, startedAt, endedAt: step.now },
  });
}

/** What was told to stop, and did. */
export function endRevoked(step: Step, taskRun: TaskRun): void {
  const reason = step.run.cancel?.reason ?? taskRun.reason ?? cancelledByUser;
  endTaskRun(step, taskRun, { state: "cancelled", reason });
}
