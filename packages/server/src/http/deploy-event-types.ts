/** The event types of a deploy: each is sound, no other project says otherwise, and conditions name fields that they have. */
import {
  canonicalJson,
  errorCodeOf,
  eventTypesMax,
  MillraceError,
  parseEventType,
  requireDeclaredFields,
  requireSatisfiable,
  type EventTypeDefinition,
  type Json,
  type ProjectDefinition,
} from "@millrace/core";
import type { DeploymentState } from "@millrace/store";
import { compileSchema } from "@millrace/protocol/params-check";
import { isStorableAll } from "./storable.ts";

/** What can be judged from the definition alone. */
export function checkEventTypes({ eventTypes = [] }: ProjectDefinition): void {
  if (eventTypes.length > eventTypesMax)
    throw invalid(`The project declares ${eventTypes.length} event types; ${eventTypesMax} are allowed.`);
  const seen = new Set<string>();
  for (const given of eventTypes) {
    const eventType = parseEventType(given as unknown as Json);
    const { type } = eventType;
    if (seen.has(type)) throw invalid(`The project declares the event type "${type}" twice.`, eventType);
    seen.add(type);
    if (!isStorableAll(eventType as unknown as Json))
      throw invalid(
        `The event type "${type}" has a text with U+0000 or half of a surrogate pair, which can't be stored.`,
        eventType,
      );
    requireSchema(eventType);
  }
}

function requireSchema(eventType: EventTypeDefinition): void {
  try {
    compileSchema(eventType.schema, { useDefaults: false, allErrors: false });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`The event type "${eventType.type}" has no valid JSON Schema: ${why}`, eventType, cause);
  }
}

/** What depends on other projects: their declarations count for conditions here, too. */
export function checkDeclarations(definition: ProjectDefinition, state: DeploymentState): void {
  const { project, eventTypes = [], pipelines } = definition;
  const schemas = new Map(eventTypes.map(({ type, schema }) => [type, schema]));
  for (const { project: owner, definition: theirs } of state.eventTypes) {
    if (owner === project) continue;
    const own = schemas.get(theirs.type);
    if (own === undefined) schemas.set(theirs.type, theirs.schema);
    else if (canonicalJson(own) !== canonicalJson(theirs.schema))
      throw conflict(theirs.type, { owner, project, eventTypes });
  }
  for (const { name, trigger, source } of pipelines) {
    if (!trigger) continue;
    try {
      requireDeclaredFields(trigger.condition, (type) => schemas.get(type));
      requireSatisfiable(trigger.condition, (type) => schemas.get(type));
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === undefined) throw error;
      const { message, advice, fields } = error as MillraceError;
      throw new MillraceError(code, {
        message: `Pipeline "${name}": ${message}`,
        advice,
        fields: { ...fields, pipeline: name },
        ...(source === undefined ? {} : { source }),
        cause: error,
      });
    }
  }
}

function conflict(
  type: string,
  {
    owner,
    project,
    eventTypes,
  }: {
    readonly owner: string;
    readonly project: string;
    readonly eventTypes: readonly EventTypeDefinition[];
  },
): MillraceError {
  const source = eventTypes.find((one) => one.type === type)?.source;
  return new MillraceError("MILLRACE_EVENT_TYPE_CONFLICT", {
    message: `The project "${owner}" declares the event type "${type}" with another schema than "${project}".`,
    fields: { type, owner, project },
    ...(source === undefined ? {} : { source }),
  });
}

function invalid(message: string, eventType?: EventTypeDefinition, cause?: unknown): MillraceError {
  return new MillraceError("MILLRACE_EVENT_TYPE_INVALID", {
    message,
    ...(eventType?.source === undefined ? {} : { source: eventType.source }),
    ...(cause === undefined ? {} : { cause }),
  });
}
