/** What the server is told of calls that are no attempts. */
import type { AttemptError } from "@millrace/core";
import type { Looked, Rehearsed } from "@millrace/protocol";
import type { AsideEnd } from "./aside.ts";
import { ours } from "./attempt-fault.ts";

export function answerOfRehearsal(end: AsideEnd): Omit<Rehearsed, "kind" | "number"> {
  return end.kind === "rehearsed" ? { asked: end.asked } : { error: errorOf(end) };
}

export function answerOfLook(end: AsideEnd): Omit<Looked, "kind" | "number"> {
  if (end.kind === "suspended")
    return { error: ours("MILLRACE_PROBE_FAILED", "A probe looks and returns; it can't wait.") };
  if (end.kind !== "succeeded") return { error: errorOf(end) };
  if ("value" in end.output) return { found: { value: end.output.value } };
  const message =
    "What a probe finds must be at most 16 KiB of JSON. Return a fingerprint, or the address of the rest.";
  return { error: ours("MILLRACE_OUTPUT_TOO_LARGE", message) };
}

function errorOf(end: AsideEnd): AttemptError {
  return end.kind === "failed" ? end.error : ours("MILLRACE_ATTEMPT_CRASHED", "The process gave no answer.");
}
