/** Turns what a task threw into the error that the engine keeps. */
import { inspect } from "node:util";
import { errorCodeOf, type AttemptError } from "@millrace/core";
import { limits } from "../limits.ts";

/** What a thrown value asks for: written by `Fatal`, `RetryAfter` and `Skip` of any copy of the SDK. */
export const nextSymbol: unique symbol = Symbol.for("millrace.next");
/** The error that a step or a wait recorded, on what the function sees of it. */
export const recordedSymbol: unique symbol = Symbol("millrace.recorded");
type NextRequest =
  | { readonly kind: "fatal" }
  | { readonly kind: "retry_after"; readonly delayMs: number }
  | { readonly kind: "skip"; readonly reason: string };

export function nextRequestOf(thrown: unknown): NextRequest | undefined {
  if (thrown === null || typeof thrown !== "object") return undefined;
  try {
    return (thrown as { readonly [nextSymbol]?: NextRequest })[nextSymbol];
  } catch {
    // A proxy or a getter that throws.
    return undefined;
  }
}

/** `folder` is where the bundle lies: it is cut from the stack, so that paths read as in the project. */
export function describeThrown(thrown: unknown, folder: string): AttemptError {
  try {
    const recorded = recordedOf(thrown);
    return recorded ?? describe(thrown, folder);
  } catch {
    // A getter or a proxy that throws while it is read.
    return { name: "Error", message: "the task threw a value that can't be read" };
  }
}

/** What a step threw is told as it was recorded: the function sees a likeness of it. */
function recordedOf(thrown: unknown): AttemptError | undefined {
  if (thrown === null || typeof thrown !== "object") return undefined;
  const recorded = (thrown as { readonly [recordedSymbol]?: AttemptError })[recordedSymbol];
  if (!recorded || errorCodeOf(recorded) !== undefined) return recorded;
  const { code: _foreign, ...error } = recorded;
  return error;
}

function describe(thrown: unknown, folder: string): AttemptError {
  const next = nextFields(thrown);
  if (!isErrorLike(thrown)) {
    return {
      name: "NonError",
      message: `the task threw ${show(thrown)}, which is not an Error: throw \`new Error(…)\`, which has a stack`,
      ...next,
    };
  }
  const code = errorCodeOf(thrown);
  const name = typeof thrown.name === "string" && thrown.name !== "" ? thrown.name : "Error";
  const message = String(thrown.message);
  const cause = thrown.cause ?? aggregated(thrown);
  return {
    name,
    message: message === "" ? "(without a message)" : cut(message),
    ...(typeof thrown.stack === "string" ? { stack: cut(cleanStack(thrown.stack, folder)) } : {}),
    ...(code === undefined ? {} : { code }),
    ...next,
    classes: classesOf(thrown, name),
    ...(cause === undefined ? {} : { cause: cut(describeCause(cause, folder)) }),
  };
}

function nextFields(thrown: unknown): Pick<AttemptError, "next" | "retryAfterMs"> {
  const next = nextRequestOf(thrown);
  if (next?.kind === "fatal") return { next: "fatal" };
  if (next?.kind === "retry_after")
    return { next: "retry_after", retryAfterMs: Math.max(0, next.delayMs || 0) };
  return {};
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message: unknown;
  readonly stack?: unknown;
  readonly cause?: unknown;
}

function isErrorLike(thrown: unknown): thrown is ErrorLike {
  if (thrown instanceof Error) return true;
  return thrown !== null && typeof thrown === "object" && "message" in thrown && "stack" in thrown;
}

function classesOf(error: object, name: string): string[] {
  const classes = [name];
  for (let at: unknown = Object.getPrototypeOf(error); at !== null && at !== Object.prototype;) {
    const { constructor } = at as { constructor?: { name?: string } };
    const className = constructor?.name;
    if (className !== undefined && className !== "" && !classes.includes(className)) classes.push(className);
    at = Object.getPrototypeOf(at);
  }
  return classes;
}

/** The first error of an AggregateError, such as all addresses of a host that refused. */
function aggregated(thrown: object): unknown {
  const errors: unknown = "errors" in thrown ? thrown.errors : undefined;
  return Array.isArray(errors) ? errors[0] : undefined;
}

const causeDepthMax = 8;

function describeCause(cause: unknown, folder: string): string {
  const parts: string[] = [];
  for (let at = cause, depth = 0; at !== undefined && depth < causeDepthMax; depth += 1) {
    if (!isErrorLike(at)) {
      parts.push(show(at));
      break;
    }
    parts.push(typeof at.stack === "string" ? cleanStack(at.stack, folder) : String(at.message));
    at = at.cause ?? aggregated(at);
  }
  return parts.join("\nCaused by: ");
}

/**
 * Frames of Millrace and of Node's inside say nothing about the task: they are left out, and so is what called the
 * runner, or called the task's own callbacks. Paths are relative to the project's root.
 */
export function cleanStack(stack: string, folder: string): string {
  const lines = stack.split("\n");
  // Above the task's first frame stands a call of ours that refused something.
  const first = lines.findIndex((line) => isFrame(line) && !runnerFrame.test(line));
  const runner = lines.findIndex((line, at) => at > first && isFrame(line) && runnerFrame.test(line));
  const kept = lines.filter((line, at) => {
    if (!isFrame(line)) return true;
    return (runner === -1 || at < runner) && !runnerFrame.test(line) && !foreignFrame.test(line);
  });
  const own = kept.findLastIndex((line) => isFrame(line) && !nodeFrame.test(line));
  return kept
    .filter((line, at) => own === -1 || at <= own || !isFrame(line))
    .map((line) => line.replaceAll(`file://${folder}/`, "").replaceAll(`${folder}/`, ""))
    .join("\n");
}

const isFrame = (line: string): boolean => /^\s+at /.test(line);
const runnerFrame = /\/worker\/src\/child\/|millrace-runner\.js/;
const foreignFrame = /node:internal\/|\/node_modules\/(?:@millrace\/|millrace\/)/;
const nodeFrame = /\bnode:/;

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(cut(value)) : cut(inspect(value, { depth: 2 }));
}

function cut(text: string): string {
  return text.length <= limits.errorTextMax ? text : `${text.slice(0, limits.errorTextMax)}…`;
}
