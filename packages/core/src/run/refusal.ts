/** Why a task run can't be prepared, or a call can't begin. */
import { MillraceError } from "../error/millrace-error.ts";
import type { Json } from "../json.ts";
import { callDepthMax } from "../limits.ts";
import type { AttemptError } from "../retry/policy.ts";

export function concurrencyKeyError(name: string, key: Json): Error {
  const found = key === null ? "null" : typeof key;
  const error = new Error(`The concurrency key of "${name}" is ${found}, expected a string or a number.`);
  return Object.assign(error, {
    code: "MILLRACE_CONCURRENCY_KEY",
    name: "MILLRACE_CONCURRENCY_KEY",
    next: "fatal" as const,
  });
}

/** What preparing a task run threw, as its failure. */
export function preparingError(error: unknown): AttemptError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, code, next } = error as Error & { code?: unknown; next?: unknown };
  return {
    name,
    message,
    ...(typeof code === "string" ? { code } : {}),
    ...(next === "fatal" ? { next } : {}),
  };
}

/** Throws MILLRACE_CALL_DEPTH. `depth`: of the run that would be made. */
export function requireCallDepth(pipeline: string, depth: number): void {
  if (depth <= callDepthMax) return;
  const message = `"${pipeline}" would be called ${depth} levels deep; ${callDepthMax} are allowed.`;
  throw new MillraceError("MILLRACE_CALL_DEPTH", { message });
}

/** What beginning a call threw, as its failure. */
export function callError(error: unknown): AttemptError {
  if (error instanceof MillraceError)
    return { name: error.code, code: error.code, message: error.message, next: "fatal" };
  return { name: "CallError", message: error instanceof Error ? error.message : String(error) };
}
