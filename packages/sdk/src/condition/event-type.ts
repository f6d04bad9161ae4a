/** Event types that are declared in code, with a schema. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  eventTypeFault,
  MillraceError,
  operandsOf,
  type Condition,
  type EventTypeDefinition,
} from "@millrace/core";
import { exportJsonSchema, isParamsSchema, type ParamsSchema } from "../schema.ts";
import { formatSource, locate, markCaller, type SourceMark } from "../source.ts";

declare const eventData: unique symbol;

/** An event type and the shape of its data. */
export interface EventType<Data = unknown, Type extends string = string> {
  readonly type: Type;
  /** Only what comes from this source counts: set where a source declares the type. */
  readonly source?: string;
  readonly [eventData]?: Data;
}

export interface EventTypeOptions<Schema extends StandardSchemaV1> {
  /** What the events' data look like: a schema as for parameters. */
  readonly schema: Schema;
}

/** Under this a declaration is found: in what `eventType` gives, and in atoms that were made of it. Copies keep it, JSON has none. */
export const eventTypeBrand: unique symbol = Symbol.for("millrace.eventType");

export interface EventTypeHandle {
  readonly kind: "event_type";
  readonly type: string;
  readonly mark: SourceMark;
  /** Throws MILLRACE_LOAD_FAILED where the schema can't be written as JSON Schema. */
  describe(options: {
    readonly captureSource: boolean;
    readonly root: string | undefined;
  }): EventTypeDefinition;
}

/**
 * Declares an event type and the shape of its data, which types what filters, keys and tasks see of it. It is deployed with the
 * project that exports it or has a condition on it. From then on an event of this type whose data does not fit is kept in the log,
 * marked invalid, and fires nothing; a filter on a field that the schema lacks is an error at load. The schema is checked as JSON
 * Schema: refinements and transforms are not. Throws MILLRACE_EVENT_TYPE_INVALID.
 *
 * @example
 * export const orderPlaced = eventType("order.placed", { schema: z.object({ id: z.string(), amount: z.number() }) });
 */
export function eventType<Schema extends StandardSchemaV1, const Type extends string = string>(
  type: Type,
  options: EventTypeOptions<Schema>,
): EventType<StandardSchemaV1.InferInput<Schema>, Type> {
  const mark = markCaller(eventType);
  const schema: unknown = (options as { readonly schema?: unknown } | undefined)?.schema;
  const fault =
    eventTypeFault(type) ??
    (isParamsSchema(schema)
      ? undefined
      : "needs a schema of zod, valibot, arktype or another Standard Schema library");
  if (fault !== undefined) {
    const source = locate(mark);
    throw new MillraceError("MILLRACE_EVENT_TYPE_INVALID", {
      message: `The event type ${JSON.stringify(type)} (${formatSource(source)}) ${fault}.`,
      ...(source ? { source } : {}),
    });
  }
  const handle: EventTypeHandle = {
    kind: "event_type",
    type,
    mark,
    describe: ({ captureSource, root }) => {
      const source = locate(mark, root);
      return {
        type,
        schema: exportJsonSchema(schema as ParamsSchema, {
          what: `Event type "${type}"`,
          of: "its data",
          option: "schema",
          fields: { type },
          source,
        }),
        ...(captureSource && source ? { source } : {}),
      };
    },
  };
  return Object.freeze({ type, [eventTypeBrand]: handle });
}

/** The declaration behind a value or an atom; nothing of anything else. */
export function eventTypeHandleOf(value: unknown): EventTypeHandle | undefined {
  if (value === null || typeof value !== "object") return undefined;
  try {
    const handle = (value as { readonly [eventTypeBrand]?: EventTypeHandle })[eventTypeBrand];
    return handle?.kind === "event_type" ? handle : undefined;
  } catch {
    // A proxy that throws on unknown properties declares nothing.
    return undefined;
  }
}

/** The declarations of which the atoms of a condition were made. */
export function eventTypesWithin(condition: Condition): EventTypeHandle[] {
  const own = eventTypeHandleOf(condition);
  return [...(own ? [own] : []), ...operandsOf(condition).flatMap(eventTypesWithin)];
}
