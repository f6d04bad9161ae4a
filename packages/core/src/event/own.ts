/** Entries of Millrace's own: they steer it, so nobody else writes any. */
import { MillraceError } from "../error/millrace-error.ts";
import type { EventDraft } from "./event.ts";

export const ownSource = "millrace";
const ownTypes = "millrace.";

/** All that there are. A condition on another one would wait for ever. */
export const ownEventTypes: readonly string[] = [
  "millrace.approval.answered",
  "millrace.approval.requested",
  "millrace.asset.partition",
  "millrace.asset.progress",
  "millrace.asset.unchanged",
  "millrace.asset.updated",
  "millrace.log.resumed",
  "millrace.node.failed",
  "millrace.node.succeeded",
  "millrace.probe.changed",
  "millrace.probe.failed",
  "millrace.probe.present",
  "millrace.probe.recovered",
  "millrace.run.cancelled",
  "millrace.run.failed",
  "millrace.run.quarantined",
  "millrace.run.started",
  "millrace.run.succeeded",
  "millrace.run.superseded",
  "millrace.source.changed",
  "millrace.trigger.changed",
  "millrace.trigger.looped",
  "millrace.trigger.paused",
  "millrace.trigger.resumed",
];

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
