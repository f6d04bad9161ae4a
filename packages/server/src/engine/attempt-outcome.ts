/** What workers say of attempts, in the words of the run machine. */
import {
  type AttemptError,
  type AttemptOutcome as CoreOutcome,
  type OperationOutcome,
  type RunMessage,
  type StepRecord,
  type StoredValue,
  type WaitRequest as CoreWaitRequest,
  emittedOf,
} from "@millrace/core";
import type {
  AttemptOutcome,
  CarriedValue,
  DispatchToken,
  RecordedOutcome,
  StepRecord as CarriedRecord,
  Steps,
  WaitRequest,
} from "@millrace/protocol";
import { carried } from "./task-input.ts";

export function stored(value: CarriedValue): StoredValue {
  return "blob" in value ? { blob: value.blob, bytes: value.bytes } : { value: value.value };
}

/** A child that was killed from outside may be the task's doing: too much memory. Enough such ends set the run aside. */
export function notRunMessage(
  token: DispatchToken,
  outcome: Extract<AttemptOutcome, { kind: "infrastructure" | "returned" }>,
): Extract<RunMessage, { kind: "lost" | "returned" }> {
  if (outcome.kind === "returned") return { kind: "returned", token };
  const blame = outcome.error.code === "MILLRACE_ATTEMPT_CRASHED";
  return { kind: "lost", token, blame, error: outcome.error };
}

/** What a worker says of a dispatch that was under way. */
export function resultMessage(
  token: DispatchToken,
  outcome: AttemptOutcome,
  random: number,
): Extract<RunMessage, { kind: "lost" | "returned" | "suspended" | "result" }> {
  switch (outcome.kind) {
    case "infrastructure":
    case "returned":
      return notRunMessage(token, outcome);
    case "suspended":
      return { kind: "suspended", token, waits: outcome.waits.map(readWait) };
    default:
      return { kind: "result", token, outcome: coreOutcome(outcome), random };
  }
}

function readWait({ name, occurrence, op }: WaitRequest): CoreWaitRequest {
  return {
    name,
    occurrence,
    op: op.kind === "call" ? { ...op, params: stored(op.params) } : op,
  };
}

export function stepMessages({ token, steps }: Steps): Extract<RunMessage, { kind: "step" }>[] {
  return steps.map(({ name, occurrence, outcome, events = [] }) => ({
    kind: "step",
    token,
    step: { name, occurrence, outcome: readOutcome(outcome) },
    ...emittedOf(events),
  }));
}

function readOutcome(outcome: RecordedOutcome): OperationOutcome {
  return outcome.kind === "value" ? { kind: "value", value: stored(outcome.value) } : outcome;
}

/** A record as a worker gets it. */
export function carriedRecord({ seq, kind, name, occurrence, outcome }: StepRecord): CarriedRecord {
  return {
    seq,
    kind,
    name,
    occurrence,
    outcome: outcome.kind === "value" ? { kind: "value", value: carried(outcome.value) } : outcome,
  };
}

export function coreOutcome(
  outcome: Exclude<AttemptOutcome, { kind: "infrastructure" | "returned" | "suspended" }>,
): CoreOutcome {
  if (outcome.kind !== "succeeded") return outcome;
  const { events, assets } = emittedOf(outcome.events);
  return {
    kind: "succeeded",
    output: stored(outcome.output),
    ...(events.length > 0 ? { events } : {}),
    ...(assets.length > 0 ? { assets } : {}),
  };
}

export function lostError(message: string): AttemptError {
  const code = "MILLRACE_WORKER_LOST";
  return { name: code, code, message };
}
