/** The parameters that a task sees: after the author's own validator, with its refinements and transforms. */
import { inspect } from "node:util";
import { formatPath, memberName, MillraceError, type Json } from "@millrace/core";
import type { LoadedProject, ParamsIssue } from "@millrace/sdk/internal";
import { nextSymbol } from "./attempt-error.ts";

/** Throws MILLRACE_PARAMS_INVALID, which is not tried again: the next attempt gets the same parameters. */
export async function validatedParams(
  project: Pick<LoadedProject, "validateParams">,
  pipeline: string,
  raw: Json,
): Promise<unknown> {
  const result = await project.validateParams(pipeline, raw).catch((thrown: unknown) => {
    throw paramsError("The pipeline's validator of the parameters threw", thrown);
  });
  if ("value" in result) return result.value;
  const list = result.issues.map(issueText).join("; ");
  throw paramsError(`The pipeline's validator refused the parameters: ${list}`);
}

/** What a validator of the author's says, and of what. */
export function issueText({ path, message }: ParamsIssue): string {
  return path.length === 0 ? message : `\`${memberName(formatPath(path))}\`: ${message}`;
}

function paramsError(text: string, cause?: unknown): Error {
  const why = cause === undefined ? "" : `: ${cause instanceof Error ? cause.message : inspect(cause)}`;
  const error = new MillraceError("MILLRACE_PARAMS_INVALID", { message: text + why, cause });
  return Object.assign(error, { [nextSymbol]: { kind: "fatal" } });
}
