/** Errors of steps and waits, as they are recorded and as the function sees them. */
import type { AttemptError } from "@millrace/core";
import { limits } from "../limits.ts";
import { describeThrown, nextSymbol, recordedSymbol } from "./attempt-error.ts";

/** What a step threw. Its texts are shorter than those of an attempt's error: it travels with each dispatch. */
export function errorToRecord(thrown: unknown, folder: string): AttemptError {
  const error = describeThrown(thrown, folder);
  const { stack, cause } = error;
  const code = codeOf(thrown);
  return {
    ...error,
    ...(code === undefined ? {} : { code }),
    message: cut(error.message),
    ...(stack === undefined ? {} : { stack: cut(stack) }),
    ...(cause === undefined ? {} : { cause: cut(cause) }),
  };
}

/** Such as `ENOENT`: functions look at it. */
function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" && thrown.code.length <= codeMax ? thrown.code : undefined;
}

const codeMax = 100;

/** The same for the function, whether it has just been thrown or comes from the record. */
export function errorFromRecord(error: AttemptError): Error {
  const made = new Error(error.message, error.cause === undefined ? undefined : { cause: error.cause });
  const hidden = (name: PropertyKey, value: unknown): void => {
    Object.defineProperty(made, name, { value, writable: true, configurable: true });
  };
  hidden("name", error.name);
  hidden("stack", error.stack ?? `${error.name}: ${error.message}`);
  hidden(recordedSymbol, error);
  if (error.code !== undefined) Object.assign(made, { code: error.code });
  const next = nextOf(error);
  if (next) hidden(nextSymbol, next);
  return made;
}

function nextOf(error: AttemptError): object | undefined {
  if (error.next === "fatal") return { kind: "fatal" };
  if (error.next === "retry_after") return { kind: "retry_after", delayMs: error.retryAfterMs ?? 0 };
  // `Skip` ends an attempt otherwise than by an error, so an error that is recorded knows it by its name alone.
  if (error.name === "Skip" && error.classes?.[0] === "Skip") return { kind: "skip", reason: error.message };
  return undefined;
}

function cut(text: string): string {
  const { recordedTextMax } = limits;
  return text.length <= recordedTextMax ? text : `${text.slice(0, recordedTextMax)}…`;
}
