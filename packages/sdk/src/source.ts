/**
 * Where in the author's files something was written. A mark is taken at each call and is cheap; it is turned into a
 * file and a line only when somebody asks, because formatting a stack through a source map costs far more.
 */
import { fileURLToPath } from "node:url";
import type { SourceLocation } from "@millrace/core";

/** Holds an unformatted stack whose first frame is the caller of the function that took the mark. */
export interface SourceMark {
  readonly stack?: string;
}

/** A function of ours: its own frame and those above it are left out of a mark. */
// oxlint-disable-next-line typescript/no-explicit-any -- any function can stand on a stack
export type StackFunction = (...args: any[]) => unknown;

/** Some frames carry no file (`Array.map`), so a mark keeps more than one. */
const framesMax = 3;

/** Marks the place that called `below`. */
export function markCaller(below: StackFunction): SourceMark {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = framesMax;
  const mark: SourceMark = {};
  Error.captureStackTrace(mark, below);
  Error.stackTraceLimit = limit;
  return mark;
}

/** The first place on the stack that is in a file, relative to `root` when it lies below it. */
export function locate(mark: SourceMark | undefined, root?: string): SourceLocation | undefined {
  // A project may format stacks in its own way.
  return typeof mark?.stack === "string" ? locateInStack(mark.stack, root) : undefined;
}

export function locateInStack(stack: string, root?: string): SourceLocation | undefined {
  for (const text of stack.split("\n")) {
    const match = /^\s*at .*?\(?((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*):(\d+):(\d+)\)?$/.exec(text);
    if (!match) continue;
    const file = relativeFile(match[1] ?? "", root);
    if (isOurs(file)) continue;
    return { file, line: Number(match[2]), column: Number(match[3]) };
  }
  return undefined;
}

/** `file.ts:12`, as messages name a place. */
export function formatSource(source: SourceLocation | undefined): string {
  return source ? `${source.file}:${source.line}` : "an unknown place";
}

function relativeFile(location: string, root: string | undefined): string {
  const file = (location.startsWith("file://") ? fileURLToPath(location) : location).replaceAll("\\", "/");
  const base = root?.replaceAll("\\", "/").replace(/\/+$/, "");
  return base !== undefined && file.startsWith(`${base}/`) ? file.slice(base.length + 1) : file;
}

function isOurs(file: string): boolean {
  return /(?:^|\/)node_modules\/(?:millrace|@millrace\/[^/]+)\//.test(file);
}
