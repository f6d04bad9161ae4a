import { cloudEventBatchType, cloudEventType, retentionClassNames } from "@millrace/core";
import {
  about,
  anyJson,
  either,
  integer,
  list,
  mapOf,
  named,
  object,
  oneOf,
  text,
  time,
  yes,
  type TypeOf,
} from "../shape.ts";
import { firingView, logPlaceView } from "./firing.ts";
import {
  bytes,
  eventStream,
  flagParameter,
  numberParameter,
  operation,
  paging,
  textParameter,
  timeParameter,
} from "./operation.ts";
import { cloudEvent, cloudEventBatch, page } from "./parts.ts";
import { endedWaitView } from "./wait.ts";

export const eventView = about(
  "An entry of the event log.",
  named(
    "EventView",
    object(
      {
        position: integer(0),
        recordedAt: time,
        lane: text,
        retention: oneOf(...retentionClassNames),
        event: about("A CloudEvent in its JSON form.", cloudEvent),
      },
      {
        invalid: about("Why it does not fit its type's declaration; it fires nothing.", text),
        dataBytes: about("Its data is large and left out here; `GET /events/:position` has it.", integer(0)),
        cause: about(
          "What it comes of, as far as it says so: told by `GET /events/:position`.",
          object({}, { run: text, pipeline: text, node: text }),
        ),
      },
    ),
  ),
);
export type EventView = TypeOf<typeof eventView>;

export const eventReceipt = about(
  "What became of one event: recorded or a repeat (both with the position), on its way into the log, or refused.",
  named(
    "EventReceipt",
    object(
      {},
      {
        position: integer(0),
        duplicate: about("It was in the log before.", yes),
        accepted: about("It is durable, and another server will put it into the log.", yes),
        invalid: about(
          "It does not fit its type's declaration: it is kept, and fires nothing. Not told of a repeat.",
          text,
        ),
        error: object({ code: text, message: text, advice: text }, { fields: mapOf(anyJson) }),
      },
    ),
  ),
);
export type EventReceipt = TypeOf<typeof eventReceipt>;

export const eventBatchReceipt = named(
  "EventBatchReceipt",
  object({
    items: about("One for each event, in their order.", list(eventReceipt)),
    rejected: about("How many of them have an error.", integer(0)),
  }),
);
export type EventBatchReceipt = TypeOf<typeof eventBatchReceipt>;

export const eventSearchPage = named(
  "EventPage",
  object(page(eventView).required, {
    ...page(eventView).optional,
    looked: about(
      "With a filter: how far it looked. A page may be short, or empty.",
      object(
        { entries: integer(0) },
        { to: about("The oldest entry that was looked at; absent where there was none.", logPlaceView) },
      ),
    ),
  }),
);
export type EventSearchPage = TypeOf<typeof eventSearchPage>;

const feedFilters = {
  type: textParameter("Of this type only, or with a star at the end of all that begin so"),
  subject: textParameter("With this subject only"),
  source: textParameter("From this source only"),
  invalid: flagParameter("`true`: only those that do not fit the declaration of their type"),
};
export const eventFilters = {
  ...feedFilters,
  where: textParameter(
    "For which this filter holds: an object as JSON, or CEL; a page looks at a bounded number of entries, and `looked` says how far",
  ),
};

export const eventOperations = {
  emit: operation({
    method: "POST",
    path: "/events",
    summary:
      "Records events: one in structured or binary mode, or a batch, whose items are answered one by one",
    rawBodies: { [cloudEventType]: cloudEvent, [cloudEventBatchType]: cloudEventBatch },
    answer: either(eventBatchReceipt, eventReceipt),
    also: { 202: "Durable, and another server records them" },
  }),
  listEvents: operation({
    method: "GET",
    path: "/events",
    summary: "Entries of the event log, newest first",
    query: {
      ...eventFilters,
      id: textParameter("With this id only"),
      since: timeParameter("Recorded then (RFC 3339) or later"),
      until: timeParameter("Recorded before then (RFC 3339)"),
      after: numberParameter("After this position only", 0, Number.MAX_SAFE_INTEGER),
      ...paging,
    },
    answer: eventSearchPage,
  }),
  followEvents: operation({
    method: "GET",
    path: "/events/follow",
    summary: "Entries of the event log as they come, as server-sent events whose ids are their positions",
    query: {
      ...feedFilters,
      after: numberParameter(
        "From after this position on; the header Last-Event-ID counts more",
        0,
        Number.MAX_SAFE_INTEGER,
      ),
    },
    answersWith: eventStream,
  }),
  getEvent: operation({
    method: "GET",
    path: "/events/:position",
    summary: "One entry of the event log, with all its data",
    answer: eventView,
  }),
  getEventData: operation({
    method: "GET",
    path: "/events/:position/data",
    summary: "The data of an entry as it came: the body of a delivery at a webhook byte by byte",
    answersWith: bytes,
  }),
  listEventWaits: operation({
    method: "GET",
    path: "/events/:position/waits",
    summary: "The waits of runs that an entry of the event log was one of those to end, the first ones",
    answer: page(endedWaitView),
  }),
  listEventFirings: operation({
    method: "GET",
    path: "/events/:position/firings",
    summary: "The firings that an entry of the event log is a member of",
    answer: page(firingView),
  }),
} as const;
