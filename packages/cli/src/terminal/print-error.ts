/** The one way in which the command tells of an error. */
import { errorCodeOf, MillraceError } from "@millrace/core";
import { formatProjectError } from "../project/project-error.ts";
import { cutPainted, plainText } from "./format.ts";
import type { Colors } from "./terminal.ts";

const frameLine = /^\s*>?\s*\d* \|/;

/**
 * Code and message, the place and its lines of code, what to do. Several errors are told one after the other. Lines of
 * code are cut to the width.
 */
export function formatError(error: unknown, paint: Colors, width = Number.POSITIVE_INFINITY): string {
  const ours = asMillraceError(error);
  const lines = formatProjectError(ours, paint).split("\n");
  const isFrame = (line: string): boolean => frameLine.test(plainText(line));
  const parts = [lines.map((line) => (isFrame(line) ? cutPainted(line, width) : line)).join("\n")];
  const others = ours.fields["others"];
  if (Array.isArray(others)) parts.push(...others.map((other) => formatError(other, paint, width)));
  return parts.join("\n\n");
}

/** What an error is as data, for `--json`. */
export function errorDocument(error: unknown): object {
  const { code, message, advice, source, fields } = asMillraceError(error);
  const { others, ...plain } = fields;
  return {
    error: { code, message, advice, ...(source ? { source } : {}), fields: plain },
    ...(Array.isArray(others) ? { others: others.map((other) => errorDocument(other)) } : {}),
  };
}

/** An unexpected failure becomes MILLRACE_INTERNAL with its stack. */
export function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const code = errorCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code !== undefined) return new MillraceError(code, { message, cause: error });
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  return new MillraceError("MILLRACE_INTERNAL", {
    message: stack,
    advice: "Millrace failed in a way that it did not expect. Report it with this text.",
    cause: error,
  });
}
