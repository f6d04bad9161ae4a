/** Every refusal leaves as an RFC 9457 problem. */
import { catalogue, errorCodeOf, MillraceError, type ErrorCode, type Json } from "@millrace/core";
import type { Problem } from "@millrace/protocol";
import { isConnectionLoss, saysDiskFull } from "@millrace/store";

export const problemType = "application/problem+json";

/** What the reader is told of an error; one that nobody expected keeps its words to the log. */
export function problemOf(error: unknown): Problem {
  const expected = expectedError(error);
  const { code, message, advice, fields, source } =
    expected ?? new MillraceError("MILLRACE_INTERNAL", { message: "The server failed unexpectedly." });
  const { meaning, status } = catalogue[code];
  return {
    type: `urn:millrace:error:${code}`,
    title: meaning,
    status,
    detail: message,
    code,
    advice,
    ...(Object.keys(fields).length === 0 ? {} : { fields: plainFields(fields) }),
    ...(source === undefined ? {} : { source }),
  };
}

/** An error of ours, or one of the frameworks and the driver whose meaning is known. */
export function expectedError(error: unknown): MillraceError | undefined {
  if (error instanceof MillraceError) return error;
  if (error instanceof Error && saysDiskFull(error.message))
    return new MillraceError("MILLRACE_DATABASE_UNREACHABLE", {
      message: `The database's disk is full: ${error.message}.`,
      advice: "Free space where the database keeps its data; the server goes on by itself.",
      cause: error,
    });
  if (isConnectionLoss(error))
    return new MillraceError("MILLRACE_DATABASE_UNREACHABLE", {
      message: "The database does not answer.",
      cause: error,
    });
  if (!(error instanceof Error)) return undefined;
  const code = errorCodeOf(error);
  if (code !== undefined) return new MillraceError(code, { message: error.message, cause: error });
  const { code: foreign } = error as Error & { readonly code?: unknown };
  if (foreign === "57014")
    return new MillraceError("MILLRACE_DATABASE_UNREACHABLE", {
      message: "The database took too long to answer; what was asked for may or may not have been recorded.",
      cause: error,
    });
  return requestError(error, foreign);
}

/** What the HTTP layer itself refuses. */
function requestError(error: Error, code: unknown): MillraceError | undefined {
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return invalid("The request's body must be JSON, with `content-type: application/json`.", error);
  const status = (error as Error & { readonly statusCode?: unknown }).statusCode;
  if (typeof status === "number" && status >= 400 && status < 500) return invalid(error.message, error);
  return undefined;
}

export function isTooLarge(error: unknown): error is Error {
  return (error as { readonly code?: unknown } | undefined)?.code === "FST_ERR_CTP_BODY_TOO_LARGE";
}

export function requestTooLarge(bytesMax: number, cause: Error): MillraceError {
  return new MillraceError("MILLRACE_REQUEST_TOO_LARGE", {
    message: `The request's body is larger than the ${bytesMax} bytes that this address takes.`,
    fields: { bytesMax },
    cause,
  });
}

export function eventTooLarge(what: string, bytesMax: number, cause: Error): MillraceError {
  return new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
    message: `${what} may have ${bytesMax} bytes.`,
    fields: { bytesMax },
    cause,
  });
}

function invalid(message: string, cause: Error): MillraceError {
  return new MillraceError("MILLRACE_REQUEST_INVALID", { message, cause });
}

export function notFound(code: ErrorCode, message: string): MillraceError {
  return new MillraceError(code, { message });
}

function plainFields(fields: { readonly [name: string]: unknown }): { readonly [name: string]: Json } {
  return JSON.parse(JSON.stringify(fields)) as { [name: string]: Json };
}
