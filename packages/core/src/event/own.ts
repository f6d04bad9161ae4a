/** Entries of Millrace's own: they steer it, so nobody else writes any. */
import { MillraceError } from "../error/millrace-error.ts";
import type { EventDraft } from "./event.ts";

export const ownSource = "millrace";
const ownTypes = "millrace.";

/** Whether a type is among those that Millrace alone writes. */
export function isOwnType(type: string): boolean {
  return type.startsWith(ownTypes);
}

/** Gives the event back if its source and type are free. Throws MILLRACE_EVENT_INVALID. */
export function requireForeign<Draft extends Pick<EventDraft, "source" | "type">>(draft: Draft): Draft {
  const field = draft.source === ownSource ? "source" : isOwnType(draft.type) ? "type" : undefined;
  if (field === undefined) return draft;
  throw new MillraceError("MILLRACE_EVENT_INVALID", {
    message: `The event is not valid at /${field}: ${JSON.stringify(draft[field])} is Millrace's own; choose another ${field}.`,
    fields: { path: `/${field}` },
  });
}
