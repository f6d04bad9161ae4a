/** Events as a test gives them. */
import {
  findJsonFault,
  formatPath,
  givenEntry,
  MillraceError,
  parseCloudEvent,
  type EventDraft,
  type EventExtension,
  type FindAsset,
  type Json,
} from "@millrace/core";
import type { EmittedEvent } from "@millrace/sdk";

/**
 * An event that a test emits. Without a source it comes from that of its type (`landing.arrived` of a file source), else from
 * `/test`; without an id it gets one of its own.
 */
export interface GivenEvent<Data = unknown> extends EmittedEvent<Data> {
  /** Extension attributes: lower-case letters and digits. */
  readonly attributes?: { readonly [name: string]: EventExtension };
}

/** Throws MILLRACE_EVENT_INVALID, MILLRACE_VALUE_NOT_JSON. */
export function draftOf(given: GivenEvent, freeId: () => string, find: FindAsset): EventDraft {
  const { data, subject, time, attributes } = given;
  const { type, source } =
    typeof given.type === "string" ? { type: given.type, source: undefined } : given.type;
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
    find,
  );
}
