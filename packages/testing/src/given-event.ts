/** Events as a test gives them. */
import {
  findJsonFault,
  formatPath,
  givenEntry,
  MillraceError,
  parseCloudEvent,
  type EventDraft,
  type EventExtension,
  type AssetJudge,
  type Json,
  type LogEvent,
} from "@millrace/core";
import type { EmittedEvent } from "@millrace/sdk";
import type { LoadedProject } from "@millrace/sdk/internal";
import type { EventBook } from "./event-book.ts";
import { requireMembers } from "./member-names.ts";
import type { TestReceipt } from "./testbed-options.ts";

/**
 * An event that a test emits. Without a source it comes from that of its type (`landing.arrived` of a file source), else from
 * `/test`; without an id it gets one of its own.
 */
export interface GivenEvent<Data = unknown> extends EmittedEvent<Data> {
  /** Extension attributes: lower-case letters and digits. */
  readonly attributes?: { readonly [name: string]: EventExtension };
}

/** What is told of assets is judged by these pipelines' assets and the clock. */
export function assetJudge(project: Pick<LoadedProject, "asset">, now: number): AssetJudge {
  return { find: (name) => project.asset(name), now };
}

/** Throws MILLRACE_EVENT_INVALID, MILLRACE_VALUE_NOT_JSON, MILLRACE_PROGRESS_AHEAD. */
export function draftOf(given: GivenEvent, freeId: () => string, judge: AssetJudge): EventDraft {
  const { data, subject, time, attributes } = requireMembers(given, memberNames, {
    what: "An event that a test gives",
    code: "MILLRACE_EVENT_INVALID",
  });
  const { type, source } = typeOf(given.type);
  const fault = data === undefined ? undefined : findJsonFault(data);
  if (fault) {
    const path = formatPath(fault.path);
    throw new MillraceError("MILLRACE_VALUE_NOT_JSON", {
      message: `The data of an event of type ${type} can't be carried by JSON: ${path} is ${fault.found}.`,
      fields: { path, found: fault.found },
    });
  }
  return givenEntry(
    parseCloudEvent({
      ...attributes,
      specversion: "1.0",
      id: given.id ?? freeId(),
      source: given.source ?? source ?? "/test",
      type,
      ...(subject === undefined ? {} : { subject }),
      ...(time === undefined ? {} : { time: time instanceof Date ? time.toISOString() : time }),
      ...(data === undefined ? {} : { data: JSON.parse(JSON.stringify(data)) as Json }),
    }),
    judge,
  );
}

const memberNames = [
  "type",
  "source",
  "id",
  "subject",
  "time",
  "data",
  "attributes",
] as const satisfies (keyof GivenEvent)[];

function typeOf(given: GivenEvent["type"] | undefined): { readonly type: string; readonly source?: string } {
  if (typeof given === "string") return { type: given };
  if (typeof given?.type === "string") return given;
  throw new MillraceError("MILLRACE_EVENT_INVALID", {
    message: "The event that a test gives has no type.",
    advice: "Give a text as its `type`, or what `eventType` gave.",
    fields: { path: "/type" },
  });
}

/** Puts it into the log. Throws MILLRACE_EVENT_TOO_LARGE, MILLRACE_EVENT_CONFLICT. */
export function recordIn(log: EventBook, draft: EventDraft): TestReceipt {
  const outcome = log.append(draft);
  if (outcome.kind === "accepted") throw new Error("invariant broken: a testbed has one log");
  const { kind, position } = outcome;
  const { invalid } = log.at(position)!;
  if (kind !== "conflict")
    return { position, isDuplicate: kind === "duplicate", ...(invalid === undefined ? {} : { invalid }) };
  const { id, source } = draft;
  throw new MillraceError("MILLRACE_EVENT_CONFLICT", {
    message: `The event ${id} of ${source} is in the log at position ${position} with other content.`,
    fields: { id, source, position },
  });
}

/** Throws MILLRACE_EVENT_UNKNOWN. */
export function requireEntry(log: EventBook, event: number | { readonly position: number }): LogEvent {
  const position = typeof event === "object" ? event.position : event;
  const entry = log.at(position);
  if (entry) return entry;
  throw new MillraceError("MILLRACE_EVENT_UNKNOWN", {
    message: `The log of the testbed has no event at position ${position}: it has ${log.position}.`,
    advice: "Give what `emit` gave, or a position of `t.events`.",
  });
}
