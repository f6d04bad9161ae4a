/** What several resources of `/api/v1` are made of. Times are RFC 3339 in UTC, durations are in ms. */
import type { CloudEvent, SourceLocation } from "@millrace/core";
import {
  about,
  anyJson,
  integer,
  list,
  mapOf,
  named,
  number,
  object,
  oneOf,
  text,
  typed,
  yes,
  type ObjectShape,
  type Shape,
  type TypeOf,
} from "../shape.ts";

/** PostgreSQL's `integer`. */
const integerMax = 2_147_483_647;
export const count = integer(0, integerMax);
export const positive = integer(1, integerMax);

export const reason = about(
  "Why something is in the state that it is in: `code` for machines, `message` for people.",
  named("Reason", object({ code: text, message: text }, { fields: mapOf(anyJson) })),
);
export type Reason = TypeOf<typeof reason>;

export const sourceLocation: Shape<SourceLocation> = named(
  "SourceLocation",
  object({ file: text, line: integer(0) }, { column: integer(0) }),
);

export const problem = about(
  "RFC 9457. `type` is `urn:millrace:error:CODE`.",
  named(
    "Problem",
    object(
      { type: text, title: text, status: integer(0), detail: text, code: text, advice: text },
      { fields: mapOf(anyJson), source: sourceLocation },
    ),
  ),
);
export type Problem = TypeOf<typeof problem>;

export const counted = about(
  "A number that was counted up to a bound: `isMore` says that there are others.",
  named("Counted", object({ count: integer(0) }, { isMore: yes })),
);
export type Counted = TypeOf<typeof counted>;

export const blobReference = object({ hash: text, bytes: integer(0) });

/** For documents; `parseCloudEvent` of core checks, and tells more. */
export const cloudEvent = named(
  "CloudEvent",
  typed<CloudEvent>(
    object(
      { specversion: oneOf("1.0"), id: text, source: text, type: text },
      {
        subject: text,
        time: text,
        datacontenttype: text,
        dataschema: text,
        data: anyJson,
        data_base64: text,
      },
    ),
  ),
);
/** Each is answered by itself, also what is no event. */
export const cloudEventBatch = list(anyJson);

export const logLine = object(
  {
    at: about("ms since 1970, by the worker's clock", number()),
    stream: oneOf("stdout", "stderr", "log", "system"),
    level: oneOf("debug", "info", "warn", "error"),
    text,
  },
  { fields: mapOf(anyJson) },
);

/** A part of a list; `nextCursor` where there is more. */
export function page<T>(
  items: Shape<T>,
): ObjectShape<{ readonly items: Shape<readonly T[]> }, { readonly nextCursor: Shape<string> }> {
  return object({ items: list(items) }, { nextCursor: about("Where the next page goes on", text) });
}
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}
