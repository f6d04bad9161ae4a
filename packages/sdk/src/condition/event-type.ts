/** Event types that are declared in code, with a schema. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { MillraceError } from "@millrace/core";
import { isParamsSchema } from "../schema.ts";
import { formatSource, locate, markCaller } from "../source.ts";

declare const eventData: unique symbol;

/** An event type and the shape of its data, for the compiler: what comes from outside is not checked against it. */
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

/**
 * Declares an event type and the shape of its data, which types what filters, keys and tasks see of it. The log takes events of any
 * shape under this type: a filter that finds nothing does not match.
 *
 * @example
 * export const orderPlaced = eventType("order.placed", { schema: z.object({ id: z.string(), amount: z.number() }) });
 */
export function eventType<Schema extends StandardSchemaV1, const Type extends string = string>(
  type: Type,
  options: EventTypeOptions<Schema>,
): EventType<StandardSchemaV1.InferInput<Schema>, Type> {
  const { schema } = options as { readonly schema: unknown };
  if (typeof type !== "string" || !/^[^\s*]{1,300}$/.test(type) || !isParamsSchema(schema)) {
    const source = locate(markCaller(eventType));
    throw new MillraceError("MILLRACE_OPTION_INVALID", {
      message: `Event type ${JSON.stringify(type)} (${formatSource(source)}): it needs a name without spaces, and a schema of zod, valibot, arktype or another Standard Schema library.`,
      ...(source ? { source } : {}),
    });
  }
  return Object.freeze({ type });
}
