/** What a refusal of the database says of a new run, and what a message to a run needs at hand. */
import { MillraceError } from "@millrace/core";
import type { RunInboxMessage } from "./inbox-message.ts";
import type { Values } from "./values.ts";

/** The database has a live run of this name. */
export function isKnownRun(refusal: unknown): boolean {
  return (refusal as { readonly constraint?: unknown }).constraint === "run_pkey";
}

/** Another server has made the run of this idempotency key. */
export function isKnownKey(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly constraint?: unknown } };
  return cause?.constraint === "idempotency_key_pkey";
}

export function refusedError(id: string, refusal: unknown): MillraceError {
  return new MillraceError("MILLRACE_INTERNAL", { message: `The run ${id} was refused.`, cause: refusal });
}

/** The machine may read what a structural node answers. */
export async function withContent(
  values: Values,
  message: RunInboxMessage["message"],
): Promise<RunInboxMessage["message"]> {
  if (message.kind === "child_ended") return { ...message, output: await values.loaded(message.output) };
  if (message.kind !== "result" || message.outcome.kind !== "succeeded") return message;
  const output = await values.loaded(message.outcome.output);
  return { ...message, outcome: { ...message.outcome, output } };
}
