/** Collects the event types that a project declares, and holds its conditions against them. */
import {
  canonicalJson,
  errorCodeOf,
  MillraceError,
  requireDeclaredFields,
  requireSatisfiable,
  type EventTypeDefinition,
} from "@millrace/core";
import { eventTypeHandleOf, type EventTypeHandle } from "./condition/event-type.ts";
import type { DescribedCondition } from "./condition/described.ts";
import { formatSource, locate } from "./source.ts";

interface Place {
  readonly captureSource: boolean;
  readonly root: string | undefined;
}

/**
 * Those that are exported and those that conditions were made of. One type may be declared in several files, with one schema. What is
 * wrong with one goes into `errors`.
 */
export function loadEventTypes(
  exported: readonly unknown[],
  conditions: readonly DescribedCondition[],
  place: Place,
  errors: MillraceError[],
): EventTypeDefinition[] {
  const handles = new Set<EventTypeHandle>();
  for (const value of exported) {
    const handle = eventTypeHandleOf(value);
    if (handle) handles.add(handle);
  }
  for (const { eventTypes } of conditions) for (const handle of eventTypes) handles.add(handle);
  const found = new Map<
    string,
    { readonly handle: EventTypeHandle; readonly definition: EventTypeDefinition }
  >();
  for (const handle of handles) {
    try {
      const definition = handle.describe(place);
      const other = found.get(handle.type);
      if (!other) found.set(handle.type, { handle, definition });
      else if (!hasSameSchema(other.definition, definition))
        errors.push(declaredTwice(other.handle, handle, place.root));
    } catch (error) {
      if (errorCodeOf(error) === undefined) throw error;
      errors.push(error as MillraceError);
    }
  }
  return [...found.values()]
    .map(({ definition }) => definition)
    .toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

/** Throws MILLRACE_WHERE_INVALID, or MILLRACE_CONDITION_INVALID where a filter can never hold, at the condition's place. */
export function checkConditions(
  conditions: readonly DescribedCondition[],
  eventTypes: readonly EventTypeDefinition[],
  root: string | undefined,
): void {
  const schemas = new Map(eventTypes.map(({ type, schema }) => [type, schema]));
  for (const { condition, what, mark, hasHoles } of conditions) {
    try {
      requireDeclaredFields(condition, (type) => schemas.get(type));
      if (!hasHoles) requireSatisfiable(condition, (type) => schemas.get(type));
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === undefined) throw error;
      const source = locate(mark, root);
      const { message, advice, fields } = error as MillraceError;
      throw new MillraceError(code, {
        message: `${what} (${formatSource(source)}): ${message}`,
        advice,
        fields,
        ...(source ? { source } : {}),
        cause: error,
      });
    }
  }
}

function hasSameSchema(a: EventTypeDefinition, b: EventTypeDefinition): boolean {
  return canonicalJson(a.schema) === canonicalJson(b.schema);
}

function declaredTwice(
  first: EventTypeHandle,
  second: EventTypeHandle,
  root: string | undefined,
): MillraceError {
  const source = locate(second.mark, root);
  const places = `${formatSource(locate(first.mark, root))} and ${formatSource(source)}`;
  return new MillraceError("MILLRACE_EVENT_TYPE_INVALID", {
    message: `The event type "${second.type}" is declared with two schemas: ${places}.`,
    fields: { type: second.type },
    ...(source ? { source } : {}),
  });
}
