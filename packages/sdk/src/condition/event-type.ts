/** Event types that are declared in code, with a schema. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { MillraceError } from "@millrace/core";
import { isParamsSchema, type ParamsSchema } from "../schema.ts";
import { formatSource, locate, markCaller, type SourceMark } from "../source.ts";

declare const eventData: unique symbol;

/** A declared event type. Exported from an included file, it is deployed, and events of this type are checked. */
export interface EventType<Data = unknown, Type extends string = string> {
  readonly type: Type;
  readonly [eventData]?: Data;
}

export interface EventTypeOptions<Schema extends StandardSchemaV1> {
  /** What the events' data look like: a schema as for parameters. */
  readonly schema: Schema;
}

export interface DeclaredEventType {
  readonly type: string;
  readonly schema: ParamsSchema;
  readonly mark: SourceMark;
}

const declared = new WeakMap<object, DeclaredEventType>();

/**
 * Declares an event type and the shape of its data, which types what conditions and tasks see of it.
 *
 * @example
 * export const orderPlaced = eventType("order.placed", { schema: z.object({ id: z.string(), amount: z.number() }) });
 */
export function eventType<Schema extends StandardSchemaV1, const Type extends string = string>(
  type: Type,
  options: EventTypeOptions<Schema>,
): EventType<StandardSchemaV1.InferInput<Schema>, Type> {
  const mark = markCaller(eventType);
  const { schema } = options as { readonly schema: unknown };
  if (typeof type !== "string" || !/^[^\s*]{1,300}$/.test(type) || !isParamsSchema(schema)) {
    const source = locate(mark);
    throw new MillraceError("MILLRACE_OPTION_INVALID", {
      message: `Event type ${JSON.stringify(type)} (${formatSource(source)}): it needs a name without spaces, and a schema of zod, valibot, arktype or another Standard Schema library.`,
      ...(source ? { source } : {}),
    });
  }
  const made = Object.freeze({ type });
  declared.set(made, { type, schema, mark });
  return made;
}

export function declaredEventType(value: unknown): DeclaredEventType | undefined {
  return value !== null && typeof value === "object" ? declared.get(value) : undefined;
}
