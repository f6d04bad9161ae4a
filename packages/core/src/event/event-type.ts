/** Event types that are declared with a schema: what an event of the type has as data. */
import type { JsonSchema, SourceLocation } from "../graph/definition.ts";
import { MillraceError } from "../error/millrace-error.ts";
import type { Json } from "../json.ts";
import { eventSchemaMax, eventTypeMax } from "../limits.ts";
import { isOwnType } from "./own.ts";

export interface EventTypeDefinition {
  readonly type: string;
  /** JSON Schema 2020-12 of `data`. An event without data has null there. */
  readonly schema: JsonSchema;
  readonly source?: SourceLocation;
}

/** What is wrong with a type's name, or nothing. */
export function eventTypeFault(type: unknown): string | undefined {
  if (typeof type !== "string" || type === "" || type.length > eventTypeMax)
    return `needs a name of 1 to ${eventTypeMax} characters`;
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\s*\u0000-\u001f\u007f-\u009f]/.test(type) || !type.isWellFormed())
    return "needs a name without spaces, stars and control characters";
  return isOwnType(type) ? "is Millrace's own; choose another name" : undefined;
}

/** Throws MILLRACE_EVENT_TYPE_INVALID. Whether the schema is one is for who compiles it. */
export function parseEventType(json: Json): EventTypeDefinition {
  const { type, schema, source } = (json ?? {}) as { readonly [name: string]: Json | undefined };
  const fault =
    eventTypeFault(type) ??
    (typeof schema === "boolean" || (schema !== null && typeof schema === "object" && !Array.isArray(schema))
      ? undefined
      : "needs a JSON Schema") ??
    (JSON.stringify(schema).length > eventSchemaMax
      ? `has a schema of more than ${eventSchemaMax} characters`
      : undefined);
  if (fault !== undefined) {
    throw new MillraceError("MILLRACE_EVENT_TYPE_INVALID", {
      message: `The event type ${JSON.stringify(type)} ${fault}.`,
    });
  }
  return {
    type: type as string,
    schema: schema as JsonSchema,
    ...(source === undefined ? {} : { source: source as unknown as SourceLocation }),
  };
}
