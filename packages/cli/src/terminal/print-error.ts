/** The one way in which the command tells of an error. */
import { catalogue, errorCodeOf, MillraceError } from "@millrace/core";
import { formatProjectError } from "../project/project-error.ts";
import type { Colors } from "./terminal.ts";

/** Code and message, the place and its lines of code, what to do. Several errors are told one after the other. */
export function formatError(error: unknown, paint: Colors): string {
  const ours = asMillraceError(error);
  const parts = [formatProjectError(ours, paint)];
  const others = ours.fields["others"];
  if (Array.isArray(others)) parts.push(...others.map((other) => formatError(other, paint)));
  return parts.join("\n\n");
}

/** What an error is as data, for `--json`. */
export function errorDocument(error: unknown): object {
  const { code, message, advice, source, fields } = asMillraceError(error);
  const { others: _others, ...plain } = fields;
  return { error: { code, message, advice, ...(source ? { source } : {}), fields: plain } };
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
    advice: `${catalogue.MILLRACE_INTERNAL.meaning} ${catalogue.MILLRACE_INTERNAL.advice}`,
    cause: error,
  });
}
