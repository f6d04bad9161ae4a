/** How the wait of a `wait` node ends. */
import { unreachable } from "../assert.ts";
import { compileCondition } from "../condition/compile.ts";
import { describeSpan } from "../condition/describe.ts";
import type { ErrorCode } from "../error/catalogue.ts";
import { conditionOfWait } from "../event/run-news.ts";
import type { NodeDefinition } from "../graph/definition.ts";
import type { Json } from "../json.ts";
import { manualFiringValue } from "../trigger/firing.ts";
import { nobodyAnswered, type ApprovalAnswer } from "../wait/approval.ts";
import { finishAttempt } from "./attempt.ts";
import { endTaskRun, type Step } from "./progress.ts";
import type { StoredValue, TaskRun } from "./state.ts";
import type { OperationOutcome } from "./wait.ts";

export function endNodeWait(step: Step, taskRun: TaskRun, outcome: OperationOutcome): void {
  switch (outcome.kind) {
    case "value":
      return endAnswered(step, taskRun, outcome.value);
    case "error":
      return finishAttempt(step, taskRun, { kind: "failed", error: { ...outcome.error, next: "fatal" } }, 0);
    case "timeout":
      return endTimeout(step, taskRun);
    default:
      return unreachable(outcome);
  }
}

/** The answers of people are small, and their values at hand. */
function endAnswered(step: Step, taskRun: TaskRun, output: StoredValue): void {
  const { id, wait } = taskRun.node.definition;
  const { approved, by, at, note } = (output.value ?? {}) as unknown as ApprovalAnswer;
  if (!wait?.approval || approved || wait.approval.onReject === "continue")
    return finishAttempt(step, taskRun, { kind: "succeeded", output }, 0);
  const message = `"${id}" was rejected by ${by ?? "somebody"}${note === null ? "." : `: ${note}`}`;
  if (wait.approval.onReject === "skip") {
    const fields = { by, at, note };
    return endTaskRun(step, taskRun, { state: "skipped", reason: { code: rejected, message, fields } });
  }
  const error = { name: rejected, code: rejected, message, next: "fatal" as const };
  return finishAttempt(step, taskRun, { kind: "failed", error }, 0);
}

/** What those see that go on after a wait in vain: as of a run that no event started, lists without members. */
function nothingCame(definition: NodeDefinition): Json {
  const known = inVain.get(definition);
  if (known !== undefined) return known;
  const condition = conditionOfWait(definition);
  const seen = condition ? manualFiringValue(compileCondition(condition), null) : {};
  const value = { timedOut: true, ...(seen as { readonly [name: string]: Json }) };
  inVain.set(definition, value);
  return value;
}

/** Many waits of a node may end in vain at once. */
const inVain = new WeakMap<NodeDefinition, Json>();

const waitTimeout = "MILLRACE_WAIT_TIMEOUT" satisfies ErrorCode;

const rejected = "MILLRACE_APPROVAL_REJECTED" satisfies ErrorCode;

function endTimeout(step: Step, taskRun: TaskRun): void {
  const { id, wait } = taskRun.node.definition;
  const message = `"${id}" waited for ${describeSpan(wait?.timeoutMs ?? 0)} in vain.`;
  switch (wait?.onTimeout) {
    case "skip":
      return endTaskRun(step, taskRun, { state: "skipped", reason: { code: waitTimeout, message } });
    case "continue":
      return finishAttempt(
        step,
        taskRun,
        {
          kind: "succeeded",
          output: { value: wait.approval ? nobodyAnswered : nothingCame(taskRun.node.definition) },
        },
        0,
      );
    default: {
      const error = { name: waitTimeout, code: waitTimeout, message, next: "fatal" as const };
      return finishAttempt(step, taskRun, { kind: "failed", error }, 0);
    }
  }
}
