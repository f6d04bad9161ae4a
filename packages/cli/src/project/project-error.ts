/** Errors about a project's files: made with a code frame, and printed with it on a terminal. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MillraceError, type ErrorCode, type SourceLocation } from "@millrace/core";
import { codeFrame } from "./code-frame.ts";

export interface ProjectErrorDetails {
  readonly message: string;
  readonly advice?: string;
  readonly source?: SourceLocation;
  /** How many characters are meant, from the source's column on. */
  readonly length?: number;
  readonly fields?: { readonly [name: string]: unknown };
  readonly cause?: unknown;
}

/** An error of ours that carries the code frame of its place in `fields.frame`, when that file can be read. */
export function projectError(root: string, code: ErrorCode, details: ProjectErrorDetails): MillraceError {
  const frame = details.source && frameOf(root, details.source, details.length);
  return new MillraceError(code, {
    message: details.message,
    fields: { ...details.fields, ...(frame ? { frame } : {}) },
    ...(details.advice === undefined ? {} : { advice: details.advice }),
    ...(details.source === undefined ? {} : { source: details.source }),
    ...(details.cause === undefined ? {} : { cause: details.cause }),
  });
}

function frameOf(root: string, source: SourceLocation, length: number | undefined): string | undefined {
  if (source.line < 1) return undefined;
  let text: string;
  try {
    text = readFileSync(join(root, source.file), "utf8");
  } catch {
    return undefined;
  }
  const frame = codeFrame(text, {
    line: source.line,
    ...(source.column === undefined ? {} : { column: source.column }),
    ...(length === undefined ? {} : { length }),
  });
  return frame === "" ? undefined : frame;
}

/** How strings are dressed for a terminal; `picocolors` fits. */
export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  cyan(text: string): string;
}

/** An error of ours as people read it: what, where, the lines of code, what to do. Without a line end. */
export function formatProjectError(error: MillraceError, palette: Palette): string {
  const parts = [`${palette.red(palette.bold(error.code))} ${error.message}`];
  if (error.source) parts.push(palette.cyan(`  at ${formatSource(error.source)}`));
  const { frame } = error.fields;
  if (typeof frame === "string") {
    parts.push(
      frame
        .split("\n")
        .map((line) => (line.startsWith(">") ? `  ${line}` : palette.dim(`  ${line}`)))
        .join("\n"),
    );
  }
  parts.push(`  ${error.advice}`);
  return parts.join("\n");
}

export function formatSource(source: SourceLocation): string {
  const column = source.column === undefined ? "" : `:${source.column}`;
  return source.line < 1 ? source.file : `${source.file}:${source.line}${column}`;
}
