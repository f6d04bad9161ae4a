/** Turns what the loader's child said, or how it ended, into errors with a place and advice. */
import { errorCodeOf, unreachable, type MillraceError, type SourceLocation } from "@millrace/core";
import { projectError } from "../project-error.ts";
import type { ChildBounds, ChildResult } from "./bounded-child.ts";
import type { ChildMessage, PlainError } from "./messages.ts";

const declareOnly = "Pipeline files may only declare: move the work into a task's function.";

export function errorOfMessage(
  root: string,
  message: ChildMessage & { kind: "failed" | "open" },
): MillraceError {
  return message.kind === "failed" ? failedError(root, message) : openError(root, message);
}

function failedError(root: string, { file, error }: { file?: string; error: PlainError }): MillraceError {
  const source = sourceOf(file, error.source);
  const code = errorCodeOf(error);
  if (code !== undefined) {
    return projectError(root, code, {
      message: error.message,
      ...(error.fields === undefined ? {} : { fields: error.fields }),
      ...(error.advice === undefined ? {} : { advice: error.advice }),
      ...(source ? { source } : {}),
    });
  }
  const what = error.name === "NonError" ? error.message : `${error.name}: ${error.message}`;
  return projectError(root, "MILLRACE_LOAD_FAILED", {
    message: `${place(file, source)} could not be loaded: ${what}`,
    fields: { error: error.name, ...(error.stack === undefined ? {} : { stack: error.stack }) },
    ...(source ? { source } : {}),
  });
}

function openError(root: string, message: ChildMessage & { kind: "open" }): MillraceError {
  const source = sourceOf(message.file, message.source);
  return projectError(root, "MILLRACE_LOAD_TIMEOUT", {
    message: `${place(message.file, source)} leaves ${resourceName(message.resource)} open, so it never ends.`,
    advice: declareOnly,
    fields: { resource: message.resource },
    ...(source ? { source } : {}),
  });
}

/** Messages that say what the child is doing. */
export function isPhase(kind: ChildMessage["kind"]): boolean {
  return kind === "starting" || kind === "probing" || kind === "describing";
}

/** The error for a child that did not come to its end by itself. */
export function errorOfEnd(root: string, child: ChildResult, bounds: ChildBounds): MillraceError {
  const phase = child.messages.findLast(({ kind }) => isPhase(kind));
  const last = child.messages.at(-1);
  const file = phase !== undefined && "file" in phase ? phase.file : undefined;
  const known = last?.kind === "exiting" || last?.kind === "unsettled" ? last.source : undefined;
  const busy = child.end.kind === "timeout" ? child.end.source : undefined;
  // A file may be busy in another one that it imports.
  const source = sourceOf(file, known ?? busy);
  const { code, message, advice } = storyOf(child, last, bounds);
  return projectError(root, code, {
    message: `${message} while ${phaseText(phase)}.`,
    fields: child.output === "" ? {} : { output: child.output },
    ...(advice === undefined ? {} : { advice }),
    ...(source ? { source } : {}),
  });
}

interface Story {
  readonly code: "MILLRACE_LOAD_FAILED" | "MILLRACE_LOAD_TIMEOUT";
  readonly message: string;
  readonly advice?: string;
}

function storyOf(child: ChildResult, last: ChildMessage | undefined, bounds: ChildBounds): Story {
  const advice = declareOnly;
  if (last?.kind === "exiting") {
    return { code: "MILLRACE_LOAD_FAILED", message: `process.exit(${last.code}) was called`, advice };
  }
  if (last?.kind === "unsettled") {
    const when =
      last.afterMs === undefined ? "never settles" : `did not settle within ${seconds(last.afterMs)}`;
    return { code: "MILLRACE_LOAD_TIMEOUT", message: `An await ${when}`, advice };
  }
  switch (child.end.kind) {
    case "timeout": {
      const message = `No end came within ${seconds(bounds.fileTimeoutMs)}`;
      return { code: "MILLRACE_LOAD_TIMEOUT", message, advice };
    }
    case "memory": {
      const message = `More than ${bounds.memoryMb} MB of memory were taken`;
      return { code: "MILLRACE_LOAD_FAILED", message, advice };
    }
    case "crashed": {
      const how = child.end.signal ?? `exit code ${child.end.exitCode}`;
      return { code: "MILLRACE_LOAD_FAILED", message: `The process ended (${how})` };
    }
    case "ended":
      return { code: "MILLRACE_LOAD_FAILED", message: "The process ended without an answer" };
    default:
      return unreachable(child.end);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function phaseText(phase: ChildMessage | undefined): string {
  switch (phase?.kind) {
    case "starting":
      return `importing ${phase.file}`;
    case "probing":
      return `the pipelines of ${phase.file} were described`;
    case "describing":
      return "the pipelines were described";
    default:
      return "the bundle was loaded";
  }
}

/** A place of which only the file is known has line 0. */
function sourceOf(file: string | undefined, source: SourceLocation | undefined): SourceLocation | undefined {
  return source ?? (file === undefined ? undefined : { file, line: 0 });
}

function place(file: string | undefined, source: SourceLocation | undefined): string {
  const name = file ?? source?.file;
  if (name === undefined) return "The bundle";
  return source && source.file === name && source.line > 0 ? `${name}:${source.line}` : name;
}

const resourceNames: { readonly [type: string]: string } = {
  TCPSERVERWRAP: "a listening server",
  TCPWRAP: "a connection",
  TLSWRAP: "a connection",
  PIPESERVERWRAP: "a listening server",
  PIPEWRAP: "a pipe",
  Timeout: "a timer",
  PROCESSWRAP: "a child process",
  FSEVENTWRAP: "a file watcher",
  STATWATCHER: "a file watcher",
  UDPWRAP: "a UDP socket",
  MESSAGEPORT: "a message port",
  WORKER: "a worker thread",
  SIGNALWRAP: "a signal handler",
};

function resourceName(type: string): string {
  return resourceNames[type] ?? `a resource (${type})`;
}
