/**
 * How authors filter events and name their keys. Both become data: an object whose parts are typed by the event's data,
 * or CEL as text.
 */
import {
  errorCodeOf,
  MillraceError,
  parseEventKey,
  readWrittenWhere,
  type EventKey,
  type SourceLocation,
  type Where,
} from "@millrace/core";
import {
  recordEventPath,
  type EventPath,
  type EventPathBase,
  type KeyOf,
  type MemberOf,
} from "./event-path.ts";
import { holeFor } from "./condition/hole.ts";
import { isReference, type ReferenceBase } from "./reference.ts";
import { formatSource, locate, type SourceMark } from "./source.ts";

/** An event as filters and keys see it. */
export interface EventShape<Data> {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  /** When it happened, in RFC 3339. */
  readonly time: string;
  readonly data: Data;
  /** Extension attributes of the CloudEvent. */
  readonly attributes?: { readonly [name: string]: string | number | boolean };
}

/** A time in RFC 3339; the text that is compared with it is read as a time, too. */
export interface TimeOperand {
  readonly time: string;
}

interface ExistsTest {
  /** Whether there is a value. `null` is one. */
  readonly exists?: boolean;
}

interface EqualTest<T, Operand = T> extends ExistsTest {
  readonly eq?: Operand | ReferenceBase<T>;
  /** Also true where there is no value. */
  readonly ne?: Operand;
  readonly in?: readonly (T | ReferenceBase<T>)[];
}

interface OrderTest<T> {
  readonly lt?: T;
  readonly lte?: T;
  readonly gt?: T;
  readonly gte?: T;
}

interface TextTest {
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  /** `*` and `?` stop at `/`, `**` does not. */
  readonly glob?: string;
  /** An RE2 pattern, found anywhere in the text. */
  readonly matches?: string;
}

interface ListTest<E> extends ExistsTest {
  /** Whether the list holds this. */
  readonly has?: E;
}

interface TimeTest extends ExistsTest, OrderTest<TimeOperand> {
  readonly eq?: TimeOperand;
  readonly ne?: TimeOperand;
}

type Scalar = string | number | boolean | null;
type OperatorName =
  | keyof EqualTest<unknown>
  | keyof OrderTest<unknown>
  | keyof TextTest
  | keyof ListTest<unknown>;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What can be asked of a value of type `T`. A value itself asks for equality. */
type TestOf<T> =
  IsAny<T> extends true ? AnyTest : unknown extends T ? AnyTest : ScalarTests<T> | PartTests<T>;

/** Of all the scalars that the value may be, together: `"a" | "b"` is one text of two values. */
type ScalarTests<T> = [Extract<T, Scalar>] extends [never]
  ? never
  :
      | Extract<T, Scalar>
      | ReferenceBase<Extract<T, Scalar>>
      | (EqualTest<Extract<T, Scalar>, Extract<T, Scalar> | TimeOfText<T>> &
          ([Extract<T, string>] extends [never] ? unknown : TextTest) &
          ([Extract<T, string | number>] extends [never] ? unknown : OrderTest<OrderOperand<T>>));

/** What is a text may be a time. */
type TimeOfText<T> = [Extract<T, string>] extends [never] ? never : TimeOperand;

type OrderOperand<T> =
  | ([Extract<T, string>] extends [never] ? never : string | TimeOperand)
  | ([Extract<T, number>] extends [never] ? never : number);

type PartTests<T> = T extends Scalar | undefined
  ? never
  : T extends readonly (infer E)[]
    ? ListTest<Extract<E, Scalar>>
    : T extends object
      ? ExistsTest | NestedTests<T>
      : never;

/** A field that is named as an operator can't be told from it below another field: CEL can name it. */
type NestedTests<T> = { readonly [K in Exclude<KeyOf<T>, OperatorName>]?: TestOf<Defined<MemberOf<T, K>>> };

type AnyTest =
  | Scalar
  | ReferenceBase<unknown>
  | (EqualTest<Scalar | TimeOperand> & OrderTest<string | number | TimeOperand> & TextTest & ListTest<Scalar>)
  | { readonly [field: string]: AnyTest };

type Defined<T> = IsAny<T> extends true ? T : unknown extends T ? T : Exclude<T, undefined>;

/** The fields of all variants of the data, under any names. Data that is no object can be compared by CEL. */
type DataTests<Data> =
  IsAny<Data> extends true
    ? AnyData
    : unknown extends Data
      ? AnyData
      : { readonly [K in KeyOf<DataObject<Data>>]?: TestOf<Defined<MemberOf<DataObject<Data>, K>>> };

interface AnyData {
  readonly [field: string]: AnyTest;
}

type DataObject<Data> = Data extends Scalar | undefined | readonly unknown[] ? never : Data;

/**
 * A filter on events. Everything that is listed must hold: equality by the value itself, anything else by operators
 * (`eq`, `ne`, `in`, `lt`, `lte`, `gt`, `gte`, `prefix`, `suffix`, `contains`, `glob`, `matches`, `exists`, `has`).
 * Where an event has no value, or one of another type, a test is false, but for `ne` and `exists: false`.
 *
 * @example
 * const where = {
 *   subject: { prefix: "orders/" },
 *   data: { country: "DE", amount: { gte: 100, lt: 500 }, tags: { has: "vip" }, note: { exists: false } },
 *   anyOf: [{ data: { state: "paid" } }, "data.total > data.limit"],
 * };
 */
export interface WhereObject<Data = unknown> {
  readonly source?: TestOf<string>;
  readonly id?: TestOf<string>;
  readonly type?: TestOf<string>;
  readonly subject?: TestOf<string>;
  readonly time?: TimeTest;
  readonly data?: DataTests<Data>;
  readonly attributes?: { readonly [name: string]: TestOf<string | number | boolean> };
  readonly allOf?: readonly WhereInput<Data>[];
  readonly anyOf?: readonly WhereInput<Data>[];
  readonly not?: WhereInput<Data>;
}

/** A filter as an object, or a CEL expression such as `"data.total > data.limit"`. */
export type WhereInput<Data = unknown> = WhereObject<Data> | string;

/** Paths to scalars in a `T`, five steps deep. */
type PathText<T, Depth extends readonly unknown[] = []> =
  IsAny<T> extends true
    ? string
    : unknown extends T
      ? string
      : Depth["length"] extends 5
        ? never
        : T extends Scalar | undefined
          ? never
          : T extends readonly unknown[]
            ? never
            : {
                [K in KeyOf<T>]:
                  | ([Exclude<Extract<MemberOf<T, K>, Scalar>, null>] extends [never] ? never : K)
                  | (unknown extends MemberOf<T, K> ? `${K}` | `${K}.${string}` : never)
                  | `${K}.${PathText<NonNullable<MemberOf<T, K>>, [...Depth, unknown]>}`;
              }[KeyOf<T>];

/**
 * What makes events belong together: a path (`"data.orderId"`, or a function that names one), or `{ cel }` for what must
 * be computed. An event whose key is null, absent or no scalar belongs to no key.
 *
 * @example
 * on.count(orderFailed, 3, { within: "1h" }).by((e) => e.data.customer.id)
 */
export type KeyInput<Data = unknown> =
  | PathText<EventShape<Data>>
  | ((event: EventPath<EventShape<Data>>) => EventPathBase<Scalar | undefined>)
  | { readonly cel: string };

/** Whose filter or key it is, and where it was written. */
export interface WherePlace {
  /** `The filter of "paid-orders"`. */
  readonly what: string;
  readonly mark: SourceMark | undefined;
  readonly root?: string | undefined;
}

/** Turns an author's filter into data. Faults are catalogued and name the place in the author's object. */
export function toWhere(input: unknown, place: WherePlace): Where {
  return attempt(place, () => readWrittenWhere(input, { what: place.what, holeFor: holeOf }));
}

/** References, which `wait` takes, become texts. */
function holeOf(value: unknown): { readonly hole: string } | undefined {
  return isReference(value) ? { hole: holeFor(value) } : undefined;
}

/** Turns an author's key into data. */
export function toEventKey(input: unknown, place: WherePlace): EventKey {
  if (typeof input === "function") {
    const path = recordEventPath(input as (event: never) => unknown, place);
    return attempt(place, () => parseEventKey({ kind: "path", path }));
  }
  if (typeof input === "string")
    return attempt(place, () => parseEventKey({ kind: "path", path: input.split(".") }));
  if (isRecord(input) && typeof input["cel"] === "string" && Object.keys(input).length === 1)
    return attempt(place, () => parseEventKey({ kind: "cel", text: input["cel"] }));
  throw fault(place, "MILLRACE_OPTION_INVALID", {
    message: `${place.what} is no key: expected a path such as "data.orderId", a function that names one, or { cel }.`,
  });
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** What core says of a part, with whose it is and where it was written. */
function attempt<T>(place: WherePlace, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const code = errorCodeOf(error);
    if (code !== "MILLRACE_WHERE_INVALID" && code !== "MILLRACE_EXPRESSION_INVALID") throw error;
    const { message } = error as MillraceError;
    const told = message.startsWith(place.what) ? message : `${place.what}: ${message}`;
    throw fault(place, code, { message: told, cause: error });
  }
}

function fault(
  place: WherePlace,
  code: "MILLRACE_WHERE_INVALID" | "MILLRACE_EXPRESSION_INVALID" | "MILLRACE_OPTION_INVALID",
  details: { readonly message: string; readonly cause?: unknown },
): MillraceError {
  const source: SourceLocation | undefined = locate(place.mark, place.root);
  return new MillraceError(code, {
    ...details,
    message: source ? `${details.message} (${formatSource(source)})` : details.message,
    ...(source ? { source } : {}),
  });
}
