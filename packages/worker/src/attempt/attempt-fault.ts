/** The worker's own words for how an attempt ended. */
import { errorCodeOf, type AttemptError, type ErrorCode } from "@millrace/core";
import type { AttemptOutcome } from "@millrace/protocol";
import type { ChildExit } from "../pool/child.ts";

/** Why an attempt is being stopped. */
export interface Stop {
  readonly kind: "timeout" | "cancel";
  readonly reason: string;
}

export function stopOutcome(stop: Stop): AttemptOutcome {
  if (stop.kind === "cancel") return { kind: "cancelled" };
  return { kind: "failed", error: ours("MILLRACE_ATTEMPT_TIMEOUT", stop.reason) };
}

/** Nobody here killed it: an operator did, or the system for lack of memory. The task is not to blame for one such end. */
export function killedFromOutside(exit: ChildExit, reason: string | undefined): boolean {
  return exit.signal === "SIGKILL" && !exit.outOfMemory && reason === undefined;
}

export function inspectRefused(worker: string): AttemptOutcome {
  const message = `The worker ${worker} lets nobody debug its tasks. Start it with \`--allow-inspect\`.`;
  return { kind: "failed", error: { ...ours("MILLRACE_INSPECT_REFUSED", message), next: "fatal" } };
}

export function ours(code: ErrorCode, message: string): AttemptError {
  return { name: code, message, code };
}

export function infrastructureError(error: unknown): AttemptError {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? { cause: error.cause.message } : {};
  const code = errorCodeOf(error);
  return { name: code ?? "Error", message, ...(code === undefined ? {} : { code }), ...cause };
}
