/** What workers say of attempts, in the words of the run machine. */
import {
  parseCloudEvent,
  requireForeign,
  type AttemptError,
  type AttemptOutcome as CoreOutcome,
  type CloudEvent,
  type EventDraft,
  type Json,
  type RunMessage,
  type StoredValue,
} from "@millrace/core";
import type { AttemptOutcome, CarriedValue, DispatchToken } from "@millrace/protocol";

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

export function coreOutcome(
  outcome: Exclude<AttemptOutcome, { kind: "infrastructure" | "returned" }>,
): CoreOutcome {
  if (outcome.kind === "suspended") {
    const code = "MILLRACE_INTERNAL";
    const message = "This server takes no waits of task code.";
    return { kind: "failed", error: { name: code, code, message, next: "fatal" } };
  }
  if (outcome.kind !== "succeeded") return outcome;
  const events = outcome.events?.flatMap(readEmitted);
  return { kind: "succeeded", output: stored(outcome.output), ...(events?.length ? { events } : {}) };
}

/** The worker has checked it; what is none all the same must not keep its attempt's result from being taken. */
function readEmitted(event: CloudEvent): EventDraft[] {
  try {
    return [requireForeign(parseCloudEvent(event as unknown as Json))];
  } catch {
    return [];
  }
}

export function lostError(message: string): AttemptError {
  const code = "MILLRACE_WORKER_LOST";
  return { name: code, code, message };
}
