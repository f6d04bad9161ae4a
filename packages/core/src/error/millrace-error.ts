import type { SourceLocation } from "../graph/definition.ts";
import { catalogue, type ErrorCode } from "./catalogue.ts";

export interface MillraceErrorDetails {
  /** What happened, to what, what was expected and found. A sentence. */
  readonly message: string;
  /** What to do, when it is more exact than the catalogue's advice. */
  readonly advice?: string;
  /** Machine-readable facts; no secrets. */
  readonly fields?: { readonly [name: string]: unknown };
  readonly source?: SourceLocation;
  readonly cause?: unknown;
}

/** An expected failure. Compare by `code`, never by class: errors cross processes. */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly advice: string;
  readonly fields: { readonly [name: string]: unknown };
  readonly source: SourceLocation | undefined;

  constructor(code: ErrorCode, details: MillraceErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "MillraceError";
    this.code = code;
    this.advice = details.advice ?? catalogue[code].advice;
    this.fields = details.fields ?? {};
    this.source = details.source;
  }
}

/** The code of an error of ours, also when it crossed a process as plain data; else `undefined`. */
export function errorCodeOf(error: unknown): ErrorCode | undefined {
  if (error === null || typeof error !== "object" || !("code" in error)) return undefined;
  const { code } = error;
  return typeof code === "string" && code in catalogue ? (code as ErrorCode) : undefined;
}
